"""Reads ``warm_start=``: earlier studies, in the terms of a new search space."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerashpo.algorithms.earlier_studies import EarlierStudy
from kerashpo.core.errors import (
    InvalidInput,
    KerashpoError,
    StudyCorrupt,
    StudyNotFound,
    nearest,
)
from kerashpo.core.history import History
from kerashpo.core.objective import several_rank
from kerashpo.core.records import Config, Objective, Status
from kerashpo.experience.earlier_values import Mapped, Trials, Unfit, values_of
from kerashpo.experience.notes import noted
from kerashpo.space.domains import Choice
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.store.open import folder_of, has_log
from kerashpo.study.keras_tuner_project import is_project, read_trials
from kerashpo.study.results import Results
from kerashpo.study.study import Study, near_studies, open_study, studies_below

_EXPECTED = (
    "warm_start must be the Results or the folder of an earlier search, a folder of several, a "
    "mapping {'study': ..., 'rename': ..., 'values': ..., 'drop': ...}, pairs of values and score "
    "(a mapping of scores, for several objectives), "
    "or a list of these. Received: "
)
_KEYS = ("study", "rename", "values", "drop", "objective")


def read_warm_start(
    given: Any, space: Space, objectives: Sequence[Objective], own: Path | None = None
) -> tuple[EarlierStudy, ...]:
    """Returns the sources that ``warm_start=`` names, in the terms of a new search.

    A trial with a value outside the new space is left out. Damaged studies of a folder, and
    those that do not fit, are skipped with a warning that names them.

    Args:
        given: what the user passed, see `docs/algorithms.md`.
        space: the search space.
        objectives: those of the new search.
        own: the folder of the new search, which is no earlier one.

    Raises:
        InvalidInput: for anything else, for a study of another objective, or one whose
            parameters are not those of the new space and are not mapped.
        StudyNotFound: if a folder contains no study.
        StudyCorrupt: if the log of a single study cannot be read.
    """
    ranking = tuple(objectives) if several_rank(objectives) else (objectives[0],)
    return tuple(s for one in _entries(given) for s in _sources(one, space, ranking, own))


def check_warm_start(given: Any) -> Any:
    """Returns what was passed, an iterator as a list; no study is read.

    Raises:
        InvalidInput: for anything that is no earlier study.
    """
    found = list(given) if isinstance(given, Iterator) else given
    _entries(found)
    return found


def _entries(given: Any) -> list[Mapped]:
    """Returns what was passed as a list of studies with their mappings."""
    if given is None or (isinstance(given, (list, tuple)) and not given):
        return []
    if _is_study(given):
        return [_mapped(given)]
    if _is_pair(given):
        return [Mapped([given])]
    try:
        listed = list(given)
    except TypeError:
        raise InvalidInput(f"{_EXPECTED}{given!r}.") from None
    if hasattr(given, "columns"):  # a data frame's items are the names of its columns
        raise InvalidInput(f"{_EXPECTED}a {type(given).__name__}.")
    if all(_is_pair(one) for one in listed):
        return [Mapped(listed)]
    return [one for part in listed for one in _part(part, given)]


def _part(part: Any, given: Any) -> list[Mapped]:
    pairs = isinstance(part, (list, tuple)) and len(part) > 0 and all(map(_is_pair, part))
    if not (_is_study(part) or pairs):
        raise InvalidInput(f"{_EXPECTED}{given!r}.")
    return [_mapped(part)]


def _is_study(given: Any) -> bool:
    return isinstance(given, (str, Path, Results, Study, History, Mapping))


def _is_pair(given: Any) -> bool:
    if not (isinstance(given, (list, tuple)) and len(given) == 2):
        return False
    return isinstance(given[0], Mapping) and (_is_number(given[1]) or _is_scores(given[1]))


def _is_scores(given: Any) -> bool:
    return isinstance(given, Mapping) and len(given) > 0 and all(map(_is_number, given.values()))


def _is_number(given: Any) -> bool:
    return isinstance(given, (int, float, np.integer, np.floating))


def _mapped(given: Any) -> Mapped:
    if not isinstance(given, Mapping):
        return Mapped(given)
    unknown = [name for name in given if name not in _KEYS]
    if unknown or "study" not in given:
        raise InvalidInput(f"{_EXPECTED}{dict(given)!r}.")
    found = Mapped(**given)
    if not (isinstance(found.rename, Mapping) and isinstance(found.values, Mapping)):
        raise InvalidInput(f"{_EXPECTED}{dict(given)!r}.")
    drop = (found.drop,) if isinstance(found.drop, str) else found.drop
    if not isinstance(drop, (list, tuple, set, frozenset)):
        raise InvalidInput(f"{_EXPECTED}{dict(given)!r}.")
    return Mapped(found.study, found.rename, found.values, tuple(drop), found.objective)


def _sources(
    entry: Mapped, space: Space, objectives: Sequence[Objective], own: Path | None
) -> Iterator[EarlierStudy]:
    """Yields the sources of one entry: one, or those of the studies in a folder."""
    folder = entry.study if isinstance(entry.study, (str, Path)) else None
    if folder is None or has_log(folder_of(folder)) or is_project(Path(folder)):
        try:
            trials = _read(entry.study)
            _require_known([trials], entry, space)
            yield _source(trials, entry, space, objectives)
        except Unfit as error:
            raise InvalidInput(str(error)) from None
        return
    below = [path for path in studies_below(folder) if own is None or not _same(path, own)]
    if not below:
        raise StudyNotFound(
            f"warm_start: there is no study in {str(folder)!r}.{near_studies(folder_of(folder))}"
        )
    found, read = 0, []
    for path in below:
        try:
            trials = _read(path)
            read.append(trials)
            yield _source(trials, entry, space, objectives)
            found += 1
        except (StudyCorrupt, StudyNotFound, Unfit) as error:
            warnings.warn(f"warm_start skips {str(path)!r}: {error}", stacklevel=5)
    if read:  # a name may be that of some of the studies only
        _require_known(read, entry, space)
    if not found:
        raise InvalidInput(f"warm_start: no study in {str(folder)!r} can be used.")


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _read(study: Any) -> Trials:
    """Reads the finished trials of a study, or of a project of KerasTuner's."""
    name, folder = type(study).__name__, study if isinstance(study, (str, Path)) else None
    if isinstance(study, (str, Path)):
        if not has_log(folder_of(study)) and is_project(Path(study)):
            return Trials(str(study), read_trials(Path(study)))
        study = open_study(study)
    if isinstance(study, (Results, Study)):
        folder = getattr(study, "folder", None)
        study = study.history if isinstance(study, Results) else study.results.history
    if not isinstance(study, History):
        return Trials("pairs", list(study))
    ended = [t for t in study.trials.values() if t.status is Status.COMPLETED and t.feasible]
    named = study.objective.name
    pairs = [
        (t.config, t.values if study.several else {**t.values, named: t.score})
        for t in ended
        if t.score is not None and study.scored(t.number)
    ]
    features = None if folder is None else _features(folder)
    where = name if folder is None else str(folder)
    return Trials(where, pairs, Space.from_json(study.space), study.objectives, features)


def _features(folder: str | Path) -> dict[str, float] | None:
    """Returns the noted features of a study's data; a damaged note costs no study."""
    try:
        return noted(folder)
    except InvalidInput as error:
        warnings.warn(f"warm_start uses {str(folder)!r} without features: {error}", stacklevel=6)
        return None


def _source(
    trials: Trials, entry: Mapped, space: Space, objectives: Sequence[Objective]
) -> EarlierStudy:
    columns = values_of(trials, entry, objectives)
    configs = [_translated(config, trials.space, entry, space) for config, _ in trials.pairs]
    _require_names(trials, configs, entry, space)
    rows = [(_kept(config, space), values) for config, values in zip(configs, columns)]
    pairs = tuple((c, values) for c, values in rows if c is not None and values is not None)
    if not pairs:
        raise Unfit(
            f"{trials.name} has no finished trial with a finite score whose values lie in the "
            "new space "
            f"({len(trials.pairs)} finished trials)."
        )
    return EarlierStudy(pairs, trials.name, trials.features)


def _require_known(studies: Sequence[Trials], entry: Mapped, space: Space) -> None:
    """Raises InvalidInput for names in a mapping that no study, or not the new space, has."""
    earlier = {name for trials in studies for config, _ in trials.pairs for name in config}
    earlier |= {name for trials in studies if trials.space for name in trials.space.names}
    for argument, names, known, where in (
        ("rename", entry.rename, earlier, "the earlier study"),
        ("drop", entry.drop, earlier, "the earlier study"),
        ("rename", entry.rename.values(), space.names, "the new space"),
        ("values", entry.values, space.names, "the new space"),
    ):
        for name in names:
            if known and name not in known:
                raise InvalidInput(
                    f"warm_start: {argument} names {name!r}, which is no parameter of {where}."
                    f"{nearest(str(name), sorted(map(str, known)))} It has: "
                    f"{', '.join(map(repr, sorted(map(str, known))))}."
                )


def _translated(
    config: Mapping[str, Any], earlier: Space | None, entry: Mapped, space: Space
) -> dict[str, Any]:
    """Returns a configuration under its new names, with the declared values."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if name in entry.drop:
            continue
        new = entry.rename.get(name, name)
        if new in found:
            raise Unfit(
                f"Two parameters of the earlier study would be {new!r}: say with 'rename' or "
                f"'drop' what becomes of one. Received: rename={dict(entry.rename)!r}."
            )
        found[new] = _same_choice(name, new, value, earlier, space)
    return {**entry.values, **found}


def _same_choice(name: str, new: str, value: Any, earlier: Space | None, space: Space) -> Any:
    """Returns a value; the index of a choice of objects becomes that of the same label."""
    ours = _objects(space, new)
    theirs = None if earlier is None else _objects(earlier, name)
    if ours is None or theirs is None or not isinstance(value, int):
        return value
    labels, others = ours.to_json()["values"], theirs.to_json()["values"]
    return labels.index(others[value]) if others[value] in labels else _OUTSIDE


_OUTSIDE = object()
"""A value that the new space does not have."""


def _objects(space: Space, name: str) -> Choice | None:
    found = (p.domain for p in space.params if p.name == name)
    return next((d for d in found if isinstance(d, Choice) and not d.scalar), None)


def _require_names(
    trials: Trials, configs: Sequence[Mapping[str, Any]], entry: Mapped, space: Space
) -> None:
    """Raises InvalidInput for parameters that only one of the two spaces has."""
    given = {name for config in configs for name in config}
    if trials.space is None:
        # Which parameters it had is only known from its configurations, of some conditions alone.
        needed = {p.name for config in configs for p in space.active(config)}
    else:
        given |= {entry.rename.get(n, n) for n in trials.space.names if n not in entry.drop}
        needed = set(space.names)
    needed -= {p.name for p in space.params if p.domain.levels == 1}
    foreign, missing = sorted(given - set(space.names)), sorted(needed - given)
    if (foreign or missing) and trials.pairs:
        what = [f"it also has {', '.join(map(repr, foreign))}"] * bool(foreign)
        what += [f"it has no {', '.join(map(repr, missing))}"] * bool(missing)
        raise Unfit(
            f"{trials.name} has another space: {'; '.join(what)}. Nothing is guessed: say which "
            "names mean the same, which values the earlier trials had, or what to leave out: "
            "{'study': ..., 'rename': {'old': 'new'}, 'values': {'new': value}, 'drop': ['old']}."
        )


def _kept(config: Mapping[str, Any], space: Space) -> Config | None:
    """Returns the configuration of the new space, None if one of its values lies outside."""
    found: dict[str, Any] = {}
    for param in space.params:
        if param.active(found):
            value = config.get(param.name, _default(param))
            if value is _OUTSIDE:
                return None
            found[param.name] = value
    try:
        return space.complete(found)
    except KerashpoError:
        return None


def _default(param: Param) -> Any:
    """Returns the value of a parameter that is not tuned; a tuned one cannot be guessed."""
    return param.domain.default if param.domain.levels == 1 else _OUTSIDE
