"""The surrogate model: posterior and acquisition along one parameter or over a pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.gp.acquisition import log_expected_improvement
from kerashpo.algorithms.surrogate import Surrogate
from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Objective
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import (
    axes,
    colour,
    empty,
    literal,
    localise,
    number_format,
    short,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers: TypeAlias = NDArray[np.float64]
_POINTS = 121
_SQUARE = 41
_ACROSS = 3
"""Values beside each other: more would overlap in a narrow figure."""
_DEPTH = 12.0
"""Acquisition values below e^-12 of the largest are drawn alike."""


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
        acquisition: (m,), log expected improvement in standardised units.
        observed: (n, 2), position and objective of the trials that have the parameter.
    """

    name: str
    positions: Numbers
    values: tuple[Any, ...]
    mean: Numbers
    deviation: Numbers
    acquisition: Numbers
    observed: Numbers


@final
@dataclass(frozen=True, slots=True)
class Plane:
    """The posterior over two parameters: `mean` and `acquisition` are (m, m), rows along `y`.

    Attributes:
        x, y: the parameters.
        x_values, y_values: their values at each position.
        positions: (m,), in [0, 1], ascending.
        mean, acquisition, observed: as in `Slice`, `observed` with two positions.
    """

    x: str
    y: str
    x_values: tuple[Any, ...]
    y_values: tuple[Any, ...]
    positions: Numbers
    mean: Numbers
    acquisition: Numbers
    observed: Numbers


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
    mean, deviation, acquisition = _posterior(surrogate, rows, objective)
    observed = _observed(surrogate, [column], objective)
    values = _values(surrogate, column, positions)
    return Slice(name, positions, values, mean, deviation, acquisition, observed)


def plane_of(surrogate: Surrogate, x: str, y: str, objective: Objective) -> Plane:
    """Returns the posterior over a pair of parameters, see `slice_of`."""
    first, second = _column(surrogate, x), _column(surrogate, y)
    positions = np.linspace(0.0, 1.0, _SQUARE)
    across, up = np.meshgrid(positions, positions)
    rows = np.tile(_best(surrogate), (across.size, 1))
    rows[:, first], rows[:, second] = across.ravel(), up.ravel()
    mean, _, acquisition = _posterior(surrogate, surrogate.cube.snap(rows), objective)
    observed = _observed(surrogate, [first, second], objective)
    right, above = (_values(surrogate, column, positions) for column in (first, second))
    shape = across.shape
    return Plane(
        x, y, right, above, positions, mean.reshape(shape), acquisition.reshape(shape), observed
    )


def draw_slice(
    cut: Slice | None, objective: Objective, ax: Axes | None = None, say: Labels = ENGLISH
) -> Axes:
    """Draws mean, 95 % interval, trials and (on the right axis) the acquisition."""
    ax = axes(ax, say("Surrogate model"))
    if cut is None:
        return empty(ax, say("no trial has a score yet"))
    half = 1.96 * cut.deviation
    ax.fill_between(cut.positions, cut.mean - half, cut.mean + half, color=colour(0), alpha=0.2)
    ax.plot(cut.positions, cut.mean, color=colour(0), label=say("expected"))
    _trials(ax, cut, half, say)
    ax.set_xlabel(literal(cut.name))
    ax.set_ylabel(literal(objective.name))
    ax.set_xticks(*_ticks(cut.positions, cut.values, say, _ACROSS))
    twin = ax.twinx()
    twin.plot(cut.positions, _shown(cut.acquisition), color=colour(1), linestyle="--")
    twin.set_ylabel(say("log expected improvement"), color=colour(1))
    localise(twin.yaxis, say)
    _legend_above(ax)
    return tidy(ax, say)


def _trials(ax: Axes, cut: Slice, half: Numbers, say: Labels) -> None:
    """Draws the trials; those far outside the interval as arrows at its edge."""
    low, high = float((cut.mean - half).min()), float((cut.mean + half).max())
    room = (high - low) or 1.0
    x, y = cut.observed.T
    shown = np.clip(y, low - room, high + room)
    ax.plot(x[y == shown], y[y == shown], "o", color=colour(6), markersize=4, label=say("trials"))
    for marker, off in (("^", y > shown), ("v", y < shown)):
        if off.any():
            label = say("{count} farther off").format(count=off.sum())
            ax.plot(x[off], shown[off], marker, color=colour(6), label=label)


def draw_plane(
    plane: Plane | None, objective: Objective, ax: Axes | None = None, say: Labels = ENGLISH
) -> Axes:
    """Draws the mean as colours, the acquisition as contours, and the trials."""
    ax = axes(ax, say("Surrogate model"))
    if plane is None:
        return empty(ax, say("no trial has a score yet"))
    shown = ax.pcolormesh(plane.positions, plane.positions, plane.mean, cmap="cividis")
    if np.ptp(plane.acquisition) > 0.0:
        _contours(ax, plane, say)
    ax.plot(
        plane.observed[:, 0],
        plane.observed[:, 1],
        "o",
        color="white",
        markeredgecolor="black",
        label=say("trials"),
    )
    ax.set_xticks(*_ticks(plane.positions, plane.x_values, say, _ACROSS))
    ax.set_yticks(*_ticks(plane.positions, plane.y_values, say))
    ax.set_xlabel(literal(plane.x))
    ax.set_ylabel(literal(plane.y))
    label = say("expected {metric}").format(metric=literal(objective.name))
    ax.figure.colorbar(shown, ax=ax, label=label, format=number_format(say))
    _legend_above(ax)
    return ax


def _contours(ax: Axes, plane: Plane, say: Labels) -> None:
    """Draws the acquisition as white lines, the higher the thicker."""
    from matplotlib.patheffects import Normal, Stroke

    levels = _shown(plane.acquisition)
    look: dict[str, Any] = {"colors": "white", "linestyles": "solid"}
    widths = np.linspace(0.4, 1.8, 7)
    drawn = ax.contour(plane.positions, plane.positions, levels, 7, linewidths=widths, **look)
    # A dark rim keeps the lines legible on the bright end of the colours, and in the legend.
    rim = [Stroke(linewidth=2.4, foreground="black", alpha=0.6), Normal()]
    drawn.set_path_effects(rim)
    label = say("log expected improvement (thicker is higher)")
    ax.plot([], [], color="white", path_effects=rim, label=label)


def _legend_above(ax: Axes) -> None:
    ax.legend(
        frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize="small"
    )


def _shown(acquisition: Numbers) -> Numbers:
    shown: Numbers = np.maximum(acquisition, acquisition.max() - _DEPTH)
    return shown


def _values(surrogate: Surrogate, column: int, positions: Numbers) -> tuple[Any, ...]:
    domain = surrogate.cube.columns[column].domain
    return tuple(domain.realise(domain.at(float(u))) for u in positions)


def _ticks(
    positions: Numbers, values: tuple[Any, ...], say: Labels, most: int = 5
) -> tuple[Numbers, list[str]]:
    picked = np.unique(np.linspace(0, len(positions) - 1, most).astype(int))
    return positions[picked], [short(values[i], say) for i in picked]


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


def _posterior(
    surrogate: Surrogate, rows: Numbers, objective: Objective
) -> tuple[Numbers, Numbers, Numbers]:
    mean, variance = surrogate.posterior.predict(surrogate.features(rows))
    least = float(surrogate.known()[1].min())
    acquisition, _, _ = log_expected_improvement(mean, np.sqrt(variance), least)
    cost, deviation = surrogate.predict(rows)
    return (cost if objective.direction == "min" else -cost), deviation, acquisition


def _observed(surrogate: Surrogate, columns: list[int], objective: Objective) -> Numbers:
    """Returns positions and objective (n, k + 1) of full trainings that did not fail."""
    seen = surrogate.seen
    shown = np.isfinite(seen.costs) & (seen.resources == 1.0)
    shown &= ~np.isnan(seen.rows[:, columns]).any(axis=1)
    costs = seen.costs[shown]
    values = costs if objective.direction == "min" else -costs
    return np.column_stack([seen.rows[shown][:, columns], values])
