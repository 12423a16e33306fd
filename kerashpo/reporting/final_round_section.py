"""The final round in a study's report: its finalists, and what its averaged models cost."""

from __future__ import annotations

import math
import statistics

from kerashpo.analysis.fold_scores import (
    bests_of,
    expectation,
    finalist_weights,
    finalists,
    mean_score,
    rank,
    ranked,
    runs_of,
    values_of,
)
from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.i18n.numbers import shown
from kerashpo.i18n.texts import Texts
from kerashpo.reporting.blocks import Block, Heading, Paragraph, Table
from kerashpo.space.space import Space, key

_COLUMNS = ("trial", "role", "score", "interval", "loss", "best_epoch", "folds", "weight")


def final_round(history: History, space: Space, texts: Texts) -> list[Block]:
    """Returns the section on a final round; nothing if the search had none.

    Args:
        history: the study.
        space: its space, whose defaults are the untuned configuration.
        texts: the reader's language.
    """
    trials = finalists(history)
    if not trials:
        return []
    whole = ranked(history)
    others = sorted((trial for trial in trials if trial not in whole), key=rank)
    default = key(space.complete({}))
    rows = tuple(_row(history, trial, default, texts) for trial in (*whole, *others))
    blocks: list[Block] = [Heading(texts("study.final_round")), Paragraph(_summary(history, texts))]
    return [*blocks, Table(tuple(texts(f"column.{name}") for name in _COLUMNS), rows)]


def _summary(history: History, texts: Texts) -> str:
    whole = ranked(history)
    if not whole:
        return texts("study.final_round_none")
    expected = expectation(history, whole[0])
    return texts(
        "study.final_round_text",
        trial=whole[0].number,
        members=len(runs_of(whole[0])),
        all=sum(len(runs_of(t)) for t in whole if finalist_weights(history)[t.number]),
        metric=history.objective.name,
        value=shown(expected.value, texts),
        low=shown(expected.low, texts),
        high=shown(expected.high, texts),
    )


def _row(history: History, trial: Trial, default: object, texts: Texts) -> tuple[str, ...]:
    role = texts("study.untuned" if key(trial.config) == default else "study.tuned")
    bests = [best for best in bests_of(trial) if best.finite]
    if not bests:
        return (str(trial.number), role, "-", "-", "-", "-", "0", "-")
    score = mean_score(values_of(history, trial), history.objective.name)
    known = math.isfinite(score.low)
    loss = statistics.fmean(best.loss for best in bests)
    return (
        str(trial.number),
        role,
        shown(score.value, texts),
        f"{shown(score.low, texts)} – {shown(score.high, texts)}" if known else "-",
        shown(loss, texts) if math.isfinite(loss) else "-",
        shown(statistics.fmean(best.epoch for best in bests), texts, 3),
        str(len(bests)),
        shown(finalist_weights(history).get(trial.number, 0.0), texts, 2),
    )
