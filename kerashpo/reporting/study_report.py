"""The report of one study: its blocks, and the file."""

from __future__ import annotations

import pprint
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerashpo.analysis.expected_score import expected_score
from kerashpo.analysis.intervals import ScoreInterval, score_interval, trials_within
from kerashpo.analysis.tables import failure_rows, objective_columns, trial_rows
from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import LAYERS, MODEL, History
from kerashpo.core.trial import Trial
from kerashpo.display.progress import fleet_text
from kerashpo.display.snapshot import compared_values
from kerashpo.display.text import energy_text, limits_text, score_notes, values_text
from kerashpo.i18n.numbers import duration, moment, shown
from kerashpo.i18n.texts import Texts
from kerashpo.reporting.blocks import Block, Code, Folded, Heading, Items, Paragraph, Table
from kerashpo.reporting.final_round_section import final_round
from kerashpo.reporting.html import to_html
from kerashpo.reporting.markdown import to_markdown
from kerashpo.reporting.study_figures import ReportFigures
from kerashpo.space.space import Space

_FIRST = 10
_MOST = 150
_MOST_FAILURES = 30
_LOSSES = 5
_TERMS = (
    "trial", "epoch", "score", "best", "status", "rung", "interval", "importance", "expected",
    "front",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """The study of a report.

    Attributes:
        history: the study.
        space: its space.
        folder: its folder, None for one in memory.
        name: its name.
    """

    history: History
    space: Space
    folder: str | None
    name: str


def study_blocks(subject: Subject, texts: Texts, pictures: bool = True) -> list[Block]:
    """Returns the report of a study.

    Args:
        subject: the study.
        texts: the reader's language.
        pictures: whether to draw the figures.
    """
    title = Heading(texts("study.title", name=subject.name), 1)
    blocks: list[Block] = [title, *_verdict(subject, texts)]
    if not subject.history.trials:
        return [*blocks, *_provenance(subject, texts)]
    blocks += _best(subject, texts)
    blocks += final_round(subject.history, subject.space, texts)
    drawn = ReportFigures(subject.history, subject.space, texts).sections() if pictures else ()
    for section, figures in drawn:
        blocks.append(Heading(texts(f"study.{section}")))
        blocks.append(Paragraph(texts(f"study.{section}_text")))
        blocks += figures
    blocks += _trials(subject, texts)
    blocks += _failures(subject, texts)
    blocks += _provenance(subject, texts)
    blocks.append(Heading(texts("study.glossary")))
    blocks.append(Items(tuple(texts(f"term.{name}") for name in _TERMS)))
    return blocks


def _verdict(subject: Subject, texts: Texts) -> list[Block]:
    history = subject.history
    best, metric = history.best, history.objective.name
    if best is None:
        key = "study.no_verdict_limits" if history.limits else "study.no_verdict"
        text = texts(key, metric=metric, trials=len(history.trials))
    else:
        values = values_text(compared_values(best, history), texts)
        text = texts(
            "study.verdict_front" if history.several else "study.verdict",
            metric=metric,
            score=shown(best.score, texts),
            front=texts.plural("display.front", len(history.front())),
            values=values,
            trial=best.number,
            epoch=best.best_epoch,
            trials=len(history.trials),
            spent=duration(history.now, texts),
        )
    state = texts("study.ended", reason=texts.reason(history.stopped)) if history.stopped else ""
    blocks: list[Block] = [Paragraph(text, strong=True)]
    blocks.append(Paragraph(state or texts("study.going_on")))
    facts = [*limits_text(history, texts), *energy_text(history, texts), *_cluster(history, texts)]
    if facts:
        blocks.append(Items(tuple(facts)))
    return blocks


def _cluster(history: History, texts: Texts) -> list[str]:
    """Returns the machines of the last session, and the trials that lost a worker."""
    found = []
    if history.fleet is not None:
        found.append(texts("study.cluster", machines=fleet_text(history.fleet, texts)))
    lost = {n: trial.facts.get("worker_lost") for n, trial in history.trials.items()}
    for why, count in Counter(str(why) for why in lost.values() if why).most_common(_LOSSES):
        found.append(texts.plural("study.lost_worker", count, why=why))
    return found


def _best(subject: Subject, texts: Texts) -> list[Block]:
    history, best = subject.history, subject.history.best
    if best is None:
        return []
    values = subject.space.realise(best.config)
    rows = tuple((name, _cell(value, texts)) for name, value in values.items())
    blocks: list[Block] = [
        Heading(texts("study.best")),
        Table((texts("study.parameter"), texts("study.value")), rows),
        Paragraph(_interval(score_interval(history, best), history, best, texts)),
        *_caution(history, texts),
        Paragraph(texts(_how(subject))),
        Code(_code(subject, values)),
    ]
    return blocks


def _caution(history: History, texts: Texts) -> list[Block]:
    """Returns what to know of the score: what to expect on new data, and saturation."""
    notes = score_notes(history, texts)
    if expected_score(history) is None:
        notes.append(texts("study.optimism", trials=len(history.trials)))
    return [Paragraph(note) for note in notes]


def _interval(bounds: ScoreInterval | None, history: History, best: Trial, texts: Texts) -> str:
    if bounds is None:
        return texts("study.interval_none")
    sentence = texts(
        f"study.interval_{bounds.source}",
        metric=history.objective.name,
        low=shown(bounds.low, texts),
        high=shown(bounds.high, texts),
        n=bounds.n,
    )
    count = trials_within(history, bounds, best)
    return f"{sentence} {texts('study.within' if count else 'study.within_none', count=count)}"


def _how(subject: Subject) -> str:
    """Returns the key of the sentence before the code, which differs for `optimize`."""
    if subject.folder is None:
        return "study.code_values"
    return "study.code" if "tuner" in subject.history.settings else "study.code_folder"


def _code(subject: Subject, values: Mapping[str, Any]) -> str:
    if subject.folder is None:
        return f"values = {pprint.pformat(dict(values), sort_dicts=False)}"
    lines = [
        "import kerashpo as kt",
        "",
        f"study = kt.open_study({subject.folder!r})",
        "values = study.results.best.config",
    ]
    if "tuner" in subject.history.settings:
        lines += _model_code(subject.folder, str(subject.history.settings["tuner"]))
    return "\n".join(lines)


def _model_code(folder: str, tuner: str) -> list[str]:
    """Returns code that loads the model, commented out: it needs the user's `build_model`."""
    place = f"directory={str(Path(folder).parent)!r}, project_name={Path(folder).name!r}"
    return [
        f"# tuner = {tuner}(build_model, ..., {place})",
        "# model = tuner.results.best_model()",
    ]


def _trials(subject: Subject, texts: Texts) -> list[Block]:
    history, space = subject.history, subject.space
    ranked = history.ranking()[:_MOST]
    known = {row["trial"]: row for row in trial_rows(history, space)}
    # Each of several objectives, and each part of a weighted sum, has a column of its own.
    first = ("trial", "status", *(() if history.several else ("score",)))
    last = ("best_epoch", "epochs", "seconds")
    parts = objective_columns(history)
    columns = (
        *(texts(f"column.{name}") for name in first),
        *parts,
        *(texts(f"column.{name}") for name in last),
        *space.names,
    )
    keys = (*first, *parts.values(), *last, *(f"param_{name}" for name in space.names))
    rows = [
        tuple(_trial_cell(key, known[number].get(key), texts) for key in keys) for number in ranked
    ]
    blocks: list[Block] = [
        Heading(texts("study.trials")),
        Paragraph(texts("study.trials_text")),
        Table(columns, tuple(rows[:_FIRST])),
    ]
    if len(rows) > _FIRST:
        key = "study.all_trials" if len(rows) == len(known) else "study.some_trials"
        summary = texts(key, count=len(rows), left=len(known) - len(rows))
        blocks.append(Folded(summary, (Table(columns, tuple(rows)),)))
    return blocks


def _trial_cell(key: str, value: Any, texts: Texts) -> str:
    if key == "status":
        return texts(f"status.{value.lower()}")
    return shown(value, texts, 3) if key == "seconds" else _cell(value, texts)


def _cell(value: Any, texts: Texts) -> str:
    if value is None:
        return "-"
    return shown(value, texts) if isinstance(value, float) else str(value)


def _failures(subject: Subject, texts: Texts) -> list[Block]:
    history = subject.history
    rows = failure_rows(history, subject.space)
    blocks: list[Block] = [Heading(texts("study.failures"))]
    if not rows:
        return [*blocks, Paragraph(texts("study.no_failures"))]
    blocks.append(
        Paragraph(texts("study.failures_text", count=len(rows), trials=len(history.trials)))
    )
    for row in rows[:_MOST_FAILURES]:
        line = texts("study.failure", trial=row["trial"], kind=row["kind"], message=row["message"])
        inner = [Code(row[part]) for part in ("traceback", "output") if row[part]]
        blocks.append(Folded(line, tuple(inner)) if inner else Paragraph(line))
    if len(rows) > _MOST_FAILURES:
        blocks.append(Paragraph(texts("study.more_failures", count=len(rows) - _MOST_FAILURES)))
    return blocks


def _provenance(subject: Subject, texts: Texts) -> list[Block]:
    history = subject.history
    facts = {
        "objective": ", ".join(f"{o.name} ({o.direction})" for o in history.objectives),
        "seed": str(history.seed),
        "trials": str(len(history.trials)),
        "epochs": str(history.epochs),
        "searched": duration(history.now, texts),
        "sessions": "; ".join(moment(wall) for _, wall in history.sessions if wall),
        "command": _command(history.command),
    }
    rows = [(texts(f"column.{key}"), value) for key, value in facts.items() if value]
    settings = {k: v for k, v in history.settings.items() if v is not None}
    if MODEL in settings:  # its layers fill pages
        settings[MODEL] = {k: v for k, v in settings[MODEL].items() if k != LAYERS}
    environment = {**settings, **history.environment}
    rows += [(texts.name(name), texts.note(str(value))) for name, value in environment.items()]
    table = Table((texts("study.what"), texts("study.value")), tuple(rows))
    return [Heading(texts("study.provenance")), table]


def _command(body: Mapping[str, Any]) -> str:
    """Returns how the last session was started, see `kerashpo.study.rerun`."""
    if not body:
        return ""
    before = {"module": ["python", "-m"], "script": ["python"]}.get(body["kind"])
    if before is None:
        return str(body["kind"])
    return shlex.join([*before, body["target"], *body["arguments"]])


ENDINGS = (".html", ".htm", ".md")


def write_report(
    path: Path, history: History, space: Space, folder: str | None, name: str, lang: str
) -> Path:
    """Writes the report; returns its path.

    Args:
        path: ends in ``.html``, or ``.md`` for Markdown without figures.
        history: the study.
        space: its space.
        folder: the study's folder, None for one in memory.
        name: the study's name.
        lang: the language of the texts.

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
