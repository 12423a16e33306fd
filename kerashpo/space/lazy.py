"""`lazy`: a value that a function computes from the other values when a trial begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias, final

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.domains import Domain

Compute: TypeAlias = Callable[[dict[str, Any]], Any]


@final
@dataclass(frozen=True, slots=True)
class Lazy(Domain):
    """A value that is computed, not tuned; None until its trial begins.

    Two of them are equal whatever their functions are, since the log has no functions.
    """

    compute: Compute | None = field(default=None, compare=False)
    kind: ClassVar[str] = "lazy"

    @property
    def levels(self) -> int:
        return 1

    @property
    def default(self) -> Scalar:
        return None

    def at(self, u: float) -> Scalar:
        return None

    def unit(self, value: Any) -> float:
        return 0.5

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


def lazy(compute: Compute) -> Lazy:
    """A value computed from the others when a trial begins, as ``lazy(lambda c: 2 * c["a"])``.

    It is recorded with the trial, so that a resumed or repeated trial has the same value even if
    the function draws random numbers, and it is not tuned. Conditions apply to it as to other
    definitions; nothing may be conditional on it.

    Args:
        compute: takes the trial's other values, and the lazy ones above it, by their names;
            returns a finite number, a text or a boolean. An exception fails the trial.

    Raises:
        InvalidSpace: if it cannot be called.
    """
    if not callable(compute):
        raise InvalidSpace(
            "lazy(...): expected a function of the other values, such as "
            f"lambda c: 2 * c['a']. Received: {compute!r}."
        )
    return Lazy(compute)
