"""The table of the models that searches return: winners, ensembles, final rounds, baselines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kerashpo.compare.formatting import (
    interval,
    loss_interval,
    metric_name,
    number,
    quantity,
    share,
    tuner_name,
)
from kerashpo.compare.models import ORDER, ModelScore
from kerashpo.compare.runs import Result
from kerashpo.compare.statistics import by_tuner, score
from kerashpo.i18n.numbers import count
from kerashpo.i18n.texts import Texts
from kerashpo.problems.task import Task
from kerashpo.reporting.blocks import Block, Heading, Paragraph, Table

_COLUMNS = (
    "compare.tuner", "models.model", "compare.test_score", "compare.test_loss", "models.optimism",
    "models.expected", "models.members", "models.parameters", "models.milliseconds",
    "compare.epochs",
)  # fmt: skip


def model_blocks(results: Sequence[Result], task: Task, texts: Texts) -> list[Block]:
    """Returns the table of one problem's models; nothing where results have none.

    Args:
        results: the results on the problem.
        task: the problem.
        texts: the sentences of the output language.
    """
    rows = [
        _row(tuner, found, task, texts)
        for tuner, group in by_tuner(results).items()
        for found in _by_model(group)
    ]
    if not rows:
        return []
    label = metric_name(texts, task)
    columns = tuple(texts(name, metric=label) for name in _COLUMNS)
    title = texts("models.title", problem=task.titled(texts.language))
    return [
        Heading(title, 3),
        Paragraph(texts("models.explained")),
        Table(columns, tuple(rows)),
    ]


def _by_model(group: Sequence[Result]) -> list[list[ModelScore]]:
    """Returns a tuner's models of each kind, one for each seed that has it."""
    found: dict[str, list[ModelScore]] = {}
    for result in group:
        for model in result.models:
            found.setdefault(model.model, []).append(model)
    return [found[name] for name in ORDER if name in found]


def _row(tuner: str, models: Sequence[ModelScore], task: Task, texts: Texts) -> tuple[str, ...]:
    def mean(name: str) -> float:
        return sum(float(getattr(model, name)) for model in models) / len(models)

    return (
        tuner_name(texts, tuner),
        texts(f"models.{models[0].model}"),
        interval(score([model.test_score for model in models]), task, texts),
        loss_interval(score([model.test_loss for model in models]), texts),
        _optimism(mean("shown") - mean("test_score"), task, texts),
        _optimism(mean("expected") - mean("test_score"), task, texts),
        number(mean("members"), 0, texts),
        count(round(mean("parameters")), texts),
        number(mean("milliseconds"), 1, texts),
        number(mean("epochs"), 0, texts),
    )


def _optimism(difference: float, task: Task, texts: Texts) -> str:
    """Returns how much the score shown is above the test score, in points for accuracies."""
    if math.isnan(difference):
        return "-"
    if not task.is_share:
        return quantity(difference, texts)
    return share(difference, texts).replace(" %", "")
