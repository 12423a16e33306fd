"""The notebook's chart: best so far and learning curves, as inline SVG in the text's colour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TypeAlias, final

from kerashpo.core.history import History
from kerashpo.display.text import number
from kerashpo.i18n.texts import Texts

Points: TypeAlias = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 640, 150
_PANEL = 290
_TOP, _BOTTOM = 20, 130
_MOST_CURVES = 60
_MOST_STEPS = 300


@final
@dataclass(slots=True)
class Staircase:
    """The best value so far by epochs trained, a step for each improvement."""

    steps: list[tuple[float, float]] = field(default_factory=list)

    def load(self, history: History) -> None:
        """Loads the values of earlier sessions."""
        self.steps.clear()
        points = sorted(
            (trial.times[0, epoch], trial.number, epoch, value)
            for trial in history.trials.values()
            for epoch, value in trial.curve()
        )
        better = history.objective.better_than
        for count, (_, _, _, value) in enumerate(points, start=1):
            if math.isfinite(value) and (not self.steps or better(value, self.steps[-1][1])):
                self.steps.append((float(count), value))

    def update(self, history: History) -> None:
        """Updates the curve with the current best value."""
        leader = history.best
        if leader is None or leader.score is None:
            return
        if not self.steps or self.steps[-1][1] != leader.score:
            self.steps.append((float(history.epochs), leader.score))


def chart(stairs: Staircase, history: History, texts: Texts) -> str:
    """Returns the SVG: on the left the best so far, on the right the latest curves."""
    name = escape(history.objective.name)
    curves, leader = _curves(history)
    left, right = texts("chart.best", metric=name), texts("chart.curves", metric=name)
    best = _panel(0, left, [], _staircase(stairs, history.epochs), texts)
    learned = _panel(_WIDTH - _PANEL, right, curves, leader, texts)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" style="max-width:100%" role="img" '
        f'aria-label="{texts("chart.about")}" font-size="11" font-family="sans-serif" '
        f'fill="currentColor" stroke="none">{best}{learned}</svg>'
    )


def _staircase(stairs: Staircase, epochs: int) -> Points:
    kept = stairs.steps[-_MOST_STEPS:]
    points: list[tuple[float, float]] = []
    for (x, y), (after, _) in zip(kept, [*kept[1:], (float(epochs), 0.0)]):
        points += [(x, y), (after, y)]
    return points


def _curves(history: History) -> tuple[list[Points], Points]:
    """Returns the latest trials' curves, and the best trial's."""
    latest = list(history.trials.values())[-_MOST_CURVES:]
    leader = history.best
    curves = [_finite(trial.curve()) for trial in latest if trial is not leader]
    return [curve for curve in curves if curve], _finite(leader.curve()) if leader else []


def _finite(curve: Iterable[tuple[int, float]]) -> list[tuple[float, float]]:
    return [(float(epoch), value) for epoch, value in curve if math.isfinite(value)]


def _panel(left: int, title: str, thin: list[Points], thick: Points, texts: Texts) -> str:
    """Returns a small chart: its title, its range of values, its lines."""
    points = [point for curve in [*thin, thick] for point in curve]
    text = f'<text x="{left}" y="12">{title}</text>'
    if not points:
        return text
    x_range = (min(x for x, _ in points), max(x for x, _ in points))
    y_range = _middle([y for _, y in points], thick)
    frame = (
        f'<line x1="{left}" y1="{_BOTTOM}" x2="{left + _PANEL}" y2="{_BOTTOM}" '
        'stroke="currentColor" opacity="0.4"/>'
        f'<text x="{left}" y="{_BOTTOM + 14}">{x_range[0]:.0f}</text>'
        f'<text x="{left + _PANEL}" y="{_BOTTOM + 14}" text-anchor="end">{x_range[1]:.0f}</text>'
    )
    for y, value in _labels(y_range, texts):
        frame += f'<text x="{left}" y="{y}" opacity="0.7">{value}</text>'
    lines = [_path(curve, left, x_range, y_range, 1.0, 0.3) for curve in thin]
    return text + frame + "".join(lines) + _path(thick, left, x_range, y_range, 2.0, 0.9)


def _labels(limits: tuple[float, float], texts: Texts) -> list[tuple[int, str]]:
    """Returns the positions of the labels: the least and the greatest value, or the only one."""
    low, high = (number(value, texts) for value in limits)
    if low == high:
        return [((_TOP + _BOTTOM) // 2 + 4, low)]
    return [(_BOTTOM - 3, low), (_TOP + 8, high)]


def _middle(values: list[float], always: Points) -> tuple[float, float]:
    """Returns the range without the most extreme twentieth, but with all of `always`."""
    ordered = sorted(values)
    cut = len(ordered) // 40
    seen = [*ordered[cut : len(ordered) - cut], *(y for _, y in always)]
    return min(seen), max(seen)


def _path(
    curve: Points,
    left: int,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    width: float,
    opacity: float,
) -> str:
    places = []
    for x, y in curve:
        across = left + 42 + (_PANEL - 42) * _share(x, x_range)
        up = _BOTTOM - 2 - (_BOTTOM - _TOP - 4) * min(1.0, max(0.0, _share(y, y_range)))
        places.append(f"{across:.1f},{up:.1f}")
    if len(places) == 1:
        across_up = places[0].split(",")
        return (
            f'<circle cx="{across_up[0]}" cy="{across_up[1]}" r="{width + 0.5}" '
            f'opacity="{opacity}"/>'
        )
    return (
        f'<polyline points="{" ".join(places)}" fill="none" stroke="currentColor" '
        f'stroke-width="{width}" opacity="{opacity}"/>'
    )


def _share(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return 0.5 if high == low else (value - low) / (high - low)
