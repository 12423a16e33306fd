"""`ShownPlan`: a plan that prints itself, as text and as a notebook's table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from html import escape
from typing import final

from kerashpo.core.records import Plan
from kerashpo.i18n.numbers import count
from kerashpo.i18n.texts import Texts

Row = tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class ShownPlan(Plan):
    """A plan that prints itself, in a terminal and in a notebook.

    Attributes:
        seconds_per_epoch: mean training time of the epochs seen; None before the first.
        language: ``"en"`` or ``"es"``.
    """

    seconds_per_epoch: float | None = None
    language: str = "en"

    @classmethod
    def of(
        cls, plan: Plan, seconds_per_epoch: float | None = None, lang: str | None = None
    ) -> ShownPlan:
        """Returns the plan with the duration of an epoch, in the reader's language."""
        fields = {f.name: getattr(plan, f.name) for f in dataclasses.fields(Plan)}
        texts = Texts.of(lang)
        return cls(**fields, seconds_per_epoch=seconds_per_epoch, language=texts.language)

    def __str__(self) -> str:
        return plan_text(self, self.seconds_per_epoch, Texts(self.language))

    def _repr_html_(self) -> str:
        return plan_html(self, self.seconds_per_epoch, Texts(self.language))


def plan_rows(plan: Plan) -> list[Row]:
    """Returns a row for each bracket: its number, then ``trials x epochs`` of each rung."""
    return [
        (str(number), *(f"{rung.trials} x {rung.epochs or '?'}" for rung in bracket))
        for number, bracket in enumerate(plan.brackets, start=1)
    ]


def plan_header(plan: Plan, texts: Texts) -> Row:
    """Returns the titles of `plan_rows`."""
    widest = max((len(bracket) for bracket in plan.brackets), default=0)
    rungs = (texts("plan.rung", number=number) for number in range(1, widest + 1))
    return (texts("plan.bracket"), *rungs)


def plan_total(plan: Plan, seconds_per_epoch: float | None, texts: Texts) -> str:
    """Returns trials, epochs and, once an epoch was seen, their duration.

    Args:
        plan: the plan.
        seconds_per_epoch: mean training time of the epochs seen; None before the first.
        texts: the reader's language.
    """
    trials = (
        texts("plan.endless")
        if plan.trials is None
        else texts.plural("plan.trials", plan.trials, number=count(plan.trials, texts))
    )
    if plan.epochs is None:
        return texts("plan.unknown", trials=trials)
    total = texts("plan.epochs", trials=trials, epochs=count(plan.epochs, texts))
    if seconds_per_epoch is None:
        return total
    duration = _duration(plan.epochs * seconds_per_epoch)
    return texts("plan.duration", total=total, duration=duration)


def plan_text(plan: Plan, seconds_per_epoch: float | None, texts: Texts) -> str:
    """Returns the plan as lines of plain text."""
    rows = [plan_header(plan, texts), *plan_rows(plan)] if plan.brackets else []
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(_columns(rows))]
    lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths)) for row in rows]
    return "\n".join([*lines, *_below(plan, seconds_per_epoch, texts)])


def plan_html(plan: Plan, seconds_per_epoch: float | None, texts: Texts) -> str:
    """Returns the plan as an HTML table that takes its colours from the notebook."""
    import pandas as pd

    table = ""
    if plan.brackets:
        titles = plan_header(plan, texts)
        rows = [(*row, *[""] * (len(titles) - len(row))) for row in plan_rows(plan)]
        table = pd.DataFrame(rows, columns=list(titles)).to_html(index=False, border=0)
    below = _below(plan, seconds_per_epoch, texts)
    return table + "".join(f"<p>{escape(line)}</p>" for line in below)


def _below(plan: Plan, seconds_per_epoch: float | None, texts: Texts) -> list[str]:
    """Returns the lines below the table: what its cells mean, the total, the notes."""
    legend = []
    if plan.brackets and (first := plan.brackets[0][0]).epochs:
        legend = [texts("plan.legend", trials=first.trials, epochs=first.epochs)]
    notes = [texts.note(note) for note in plan.notes]
    return [*legend, plan_total(plan, seconds_per_epoch, texts), *notes]


def _columns(rows: list[Row]) -> int:
    return max((len(row) for row in rows), default=0)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
