"""A live mirror of studies as a storage of Optuna's, which optuna-dashboard reads.

Nothing is written: each request first reads the events that the searches have appended to their
logs since. So a search is neither disturbed nor needed, and a trial that is promoted, or resumed
after it was stopped, shows what it is now, which a finished trial of Optuna's own storages cannot.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, final

import optuna
from optuna.study._frozen import FrozenStudy

from kerashpo.core.errors import InvalidInput, KerashpoError, StudyNotFound
from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.export.optuna import frozen_trial, study_facts, translate
from kerashpo.space.space import Space
from kerashpo.store.open import folder_of, has_log, log_path, new_events
from kerashpo.study.study import studies_below

_FAR = 10**8
"""Trials of one study have ids from its own id times this number on."""
_NAMES = "study:metric_names"
"""Under this name Optuna keeps what the objectives are called."""


@dataclass(slots=True)
class _Mirrored:
    """A study as far as its log was read."""

    folder: Path
    history: History = field(default_factory=History)
    offset: int = 0
    file: int = -1
    made: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def refresh(self) -> None:
        """Reads the events that were appended since; a log that was replaced from its start."""
        try:
            found = log_path(self.folder).stat()
            if found.st_size < self.offset or found.st_ino != self.file:
                self.history, self.offset, self.made = History(), 0, {}
                self.file = found.st_ino
            for event, after in new_events(self.folder, self.offset):
                self.history.apply(event)
                self.offset = after
        except (OSError, KerashpoError):
            return  # deleted or damaged: what was read remains

    def trials(self, first: int) -> list[Any]:
        """Returns Optuna's trials, those that have not changed as they were made before."""
        history = self.history
        best, translated = history.best, None
        for trial in history.trials.values():
            leads = trial is best
            state = _version(trial, leads, history)
            if self.made.get(trial.number, (None,))[0] == state:
                continue
            translated = translated or translate(Space.from_json(history.space))
            found = frozen_trial(optuna, trial, history, translated)
            found.number, found._trial_id = trial.number, first + trial.number
            self.made[trial.number] = (state, found)
        return [self.made[number][1] for number in sorted(history.trials)]


def _version(trial: Trial, leads: bool, history: History) -> tuple[object, ...]:
    """Returns all that a trial's copy depends on and that may change."""
    seen = (trial.epochs, trial.status, trial.ended, trial.score, len(trial.targets))
    return (*seen, dict(trial.config), leads, leads and len(history.trials))


@final
class MirrorStorage(optuna.storages.BaseStorage):  # type: ignore[misc]
    """Optuna storage that shows the studies in and below a folder, as they are now.

    It can be read alone: what would change a study raises. Notes that are written in the dashboard
    last as long as the storage.

    Args:
        path: a study's folder, or one that holds studies; those that begin later appear.

    Raises:
        StudyNotFound: if there is no study yet.
    """

    def __init__(self, path: str | Path) -> None:
        self._root = folder_of(path)
        self._studies: list[_Mirrored] = []
        self._lock = threading.RLock()
        self._look()
        if not self._studies:
            raise StudyNotFound(f"There is no study in or below {str(path)!r}.")

    def _look(self) -> None:
        known = {one.folder for one in self._studies}
        found = [self._root] if has_log(self._root) else studies_below(self._root)
        self._studies += [_Mirrored(folder) for folder in found if folder not in known]
        for one in self._studies:
            one.refresh()

    def _shown(self) -> Iterator[tuple[int, _Mirrored]]:
        return ((n, one) for n, one in enumerate(self._studies) if one.history.objectives)

    def _study(self, study_id: int) -> _Mirrored:
        if not 0 <= study_id < len(self._studies):
            raise KeyError(f"No study with study_id {study_id} exists.")
        one = self._studies[study_id]
        one.refresh()
        return one

    def _name(self, one: _Mirrored) -> str:
        """Returns the folder below the root, or a single study's own name."""
        below = one.folder.relative_to(self._root).as_posix()
        return one.folder.resolve().name if below == "." else below

    def get_all_studies(self) -> list[Any]:
        with self._lock:
            self._look()
            return [
                FrozenStudy(
                    self._name(one),
                    None,
                    self.get_study_user_attrs(number),
                    self.get_study_system_attrs(number),
                    number,
                    directions=self.get_study_directions(number),
                )
                for number, one in self._shown()
            ]

    def get_study_id_from_name(self, study_name: str) -> int:
        with self._lock:
            for number, one in self._shown():
                if self._name(one) == study_name:
                    return number
        raise KeyError(f"No such study {study_name}.")

    def get_study_name_from_id(self, study_id: int) -> str:
        with self._lock:
            return self._name(self._study(study_id))

    def get_study_directions(self, study_id: int) -> list[Any]:
        directions = optuna.study.StudyDirection
        kinds = {"min": directions.MINIMIZE, "max": directions.MAXIMIZE}
        with self._lock:
            objectives = self._study(study_id).history.objectives
            return [kinds[one.direction] for one in objectives]

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        with self._lock:
            return study_facts(self._study(study_id).history)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        with self._lock:
            one = self._study(study_id)
            return {_NAMES: [each.name for each in one.history.objectives], **one.notes}

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[Any] | None = None
    ) -> list[Any]:
        # Trials are made anew when they change, so that nobody's copy changes.
        with self._lock:
            found = self._study(study_id).trials(study_id * _FAR)
        return [one for one in found if states is None or one.state in states]

    def get_trial(self, trial_id: int) -> Any:
        study_id, number = divmod(trial_id, _FAR)
        found = self.get_all_trials(study_id)
        if number >= len(found):
            raise KeyError(f"No trial with trial_id {trial_id} exists.")
        return found[number]

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        return int(self.get_trial(study_id * _FAR + trial_number)._trial_id)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        if not key.startswith("dashboard:"):
            self._refuse()
        with self._lock:
            self._study(study_id).notes[key] = value

    def create_new_study(self, directions: Sequence[Any], study_name: str | None = None) -> int:
        self._refuse()

    def delete_study(self, study_id: int) -> None:
        self._refuse()

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._refuse()

    def create_new_trial(self, study_id: int, template_trial: Any = None) -> int:
        self._refuse()

    def set_trial_param(self, trial_id: int, name: str, value: float, distribution: Any) -> None:
        self._refuse()

    def set_trial_state_values(self, trial_id: int, state: Any, values: Any = None) -> bool:
        self._refuse()

    def set_trial_intermediate_value(self, trial_id: int, step: int, value: float) -> None:
        self._refuse()

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._refuse()

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise InvalidInput(
            "This is a mirror of kerashpo's studies, to look at: it changes nothing. Change or "
            "delete a study by kerashpo, or export it: kerashpo export PATH --to optuna."
        )
