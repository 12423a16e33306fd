"""Results as a notebook shows them."""

from __future__ import annotations

from html import escape
from typing import Any

from kerashpo.analysis.tables import trial_rows
from kerashpo.core.history import History
from kerashpo.space.space import Space

_MOST = 10


def results_html(summary: str, history: History, space: Space) -> str:
    """Returns a sentence and a table of the best trials, without colours of its own.

    Args:
        summary: the sentence.
        history: the study.
        space: its space.
    """
    ranked = sorted(history.rank(number) for number in history.trials)[:_MOST]
    rows = {row["trial"]: row for row in trial_rows(history, space)}
    shown = [rows[number] for _, _, number in ranked]
    params = [f"param_{name}" for name in space.names]
    columns = ["trial", "status", "score", "best_epoch", "epochs", "seconds", *params]
    head = "".join(f"<th>{escape(name.removeprefix('param_'))}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(row.get(name))}</td>' for name in columns)}</tr>"
        for row in shown
    )
    left = len(history.trials) - len(shown)
    more = f"<p>The {len(shown)} best; {left} more in results.trials().</p>" if left else ""
    if not shown:
        return f"<p>{escape(summary)}</p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p>{escape(summary)}</p>{table}{more}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return escape(f"{value:.6g}" if isinstance(value, float) else str(value))
