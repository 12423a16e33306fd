"""The value of a domain that is nearest to a given one."""

from __future__ import annotations

from typing import Any

from kerashpo.core.records import Scalar
from kerashpo.space.domains import Domain, Float, Integer


def nearest_value(domain: Domain, value: Any) -> Scalar:
    """Returns the value of a domain that is nearest to `value`.

    Numbers go to the nearest number of a range, on its steps where it has some. What has no
    distance to the domain's values becomes its default.
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
