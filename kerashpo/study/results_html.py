"""HTML representation of results for notebooks: a sentence and a table of the best trials."""

from __future__ import annotations

from html import escape
from typing import Any

from kerashpo.analysis.tables import trial_rows
from kerashpo.core.history import History
from kerashpo.display.summary import number_of, results_line
from kerashpo.display.text import score_notes
from kerashpo.i18n.texts import Texts
from kerashpo.space.space import Space

_MOST = 10


def results_html(history: History, space: Space, texts: Texts) -> str:
    """Returns a sentence and a table of the best trials as HTML without fixed colours.

    Args:
        history: the study.
        space: its space.
        texts: the reader's language.
    """
    import pandas as pd

    lines = [results_line(history, texts), *score_notes(history, texts)]
    ranked = history.ranking()[:_MOST]
    rows = {row["trial"]: row for row in trial_rows(history, space)}
    names = ("trial", "status", "score", "best_epoch", "epochs", "seconds")
    keys = [*names, *(f"param_{name}" for name in space.names)]
    table = ""
    if ranked:
        cells = [[_cell(key, rows[number].get(key), texts) for key in keys] for number in ranked]
        titles = [*(texts(f"column.{name}") for name in names), *space.names]
        table = pd.DataFrame(cells, columns=titles).to_html(index=False, border=0)
    left = len(history.trials) - len(ranked)
    more = [texts("summary.more", shown=len(ranked), left=left)] if left else []
    above, below = ("".join(f"<p>{escape(line)}</p>" for line in part) for part in (lines, more))
    return f"{above}{table}{below}"


def _cell(key: str, value: Any, texts: Texts) -> str:
    if value is None:
        return ""
    if key == "status":
        return texts(f"status.{value.lower()}")
    return number_of(value, texts) if isinstance(value, float) else str(value)
