"""Domains: the values of a parameter, and the position of each in [0, 1].

A domain has no name: its errors give the reason, and `Param` adds the name.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, final

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.choice_labels import labels
from kerashpo.space.scales import SCALES, Scale, shrink, step_count, step_value, stretch


class Domain(ABC):
    """The values of one parameter.

    Attributes:
        kind: its name in JSON.
        levels: how many values there are; 0 for a continuous domain.
        categorical: whether its values have no order.
    """

    __slots__ = ()
    kind: ClassVar[str]
    categorical: ClassVar[bool] = False

    @property
    @abstractmethod
    def levels(self) -> int: ...

    @abstractmethod
    def at(self, u: float) -> Scalar:
        """Returns the value at position `u` in [0, 1]; equal cells where it is discrete."""

    def listed(self) -> Iterator[Scalar]:
        """Yields every value of a discrete domain once, in order."""
        n = self.levels
        return (self.at((index + 0.5) / n) for index in range(n))

    @abstractmethod
    def unit(self, value: Any) -> float:
        """Returns the position of a value; the centre of its cell if the domain is discrete.

        Raises:
            InvalidSpace: if the value is not in this domain.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Returns the definition as JSON, `kind` included."""

    @property
    @abstractmethod
    def default(self) -> Scalar:
        """The declared default, or the middle of the domain."""

    def realise(self, value: Scalar) -> Any:
        """Returns the value that the user's function receives for a stored value."""
        return value

    def __contains__(self, value: object) -> bool:
        try:
            self.unit(value)
        except InvalidSpace:
            return False
        return True


def _reject(value: object, expected: str) -> InvalidSpace:
    return InvalidSpace(f"expected {expected}, received {value!r}")


def _cell(u: float, n: int) -> int:
    return min(max(int(u * n), 0), n - 1)


def _check_range(low: float, high: float, step: float | None, scale: str) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InvalidSpace(f"bounds must be finite, received low={low!r}, high={high!r}")
    if low > high:
        raise InvalidSpace(f"low={low!r} is greater than high={high!r}")
    if scale not in SCALES:
        raise InvalidSpace(f"sampling must be one of {', '.join(SCALES)}, received {scale!r}")
    if scale != "linear" and low <= 0:
        raise InvalidSpace(f"sampling {scale!r} needs low above 0, received low={low!r}")
    least = 0 if scale == "linear" else 1
    if step is not None and not (math.isfinite(step) and step > least):
        raise InvalidSpace(f"step must be above {least} with {scale} sampling, received {step!r}")


def _check_preset(domain: Float | Integer) -> None:
    preset = domain.preset
    if preset is not None and not domain.low <= preset <= domain.high:
        raise InvalidSpace(f"default {preset!r} is outside [{domain.low}, {domain.high}]")


def _nearest_step(value: float, domain: Float | Integer) -> int:
    """Returns the index of the step that is nearest to a value in the range."""
    low, high, step, scale = domain.low, domain.high, domain.step or 1, domain.scale
    if scale == "linear":
        guess = round((value - low) / step)
        near = range(max(guess - 1, 0), min(guess + 2, domain.levels))
    else:
        near = range(domain.levels)
    return min(near, key=lambda i: abs(step_value(i, low, high, step, scale) - value))


@final
@dataclass(frozen=True, slots=True)
class Float(Domain):
    """A float in [low, high]; with `step` only every step-th value (a log step is a factor)."""

    low: float
    high: float
    step: float | None = None
    scale: Scale = "linear"
    preset: float | None = None
    kind: ClassVar[str] = "float"

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.step, self.scale)
        _check_preset(self)

    @property
    def levels(self) -> int:
        if self.low == self.high:
            return 1
        return 0 if self.step is None else step_count(self.low, self.high, self.step, self.scale)

    @property
    def default(self) -> float:
        return self.at(0.5) if self.preset is None else self.preset

    def at(self, u: float) -> float:
        if self.step is not None:
            return step_value(_cell(u, self.levels), self.low, self.high, self.step, self.scale)
        value = stretch(min(max(u, 0.0), 1.0), self.low, self.high, self.scale)
        return min(max(value, self.low), self.high)

    def unit(self, value: Any) -> float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        slack = 1e-9 * max(abs(self.low), abs(self.high))
        if not number or not self.low - slack <= value <= self.high + slack:
            raise _reject(value, f"a number in [{self.low}, {self.high}]")
        value = min(max(float(value), self.low), self.high)
        if self.step is None:
            return min(max(shrink(value, self.low, self.high, self.scale), 0.0), 1.0)
        return (_nearest_step(value, self) + 0.5) / self.levels

    def to_json(self) -> dict[str, Any]:
        return _numeric_json(self)


@final
@dataclass(frozen=True, slots=True)
class Integer(Domain):
    """A whole number in [low, high], both included; `step` as for `Float`."""

    low: int
    high: int
    step: int | None = None
    scale: Scale = "linear"
    preset: int | None = None
    kind: ClassVar[str] = "int"

    def __post_init__(self) -> None:
        for name in ("low", "high", "step", "preset"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or int(value) != value):
                raise InvalidSpace(f"{name} must be a whole number, received {value!r}")
        _check_range(self.low, self.high, self.step, self.scale)
        _check_preset(self)

    @property
    def levels(self) -> int:
        if self.step is not None and self.scale != "linear":
            return step_count(self.low, self.high, self.step, self.scale)
        return int(self.high - self.low) // int(self.step or 1) + 1

    @property
    def default(self) -> int:
        return self.at(0.5) if self.preset is None else self.preset

    def at(self, u: float) -> int:
        if self.scale == "linear":
            return int(self.low) + _cell(u, self.levels) * int(self.step or 1)
        if self.step is not None:
            index = _cell(u, self.levels)
            return round(step_value(index, self.low, self.high, self.step, self.scale))
        value = stretch(min(max(u, 0.0), 1.0), self.low, self.high + 1, self.scale)
        return min(max(int(value), self.low), self.high)

    def listed(self) -> Iterator[int]:
        if self.scale != "linear" and self.step is None:
            # Cells have unequal widths: equally spaced positions would miss some values.
            return iter(range(self.low, self.high + 1))
        return (self.at((index + 0.5) / self.levels) for index in range(self.levels))

    def unit(self, value: Any) -> float:
        whole = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not whole or int(value) != value or not self.low <= value <= self.high:
            raise _reject(value, f"a whole number in [{self.low}, {self.high}]")
        if self.step is None and self.scale != "linear":
            return shrink(value + 0.5, self.low, self.high + 1, self.scale)
        if self.scale == "linear":
            index = min(round((int(value) - self.low) / (self.step or 1)), self.levels - 1)
        else:
            index = _nearest_step(value, self)
        return (index + 0.5) / self.levels

    def to_json(self) -> dict[str, Any]:
        return _numeric_json(self)


@final
@dataclass(frozen=True, slots=True)
class Choice(Domain):
    """One of several values. Values that are not JSON scalars are stored by their index."""

    values: tuple[Any, ...]
    ordered: bool = False
    preset: Any = None
    kind: ClassVar[str] = "choice"

    def __post_init__(self) -> None:
        if not self.values:
            raise InvalidSpace("a choice needs at least one value, received none")
        for index, value in enumerate(self.values):
            if any(_same(value, other) for other in self.values[:index]):
                raise InvalidSpace(f"the value {value!r} appears twice among the choices")
        if self.preset is not None and not any(_same(self.preset, v) for v in self.values):
            raise InvalidSpace(f"default {self.preset!r} is not among {list(self.values)!r}")

    @property
    def categorical(self) -> bool:  # type: ignore[override]
        return not self.ordered

    @property
    def levels(self) -> int:
        return len(self.values)

    @property
    def scalar(self) -> bool:
        """Whether every value is a JSON scalar, written to the log as it is."""
        return all(v is None or isinstance(v, (str, int, float, bool)) for v in self.values)

    @property
    def default(self) -> Scalar:
        return self.store(self.values[0] if self.preset is None else self.preset)

    def store(self, value: Any) -> Scalar:
        """Returns the form in which a user's value is written in a configuration.

        Raises:
            InvalidSpace: if it would be written by its index and is not one of the values.
        """
        if self.scalar:
            return value  # type: ignore[no-any-return]
        for index, other in enumerate(self.values):
            if _same(value, other):
                return index
        raise _reject(value, f"one of {list(self.values)!r}")

    def at(self, u: float) -> Scalar:
        index = _cell(u, len(self.values))
        return self.values[index] if self.scalar else index

    def unit(self, value: Any) -> float:
        stored = self.values if self.scalar else range(len(self.values))
        for index, other in enumerate(stored):
            if _same(value, other):
                return (index + 0.5) / len(self.values)
        raise _reject(value, f"one of {list(stored)!r}")

    def realise(self, value: Scalar) -> Any:
        return value if self.scalar else self.values[int(value)]  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        values = list(self.values) if self.scalar else labels(self.values)
        body: dict[str, Any] = {"kind": self.kind, "values": values}
        if self.ordered:
            body["ordered"] = True
        if not self.scalar:
            body["by_index"] = True
        if self.preset is not None:
            stored = self.store(self.preset)
            body["default"] = stored if self.scalar else values[int(stored)]  # type: ignore[arg-type]
        return body


@final
@dataclass(frozen=True, slots=True)
class Boolean(Domain):
    """False or True."""

    preset: bool = False
    kind: ClassVar[str] = "bool"
    categorical: ClassVar[bool] = True

    @property
    def levels(self) -> int:
        return 2

    @property
    def default(self) -> bool:
        return self.preset

    def at(self, u: float) -> bool:
        return u >= 0.5

    def unit(self, value: Any) -> float:
        if not isinstance(value, bool):
            raise _reject(value, "True or False")
        return 0.75 if value else 0.25

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **({"default": True} if self.preset else {})}


@final
@dataclass(frozen=True, slots=True)
class Fixed(Domain):
    """One value, not tuned."""

    value: Scalar
    kind: ClassVar[str] = "fixed"

    @property
    def levels(self) -> int:
        return 1

    @property
    def default(self) -> Scalar:
        return self.value

    def at(self, u: float) -> Scalar:
        return self.value

    def unit(self, value: Any) -> float:
        if not _same(value, self.value):
            raise _reject(value, f"the fixed value {self.value!r}")
        return 0.5

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "value": self.value}


def _numeric_json(domain: Float | Integer) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": domain.kind, "low": domain.low, "high": domain.high}
    if domain.step is not None:
        body["step"] = domain.step
    if domain.scale != "linear":
        body["scale"] = domain.scale
    if domain.preset is not None:
        body["default"] = domain.preset
    return body


def _same(a: Any, b: Any) -> bool:
    """Equality that distinguishes True from 1 and compares arrays."""
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    try:
        return bool(a == b)
    except (TypeError, ValueError):
        return a is b
