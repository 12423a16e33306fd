"""Projection: the nearest value of a domain."""

from __future__ import annotations

from typing import Any

from kerashpo.core.records import Scalar
from kerashpo.space.domains import Domain, Float, Integer


def nearest_value(domain: Domain, value: Any) -> Scalar:
    """Returns the value of a domain that is nearest to `value`.

    Numbers become the nearest number of the range, on its steps if it has some. Values
    without a distance to the domain's values become its default.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not isinstance(domain, (Integer, Float)):
        return value if value in domain else domain.default  # type: ignore[no-any-return]
    if not number or value == domain.preset:
        return domain.default
    inside = min(max(value, domain.low), domain.high)
    whole = isinstance(domain, Integer)
    if domain.step is None:
        return round(inside) if whole else float(inside)
    return domain.at(domain.unit(round(inside) if whole else inside))
