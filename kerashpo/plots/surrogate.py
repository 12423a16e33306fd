"""The posterior along one parameter or a pair: what the model believes, and where it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.gp.acquisition import log_expected_improvement
from kerashpo.algorithms.surrogate import Surrogate
from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Objective
from kerashpo.plots.style import Say, axes, colour, empty, english, literal, short, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers: TypeAlias = NDArray[np.float64]
_POINTS = 121
_SQUARE = 41
_ACROSS = 3
"""Values beside each other: more would overlap in a narrow figure."""
_DEPTH = 12.0
"""Below e^-12 of the most, a promise is drawn as the same nothing."""


@final
@dataclass(frozen=True, slots=True)
class Slice:
    """The posterior along one parameter, the others as in the best known configuration.

    Attributes:
        name: the parameter.
        positions: (m,), in [0, 1], ascending.
        values: the parameter's value at each position.
        mean: (m,), expected objective.
        deviation: (m,), its standard deviation.
        promise: (m,), log expected improvement in standardised units.
        seen: (n, 2), position and objective of the trials that have the parameter.
    """

    name: str
    positions: Numbers
    values: tuple[Any, ...]
    mean: Numbers
    deviation: Numbers
    promise: Numbers
    seen: Numbers


@final
@dataclass(frozen=True, slots=True)
class Plane:
    """The posterior over two parameters: `mean` and `promise` are (m, m), rows along `y`.

    Attributes:
        x, y: the parameters.
        x_values, y_values: their values at each position.
        positions: (m,), in [0, 1], ascending.
        mean, promise, seen: as in `Slice`, `seen` with two positions.
    """

    x: str
    y: str
    x_values: tuple[Any, ...]
    y_values: tuple[Any, ...]
    positions: Numbers
    mean: Numbers
    promise: Numbers
    seen: Numbers


def slice_of(surrogate: Surrogate, name: str, objective: Objective) -> Slice:
    """Returns the posterior along a parameter.

    Raises:
        InvalidInput: if the space has no such parameter to tune.
    """
    column = _column(surrogate, name)
    grid = surrogate.cube.grids[column]
    positions = np.linspace(0.0, 1.0, _POINTS) if grid is None else grid
    rows = np.tile(_best(surrogate), (len(positions), 1))
    rows[:, column] = positions
    mean, deviation, promise = _believed(surrogate, rows, objective)
    seen = _seen(surrogate, [column], objective)
    values = _values(surrogate, column, positions)
    return Slice(name, positions, values, mean, deviation, promise, seen)


def plane_of(surrogate: Surrogate, x: str, y: str, objective: Objective) -> Plane:
    """Returns the posterior over a pair of parameters, see `slice_of`."""
    first, second = _column(surrogate, x), _column(surrogate, y)
    positions = np.linspace(0.0, 1.0, _SQUARE)
    across, up = np.meshgrid(positions, positions)
    rows = np.tile(_best(surrogate), (across.size, 1))
    rows[:, first], rows[:, second] = across.ravel(), up.ravel()
    mean, _, promise = _believed(surrogate, surrogate.cube.snap(rows), objective)
    seen = _seen(surrogate, [first, second], objective)
    right, above = (_values(surrogate, column, positions) for column in (first, second))
    shape = across.shape
    return Plane(x, y, right, above, positions, mean.reshape(shape), promise.reshape(shape), seen)


def draw_slice(
    found: Slice | None, objective: Objective, ax: Axes | None = None, say: Say = english
) -> Axes:
    """Draws mean, 95 % interval, trials and (on the right axis) the acquisition."""
    ax = axes(ax)
    if found is None:
        return empty(ax, say("no trial has a score yet"))
    half = 1.96 * found.deviation
    ax.fill_between(
        found.positions, found.mean - half, found.mean + half, color=colour(0), alpha=0.2
    )
    ax.plot(found.positions, found.mean, color=colour(0), label=say("expected"))
    _trials(ax, found, half, say)
    ax.set_xlabel(literal(found.name))
    ax.set_ylabel(literal(objective.name))
    ax.set_xticks(*_ticks(found.positions, found.values, _ACROSS))
    twin = ax.twinx()
    twin.plot(found.positions, _shown(found.promise), color=colour(1), linestyle="--")
    twin.set_ylabel(say("log expected improvement"), color=colour(1))
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return tidy(ax)


def _trials(ax: Axes, found: Slice, half: Numbers, say: Say) -> None:
    """Draws the trials; those far off the interval as arrows at its edge, or it would be flat."""
    low, high = float((found.mean - half).min()), float((found.mean + half).max())
    room = (high - low) or 1.0
    x, y = found.seen.T
    shown = np.clip(y, low - room, high + room)
    ax.plot(x[y == shown], y[y == shown], "o", color=colour(6), markersize=4, label=say("trials"))
    for marker, off in (("^", y > shown), ("v", y < shown)):
        if off.any():
            label = say("{count} farther off").format(count=off.sum())
            ax.plot(x[off], shown[off], marker, color=colour(6), label=label)


def draw_plane(
    found: Plane | None, objective: Objective, ax: Axes | None = None, say: Say = english
) -> Axes:
    """Draws the mean as colours, the acquisition as contours, and the trials."""
    ax = axes(ax)
    if found is None:
        return empty(ax, say("no trial has a score yet"))
    shown = ax.pcolormesh(found.positions, found.positions, found.mean, cmap="cividis")
    if np.ptp(found.promise) > 0.0:
        levels = _shown(found.promise)
        ax.contour(
            found.positions,
            found.positions,
            levels,
            colors="white",
            linewidths=0.8,
            linestyles="solid",
        )
    ax.plot(found.seen[:, 0], found.seen[:, 1], "o", color="white", markeredgecolor="black")
    ax.set_xticks(*_ticks(found.positions, found.x_values, _ACROSS))
    ax.set_yticks(*_ticks(found.positions, found.y_values))
    ax.set_xlabel(literal(found.x))
    ax.set_ylabel(literal(found.y))
    label = say("expected {metric}").format(metric=literal(objective.name))
    ax.figure.colorbar(shown, ax=ax, label=label)
    return ax


def _shown(promise: Numbers) -> Numbers:
    shown: Numbers = np.maximum(promise, promise.max() - _DEPTH)
    return shown


def _values(surrogate: Surrogate, column: int, positions: Numbers) -> tuple[Any, ...]:
    domain = surrogate.cube.columns[column].domain
    return tuple(domain.realise(domain.at(float(u))) for u in positions)


def _ticks(positions: Numbers, values: tuple[Any, ...], most: int = 5) -> tuple[Numbers, list[str]]:
    picked = np.unique(np.linspace(0, len(positions) - 1, most).astype(int))
    return positions[picked], [short(values[i]) for i in picked]


def _column(surrogate: Surrogate, name: str) -> int:
    names = [param.name for param in surrogate.cube.columns]
    if name not in names:
        raise InvalidInput(
            f"There is no parameter {name!r} to draw.{nearest(name, names)} "
            f"Known: {', '.join(names)}."
        )
    return names.index(name)


def _best(surrogate: Surrogate) -> Numbers:
    rows, means = surrogate.known()
    return np.asarray(rows[int(np.argmin(means))])


def _believed(
    surrogate: Surrogate, rows: Numbers, objective: Objective
) -> tuple[Numbers, Numbers, Numbers]:
    mean, variance = surrogate.posterior.predict(surrogate.features(rows))
    least = float(surrogate.known()[1].min())
    promise, _, _ = log_expected_improvement(mean, np.sqrt(variance), least)
    cost, deviation = surrogate.predict(rows)
    return (cost if objective.direction == "min" else -cost), deviation, promise


def _seen(surrogate: Surrogate, columns: list[int], objective: Objective) -> Numbers:
    """Positions and objective (n, k + 1) of full trainings that did not fail."""
    seen = surrogate.seen
    shown = np.isfinite(seen.costs) & (seen.resources == 1.0)
    shown &= ~np.isnan(seen.rows[:, columns]).any(axis=1)
    costs = seen.costs[shown]
    values = costs if objective.direction == "min" else -costs
    return np.column_stack([seen.rows[shown][:, columns], values])
