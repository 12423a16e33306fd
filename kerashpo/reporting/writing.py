"""Writes a study's report to a file."""

from __future__ import annotations

from pathlib import Path

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.reporting.language import Texts
from kerashpo.reporting.markdown import to_markdown
from kerashpo.reporting.page import to_html
from kerashpo.reporting.study import Subject, study_blocks
from kerashpo.space.space import Space

ENDINGS = (".html", ".htm", ".md")


def write_report(
    path: Path, history: History, space: Space, folder: str | None, name: str, lang: str
) -> Path:
    """Writes the report; returns its path.

    Args:
        path: ends in ``.html``, or ``.md`` for Markdown without figures.
        history: the study.
        space: its space.
        folder: where the study lives, None for one in memory.
        name: what the study is called.
        lang: of the texts.

    Raises:
        InvalidInput: for an unknown language or ending, or where nothing can be written.
    """
    texts = Texts(lang)
    if path.suffix.lower() not in ENDINGS:
        raise InvalidInput(
            f"A report is a file that ends in {', '.join(ENDINGS)}. Received: {str(path)!r}."
        )
    markdown = path.suffix.lower() == ".md"
    blocks = study_blocks(Subject(history, space, folder, name), texts, pictures=not markdown)
    text = to_markdown(blocks) if markdown else to_html(blocks, lang)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise InvalidInput(
            f"The report cannot be written to {str(path)!r}: {error.strerror}. Choose another path."
        ) from error
    return path
