"""A plan to read: text, a rich table for the terminal, HTML for notebooks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, final

from kerashpo.core.records import Plan

if TYPE_CHECKING:
    from rich.table import Table

Row = tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class ShownPlan(Plan):
    """A plan that prints itself, in a terminal and in a notebook.

    Attributes:
        seconds_per_epoch: mean training time of the epochs seen; None before the first.
    """

    seconds_per_epoch: float | None = None

    @classmethod
    def of(cls, plan: Plan, seconds_per_epoch: float | None = None) -> ShownPlan:
        """Returns the plan with how long an epoch takes."""
        fields = {f.name: getattr(plan, f.name) for f in dataclasses.fields(Plan)}
        return cls(**fields, seconds_per_epoch=seconds_per_epoch)

    def __str__(self) -> str:
        return plan_text(self, self.seconds_per_epoch)

    def _repr_html_(self) -> str:
        return plan_html(self, self.seconds_per_epoch)


def plan_rows(plan: Plan) -> list[Row]:
    """Returns a row for each bracket: its number, then ``trials x epochs`` of each rung."""
    return [
        (str(number), *(f"{rung.trials} x {rung.epochs}" for rung in bracket))
        for number, bracket in enumerate(plan.brackets, start=1)
    ]


def plan_header(plan: Plan) -> Row:
    """Returns the titles of `plan_rows`."""
    widest = max((len(bracket) for bracket in plan.brackets), default=0)
    return ("bracket", *(f"rung {number}" for number in range(1, widest + 1)))


def plan_total(plan: Plan, seconds_per_epoch: float | None = None) -> str:
    """Returns trials, epochs and, once an epoch was seen, the time that they take.

    Args:
        plan: the plan.
        seconds_per_epoch: mean training time of the epochs seen; None before the first.
    """
    trials = "trials not bounded" if plan.trials is None else f"{plan.trials} trials"
    if plan.epochs is None:
        return f"{trials}, epochs not known yet"
    told = f"{trials}, at most {plan.epochs} epochs"
    if seconds_per_epoch is None:
        return told
    return f"{told}, about {_duration(plan.epochs * seconds_per_epoch)} on one worker"


def plan_text(plan: Plan, seconds_per_epoch: float | None = None) -> str:
    """Returns the plan as lines of plain text."""
    rows = [plan_header(plan), *plan_rows(plan)] if plan.brackets else []
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(_columns(rows))]
    lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths)) for row in rows]
    return "\n".join([*lines, plan_total(plan, seconds_per_epoch), *plan.notes])


def plan_table(plan: Plan, seconds_per_epoch: float | None = None) -> Table:
    """Returns the plan as a rich table."""
    from rich.table import Table

    caption = "\n".join([plan_total(plan, seconds_per_epoch), *plan.notes])
    table = Table(title="plan: trials x epochs", caption=caption)
    for title in plan_header(plan):
        table.add_column(title, justify="right")
    for row in plan_rows(plan):
        table.add_row(*row)
    return table


def plan_html(plan: Plan, seconds_per_epoch: float | None = None) -> str:
    """Returns the plan as an HTML table that takes its colours from the notebook."""
    head = "".join(f"<th>{escape(title)}</th>" for title in plan_header(plan))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in plan_rows(plan)
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in plan.notes)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    total = escape(plan_total(plan, seconds_per_epoch))
    return f"{table if plan.brackets else ''}<p>{total}</p>{notes}"


def _columns(rows: list[Row]) -> int:
    return max((len(row) for row in rows), default=0)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
