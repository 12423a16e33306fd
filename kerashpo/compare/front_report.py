"""The part of a comparison's report about Pareto fronts, see `hypervolumes`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerashpo.compare.formatting import bracketed, enumeration, share, tuner_name
from kerashpo.compare.hypervolumes import Fronts
from kerashpo.compare.runs import Result
from kerashpo.compare.statistics import Score, by_tuner, score
from kerashpo.core.records import Objective
from kerashpo.i18n.texts import Texts
from kerashpo.reporting.blocks import Block, Heading, Table


def explained(fronts: Fronts, texts: Texts) -> str:
    """Returns the paragraph that says what is compared: objectives, hypervolume and its box."""
    scale = fronts.scale

    def values(corner: Sequence[float]) -> str:
        pairs = zip(scale.objectives, corner)
        return ", ".join(
            f"{named(one, texts)} {written(value, one, texts)}" for one, value in pairs
        )

    return texts(
        "front.explained",
        count=len(scale.objectives),
        objectives=enumeration([named(one, texts) for one in scale.objectives], texts),
        ideal=values(scale.ideal),
        reference=values(scale.reference),
    )


def front_tables(fronts: Fronts | None, texts: Texts) -> list[Block]:
    """Returns the table of knees and best values on the test set; nothing without fronts."""
    if fronts is None:
        return []
    objectives = fronts.task.objectives
    columns = [texts("compare.tuner"), texts("front.size")]
    names = [named(one, texts) for one in objectives]
    columns += [texts(f"front.{key}", objective=name) for key in ("knee", "best") for name in names]
    rows = tuple(
        (tuner_name(texts, tuner), *_row(group, objectives, texts))
        for tuner, group in by_tuner(fronts.results).items()
    )
    title = texts("front.title", problem=fronts.task.titled(texts.language))
    return [Heading(title, 3), Table(tuple(columns), rows)]


def _row(group: Sequence[Result], objectives: Sequence[Objective], texts: Texts) -> list[str]:
    cells = [f"{np.mean([len(result.front) for result in group]):.0f}"]
    for one in objectives:
        cells.append(_cell(score([r.front[0].test[one.name] for r in group]), one, texts))
    for one in objectives:
        pick = min if one.direction == "min" else max
        best = [pick(point.test[one.name] for point in result.front) for result in group]
        cells.append(_cell(score(best), one, texts))
    return cells


def _cell(found: Score, objective: Objective, texts: Texts) -> str:
    return bracketed(found, lambda value: written(value, objective, texts))


def named(objective: Objective, texts: Texts) -> str:
    """Returns the translated name of an objective, without the part that it is measured on."""
    name = objective.name.removeprefix("val_")
    return texts.sentences["metric"].get(name, name.replace("_", " "))


def written(value: float, objective: Objective, texts: Texts) -> str:
    """Returns an objective's value: accuracies in per cent, others with three digits."""
    if objective.name.endswith("accuracy"):
        return share(value, texts)
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", texts("number.group"))
    return f"{value:.3g}".replace(".", texts("number.mark"))
