"""A `View` as text in the reader's language: no drawing here."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerashpo.analysis.expected_score import ExpectedScore, expected_score
from kerashpo.analysis.saturation import Saturation, judged_on_folds, saturation
from kerashpo.core.events import Event, Noted
from kerashpo.core.history import History
from kerashpo.core.limits import Limit
from kerashpo.display.snapshot import Running, View
from kerashpo.i18n.numbers import count, file_size
from kerashpo.i18n.texts import Texts

GAP = "   "
"""Between the parts of a line."""


def clock(seconds: float) -> str:
    """Returns seconds as m:ss or h:mm:ss."""
    whole = 0 if math.isnan(seconds) else round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{last:02d}" if hours else f"{minutes}:{last:02d}"


def number(value: float, texts: Texts) -> str:
    """Returns a score as text: four decimals, or four digits where those say nothing."""
    plain = 1e-3 <= abs(value) < 1e5 or value == 0
    text = f"{value:.4f}" if plain else f"{value:.4g}"
    return text.replace(".", texts("number.mark"))


def heading(view: View, texts: Texts) -> list[str]:
    """Returns tuner, study, objective, seed and workers."""
    goal = ", ".join(f"{name} {direction}" for name, direction in view.objectives)
    study = [] if view.folder is None else [Path(view.folder).name]
    workers = texts.plural("display.workers", view.workers)
    return [
        view.title,
        *study,
        goal,
        texts("display.seed", seed=view.seed),
        workers,
    ]


def trials(view: View, texts: Texts) -> str:
    """Returns how many trials were started, of how many."""
    return texts("display.trials", progress=_of(view.trials))


def epochs(view: View, texts: Texts) -> str:
    """Returns how many epochs were trained, of how many."""
    return texts("display.epochs", progress=_of(view.epochs))


def times(view: View, texts: Texts) -> str:
    """Returns the time so far and, while the search is running, the time left."""
    elapsed = texts("display.elapsed", time=clock(view.elapsed))
    if view.ended is not None:
        return elapsed
    left = "?" if view.left is None else clock(view.left)
    return f"{elapsed}{GAP}{texts('display.left', time=left)}"


def progress(view: View, texts: Texts) -> str:
    """Returns epochs and times; where each trial is one epoch long, the times alone."""
    if single_epochs(view):
        return times(view, texts)
    return f"{epochs(view, texts)}{GAP}{times(view, texts)}"


def single_epochs(view: View) -> bool:
    """Returns whether each trial is one epoch long, as in a searched function."""
    planned = view.epochs[1]
    return planned is not None and planned == view.trials[1]


def best(view: View, texts: Texts) -> str:
    """Returns the incumbent; with several objectives the Pareto front's size and its knee."""
    incumbent = view.best
    if incumbent is None:
        return texts("display.no_best")
    found = values_text(incumbent.values, texts)
    if incumbent.front is None:
        score = texts("display.best", values=found)
    else:
        front = texts.plural("display.front", incumbent.front)
        score = f"{front}{GAP}{texts('display.knee', values=found)}"
    place = "display.whole" if single_epochs(view) else "display.place"
    return f"{score}{GAP}{texts(place, trial=incumbent.trial, epoch=incumbent.epoch)}"


def values_text(values: Mapping[str, float], texts: Texts) -> str:
    """Returns metrics and their values: ``val_accuracy 0.9000, size 531``."""
    return ", ".join(f"{name} {metric(value, texts)}" for name, value in values.items())


def metric(value: float, texts: Texts) -> str:
    """Returns a value of one of several objectives: whole numbers without decimals."""
    whole = float(value).is_integer() and 1 < abs(value) < 1e15
    return f"{value:.0f}" if whole else number(value, texts)


def counts(view: View, texts: Texts) -> list[str]:
    """Returns rungs, stopped and failed trials, and the folder's size, if there are any."""
    parts = []
    if view.rungs:
        reached = " ".join(f"{epoch}:{number}" for epoch, number in view.rungs)
        parts.append(texts("display.rungs", reached=reached))
    if view.stopped:
        parts.append(texts("display.stopped", count=view.stopped))
    if view.failed:
        parts.append(texts("display.failed", count=view.failed))
    if view.fleet is not None:
        parts.append(view.fleet)
    if view.disk is not None:
        parts.append(texts("display.disk", size=file_size(view.disk, texts)))
    return parts


def values(config: dict[str, Any]) -> str:
    """Returns a trial's values in a few characters each."""
    return "  ".join(f"{name}={value}" for name, value in config.items())


def training(running: Running, texts: Texts) -> str:
    """Returns which trial trains, how far it is and its last value."""
    value = "" if running.value is None else f"  {number(running.value, texts)}"
    place = texts("display.training", trial=running.trial, epoch=f"{running.epoch}/{running.until}")
    node = f"  {running.node}" if running.node else ""
    return f"{place}{node}{value}"


def ending(view: View, texts: Texts) -> str:
    """Returns why the search ended; if it was interrupted, also how to resume it."""
    if view.ended != "interrupted":
        return texts.reason(view.ended or "")
    done = trials(view, texts)
    if not single_epochs(view):
        done = f"{done}, {epochs(view, texts)}"
    sentence = texts("display.interrupted", progress=done)
    if not view.command or view.folder is None:
        return texts("display.go_on", interrupted=sentence)
    command = f"kerashpo resume {shlex.quote(view.folder)}"
    return texts("display.go_on_or", interrupted=sentence, command=command)


def note(event: Event, texts: Texts) -> str:
    """Returns the message for a noted fact that concerns the user, else an empty string."""
    match event:
        case Noted(_, {"workers_reason": str(reason)}):
            return texts.note(reason)
        case Noted(trial, {"worker_lost": str(how)}):
            return texts("display.worker_lost", trial=trial, how=texts.note(how))
    return ""


def saturation_text(found: Saturation, metric: str, texts: Texts, folds: bool = False) -> str:
    """Returns in one sentence why the best trials cannot be distinguished, and what to do.

    Args:
        found: the saturation of a study whose best trials cannot be distinguished.
        metric: the objective's name.
        texts: the reader's language.
        folds: whether the search cross-validates already.
    """
    mark = texts("number.mark")
    sentence = texts(
        "saturation.tied" if found.tied > 1 else "saturation.close",
        count=found.tied if found.tied > 1 else found.close,
        trials=found.trials,
        metric=metric,
        best=number(found.best, texts),
        rows=count(found.rows, texts),
        points=f"{100 * found.detectable:.1f}".replace(".", mark),
        needed=count(_rounded(found.needed), texts),
    )
    return f"{sentence} {texts('saturation.advice_folds' if folds else 'saturation.advice')}"


def expected_text(expected: ExpectedScore, metric: str, texts: Texts) -> str:
    """Returns in one sentence what to expect on new data, and why the score shown is too high.

    Args:
        expected: the expected score of the best trial, or of a final round.
        metric: the objective's name.
        texts: the reader's language.
    """
    basis = "trials" if expected.trials > 1 else "trial"
    return texts(
        f"expected.{'folds' if expected.folds else basis}",
        metric=metric,
        value=number(expected.value, texts),
        low=number(expected.low, texts),
        high=number(expected.high, texts),
        best=number(expected.shown, texts),
        trials=expected.trials,
        rows=count(expected.rows, texts),
        folds=expected.folds,
    )


def score_notes(history: History, texts: Texts) -> list[str]:
    """Returns what to know of the best score: what to expect on new data, and saturation."""
    expected = expected_score(history)
    notes = [] if expected is None else [expected_text(expected, history.objective.name, texts)]
    tied = saturation_note(history, saturation(history), texts)
    return [*notes, tied] if tied else notes


def view_notes(view: View, texts: Texts) -> list[str]:
    """Returns the `score_notes` of a search that has ended."""
    name, notes = view.objectives[0][0], []
    if view.expected is not None:
        notes.append(expected_text(view.expected, name, texts))
    if view.saturation is not None and view.saturation.saturated:
        notes.append(saturation_text(view.saturation, name, texts, view.folds))
    return notes


def saturation_note(history: History, found: Saturation | None, texts: Texts) -> str:
    """Returns `saturation_text` of a study, empty where its trials can be distinguished."""
    if found is None or not found.saturated:
        return ""
    folds = judged_on_folds(history)
    return saturation_text(found, history.objective.name, texts, folds)


def farewell(view: View, texts: Texts) -> list[str]:
    """Returns the final lines: the best values, why the search ended, report and study."""
    lines = [best(view, texts)]
    if view.best is not None:
        lines.append(f"{texts('display.values')} {view.best.config}")
    lines += [texts("display.note", note=note) for note in view_notes(view, texts)]
    end = ending(view, texts)
    lines.append(end if view.ended == "interrupted" else texts("display.ended", reason=end))
    if view.best is not None:
        lines += report(view, texts)
    if view.folder is not None:
        opened = f"kerashpo.open_study({view.folder!r})"
        lines.append(f"{texts('display.study')} {view.folder}{GAP}({opened})")
    return lines


def report(view: View, texts: Texts) -> list[str]:
    """Returns a line with the call and the command that write the report, none without either."""
    command = "" if view.folder is None else f"kerashpo report {shlex.quote(view.folder)}"
    first, second = (view.report, command) if view.report else (command, "")
    if not first:
        return []
    other = texts("display.or", command=second) if second else ""
    return [f"{texts('display.report')} {first}{other}"]


def flow(parts: Iterable[str], width: int) -> list[str]:
    """Wraps parts into lines of at most `width` characters; a part is never split."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(GAP) + len(part) <= width:
            lines[-1] += GAP + part
        else:
            lines.append(part)
    return lines


def _rounded(rows: int) -> int:
    """Rounds a number of rows to two significant digits, its precision."""
    return int(float(f"{rows:.2g}"))


def _of(pair: tuple[int, int | None]) -> str:
    done, planned = pair
    return f"{done}/{'...' if planned is None else planned}"


def limit_notes(limits: Iterable[Limit]) -> tuple[str, ...]:
    """Returns a note in English for each limit; `Texts.note` translates it."""
    return tuple(f"Limit: {one}" for one in limits)


def limits_text(history: History, texts: Texts) -> list[str]:
    """Returns a line for each limit, and one that says how many trials exceed a limit."""
    if not history.limits:
        return []
    beyond = sum(not trial.feasible for trial in history.trials.values())
    lines = [texts.note(note) for note in limit_notes(history.limits)]
    return [*lines, texts("summary.infeasible", count=beyond, trials=len(history.trials))]


def energy_text(history: History, texts: Texts) -> list[str]:
    """Returns lines with the energy and CO2 of all training and how they are known, if they are.

    One line is about the predictions of the best trial's model.
    """
    sources = [trial.facts.get("energy_source") for trial in history.trials.values()]
    known = list(dict.fromkeys(str(source) for source in sources if source))
    joined = "; ".join(texts.note(source) for source in known)
    found = {name: (history.total(name), joined) for name in ("energy", "co2") if known}
    facts = {} if history.best is None else history.best.facts
    if "prediction_energy" in facts:
        source = texts.note(str(facts["prediction_energy_source"]))
        found["prediction_energy"] = (float(facts["prediction_energy"] or 0.0), source)
    return [
        texts(
            f"summary.{name}",
            amount=f"{amount:.3g}".replace(".", texts("number.mark")),
            source=source,
        )
        for name, (amount, source) in found.items()
        if amount > 0.0
    ]
