"""The final round in a study's report: its finalists, and what its averaged models cost."""

from __future__ import annotations

import math

from kerashpo.analysis.finalist_rows import FinalistRow, finalist_rows
from kerashpo.analysis.fold_scores import expectation, finalist_weights, ranked, runs_of
from kerashpo.core.history import History
from kerashpo.i18n.numbers import shown
from kerashpo.i18n.texts import Texts
from kerashpo.reporting.blocks import Block, Heading, Paragraph, Table
from kerashpo.space.space import Space

_COLUMNS = ("trial", "role", "score", "interval", "loss", "best_epoch", "folds", "weight")


def final_round(history: History, space: Space, texts: Texts) -> list[Block]:
    """Returns the section on a final round; nothing if the search had none.

    Args:
        history: the study.
        space: its space, whose defaults are the untuned configuration.
        texts: the reader's language.
    """
    rows = finalist_rows(history, space.complete({}))
    if not rows:
        return []
    return [
        Heading(texts("study.final_round")),
        Paragraph(_summary(history, texts)),
        Table(
            tuple(texts(f"column.{name}") for name in _COLUMNS),
            tuple(_cells(row, texts) for row in rows),
        ),
    ]


def _summary(history: History, texts: Texts) -> str:
    whole = ranked(history)
    if not whole:
        return texts("study.final_round_none")
    expected, weights = expectation(history, whole[0]), finalist_weights(history)
    return texts(
        "study.final_round_text",
        trial=whole[0].number,
        members=len(runs_of(whole[0])),
        all=sum(len(runs_of(t)) for t in whole if weights[t.number]),
        metric=history.objective.name,
        value=shown(expected.value, texts),
        low=shown(expected.low, texts),
        high=shown(expected.high, texts),
    )


def _cells(row: FinalistRow, texts: Texts) -> tuple[str, ...]:
    role = texts("study.tuned" if row.tuned else "study.untuned")
    if not row.folds:
        return (str(row.trial), role, "-", "-", "-", "-", "0", "-")
    score = row.score
    known = math.isfinite(score.low)
    return (
        str(row.trial),
        role,
        shown(score.value, texts),
        f"{shown(score.low, texts)} – {shown(score.high, texts)}" if known else "-",
        shown(row.loss, texts) if math.isfinite(row.loss) else "-",
        shown(row.epochs, texts, 3),
        str(row.folds),
        shown(row.weight, texts, 2),
    )
