"""Summaries as text: the best trials, and the search space."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kerashpo.core.history import History
from kerashpo.core.records import Objective, Status
from kerashpo.core.trial import Trial
from kerashpo.display.progress import short_path
from kerashpo.display.snapshot import compared_objectives, compared_values, plain
from kerashpo.display.text import energy_text, limits_text, score_notes, values_text
from kerashpo.i18n.numbers import count
from kerashpo.i18n.texts import Texts
from kerashpo.space.space import Space


def space_text(space: Space, texts: Texts) -> str:
    """Returns a line for each parameter: definition and conditions."""
    head = texts.plural("summary.space", len(space.params))
    size = texts.plural("summary.size", int(min(space.size, 2)), number=count(space.size, texts))
    lines = [f"{head}, {size}"]
    for param in space.params:
        definition = _definition(param.domain.to_json(), texts)
        conditions = texts("summary.and").join(
            texts("summary.condition", name=c.parent, values=list(c.values))
            for c in param.conditions
        )
        where = texts("summary.where", conditions=conditions) if conditions else ""
        lines.append(f"  {param.name}: {definition}{where}")
    return "\n".join(lines)


def _definition(body: dict[str, Any], texts: Texts) -> str:
    """Returns a domain in words: its kind, its bounds or values, its default."""
    # How a log stores values of other types is nothing to tell.
    parts = {name: value for name, value in body.items() if name not in ("kind", "by_index")}
    told = [
        texts(f"domain.{name}")
        if value is True and name == "ordered"
        else _part(name, value, texts)
        for name, value in parts.items()
    ]
    return " ".join((texts(f"domain.{body['kind']}"), ", ".join(told))).rstrip()


def _part(name: str, value: Any, texts: Texts) -> str:
    number = isinstance(value, float)
    shown = str(value).replace(".", texts("number.mark")) if number else str(value)
    return f"{texts(f'domain.{name}')} {shown}"


def results_text(
    history: History, space: Space, ranked: Iterable[int], folder: str, texts: Texts
) -> str:
    """Returns the given trials, the best first: score, epoch and values."""
    goal = compared_objectives(history)
    lines = [
        texts("summary.results", folder=short_path(folder)),
        texts.plural("summary.objective", len(goal), goal=_directions(goal)),
    ]
    lines += [*limits_text(history, texts), *energy_text(history, texts)]
    lines += [texts("display.note", note=note) for note in score_notes(history, texts)]
    if history.stopped == "interrupted":
        lines.append(texts("summary.partial"))
    for one in ranked:
        lines += ["", *_trial(history.trials[one], history, space, texts)]
    return "\n".join(lines)


def search_line(
    parameters: int,
    objectives: Sequence[Objective],
    folder: str,
    history: History | None,
    texts: Texts,
) -> str:
    """Returns one sentence about a search: its space, objectives, folder and results so far."""
    found = texts("summary.unsearched") if history is None else results_line(history, texts)
    return texts(
        "summary.tuner",
        parameters=texts.plural("summary.parameters", parameters),
        goal=_directions(objectives),
        folder=repr(folder),
        found=found,
    )


def results_line(history: History, texts: Texts) -> str:
    """Returns one sentence: trials by status, epochs and the best score."""
    counts = dict.fromkeys(Status, 0)
    for trial in history.trials.values():
        counts[trial.status] += 1
    by_status = ", ".join(
        f"{n} {texts(f'{_section(n)}.{status.value.lower()}')}" for status, n in counts.items() if n
    )
    trials = texts.plural("summary.trials", len(history.trials))
    epochs = texts.plural("summary.epochs", history.epochs)
    line = f"{trials} ({by_status or texts('summary.none')}), {epochs}"
    best = history.best
    if best is not None and history.several:
        knee = values_text(compared_values(best, history), texts)
        front = texts.plural("display.front", len(history.front()))
        line += ", " + texts("summary.knee", front=front, values=knee, trial=best.number)
    elif best is not None and best.score is not None:
        score = number_of(best.score, texts)
        name = history.objective.name
        line += ", " + texts("summary.best", metric=name, score=score, trial=best.number)
    if history.stopped == "interrupted":
        line += "; " + texts("summary.partial")
    return line


def _directions(objectives: Iterable[Objective]) -> str:
    return ", ".join(f"{one.name} ({one.direction})" for one in objectives)


def _section(number: int) -> str:
    return "status" if number == 1 else "statuses"


def number_of(value: float, texts: Texts) -> str:
    """Returns a score with at most six digits."""
    return f"{value:.6g}".replace(".", texts("number.mark"))


def _trial(trial: Trial, history: History, space: Space, texts: Texts) -> list[str]:
    if history.several:
        found = values_text(compared_values(trial, history), texts)
    else:
        score = "-" if trial.score is None else number_of(trial.score, texts)
        found = texts("summary.score", score=score)
    line = texts(
        "summary.trial",
        trial=trial.number,
        values=found,
        epoch=trial.best_epoch,
        status=texts(f"status.{trial.status.value.lower()}"),
    )
    values = plain(space.realise(trial.config))
    return [line, *(f"  {name}: {value}" for name, value in values.items())]
