"""The keyword arguments that tuners share: their names, defaults and checks."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, TypedDict, get_args

from kerashpo.core.errors import InvalidInput, nearest, require_integer, require_number
from kerashpo.core.objective import Scoring
from kerashpo.core.records import Budget
from kerashpo.core.sizes import read_bytes
from kerashpo.executors.factories import Serial
from kerashpo.executors.registry import executor_factory
from kerashpo.i18n.texts import language_of
from kerashpo.store.open import folder_of
from kerashpo.study.loop import Limits
from kerashpo.study.open import Resuming
from kerashpo.study.retention import read_keep
from kerashpo.training.settings import Settings
from kerashpo.tuners.describe import describe
from kerashpo.tuners.goal import Goal

UNTITLED = "untitled_project"
"""The default name of a study; KerasTuner's."""


class StudyArguments(TypedDict, total=False):
    """Keyword arguments of every tuner, estimators included; `Tuner` documents them."""

    hyperparameters: Any
    tune_new_entries: bool
    allow_new_entries: bool
    max_retries_per_trial: int
    max_consecutive_failed_trials: int | None
    executions_per_trial: int
    directory: str | Path | None
    project_name: str | None
    overwrite: bool
    resume: Resuming
    keep: str
    max_epochs_total: int | None
    max_minutes: float | None
    max_energy_wh: float | None
    score: str
    weights: Any
    limits: Mapping[Any, float] | None
    warm_start: Any
    context: Any
    lang: str | None
    strict: bool
    logger: Any
    tuner_id: Any


class TunerArguments(StudyArguments, total=False):
    """Keyword arguments of every tuner that trains Keras models; `Tuner` documents them."""

    optimizer: Any
    loss: Any
    metrics: Any
    max_model_size: int | None
    distribution_strategy: Any
    workers: int | str
    executor: Any
    trial_timeout: float | None
    max_worker_memory: int | str | None
    deterministic: bool
    fast: bool | Literal["auto"]
    population: int | Literal["auto"] | None
    keep_in_memory: int | str
    checkpoint_every: float
    fit_hp: Any
    cv: Any
    repeats: int | None


IGNORED = ("logger", "tuner_id")
"""Arguments that subclasses written for KerasTuner pass on and that have no effect here."""
_WHOLE = (
    "max_trials",
    "seed",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
    "executions_per_trial",
    "max_model_size",
    "workers",
    "max_epochs_total",
    "repeats",
)


@dataclass(frozen=True, slots=True)
class TunerOptions:
    """The values of `TunerArguments`, and of ``objective``, ``max_trials`` and ``seed``."""

    objective: Any = None
    max_trials: int | None = None
    seed: int | None = None
    hyperparameters: Any = None
    tune_new_entries: bool = True
    allow_new_entries: bool = True
    max_retries_per_trial: int = 0
    max_consecutive_failed_trials: int | None = 3
    executions_per_trial: int = 1
    optimizer: Any = None
    loss: Any = None
    metrics: Any = None
    max_model_size: int | None = None
    distribution_strategy: Any = None
    directory: str | Path | None = None
    project_name: str | None = None
    overwrite: bool = False
    resume: Resuming = "exact"
    workers: int | str = 1
    executor: Any = None
    trial_timeout: float | None = None
    max_worker_memory: int | str | None = None
    deterministic: bool = False
    fast: bool | Literal["auto"] = "auto"
    population: int | Literal["auto"] | None = None
    keep_in_memory: int | str = "1GB"
    checkpoint_every: float = 1.0
    keep: str = "top-10"
    max_epochs_total: int | None = None
    max_minutes: float | None = None
    max_energy_wh: float | None = None
    score: str = "best"
    weights: Any = None
    limits: Mapping[Any, float] | None = None
    warm_start: Any = ()
    context: Any = None
    strict: bool = False
    fit_hp: Any = None
    cv: Any = None
    repeats: int | None = None
    lang: str | None = None

    def check(self) -> None:
        """Raises InvalidInput for an invalid argument."""
        require_integer("executions_per_trial", self.executions_per_trial, 1)
        require_integer("max_retries_per_trial", self.max_retries_per_trial, 0)
        require_number("checkpoint_every", self.checkpoint_every, 0.0)
        for name in ("max_trials", "max_epochs_total", "max_consecutive_failed_trials"):
            if getattr(self, name) is not None:
                require_integer(name, getattr(self, name), 1)
        Scoring.read(self.score)
        check_cv(self.cv)
        if self.repeats is not None:
            require_integer("repeats", self.repeats, 1)
            if self.executions_per_trial != 1:
                raise InvalidInput(
                    "repeats and executions_per_trial mean the same: pass one of them. Received: "
                    f"{self.repeats!r} and {self.executions_per_trial!r}."
                )
        if self.max_minutes is not None:
            require_number("max_minutes", self.max_minutes, 0.0, strict=True)
        if self.max_energy_wh is not None:
            require_number("max_energy_wh", self.max_energy_wh, 0.0, strict=True)
        if self.max_model_size is not None:
            require_integer("max_model_size", self.max_model_size, 1)
        whole = hasattr(self.seed, "__index__") and not isinstance(self.seed, bool)
        if self.seed is not None and not whole:
            raise InvalidInput(f"seed must be a whole number or None. Received: {self.seed!r}.")
        if self.trial_timeout is not None:
            require_number("trial_timeout", self.trial_timeout, 0.0, strict=True)
        if self.max_worker_memory is not None:
            read_bytes("max_worker_memory", self.max_worker_memory)
        for name in ("deterministic", "strict"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(
                    f"{name} must be True or False. Received: {getattr(self, name)!r}."
                )
        if self.fast not in ("auto", True, False):
            raise InvalidInput(f'fast must be "auto", True or False. Received: {self.fast!r}.')
        executor_factory(*self.executor_arguments)
        # Imports Keras, which `optimize` and `simulate` do without.
        from kerashpo.training.joint_training import check_population

        check_population(self.population, self.fast, self.serial)
        read_bytes("keep_in_memory", self.keep_in_memory)
        read_keep(self.keep)
        check_resume(self.resume)
        language_of(self.lang)
        self._check_place()

    def _check_place(self) -> None:
        """Checks that the study's folder is inside `directory`."""
        for name in ("directory", "project_name"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, (str, Path)) or "\0" in str(value)):
                raise InvalidInput(f"{name} must be the name of a folder. Received: {value!r}.")
        folder_of(self.directory or ".")
        if not self.project_name:
            return
        name = str(self.project_name)
        parts = [*PurePosixPath(name).parts, *PureWindowsPath(name).parts]
        absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor
        if absolute or ".." in parts or not parts:
            raise InvalidInput(
                "project_name must be a name within directory, without '..'. "
                f"Received: {self.project_name!r}."
            )

    @property
    def turns(self) -> int:
        """How often each configuration is trained, on each fold if there are folds."""
        return self.executions_per_trial if self.repeats is None else self.repeats

    @property
    def runs(self) -> int:
        """How many runs a trial has: folds times repetitions."""
        return count_folds(self.cv) * self.turns

    def compared(self, form: str) -> dict[str, Any]:
        """Returns the settings that a resume compares besides space, objectives and seed.

        Args:
            form: the form of the hypermodel's result, see `check_own_code`.
        """
        found: dict[str, Any] = {}
        if self.runs > 1 and form != "anything":
            # How many runs a `run_trial` of the user's own will report is not known.
            found["runs"] = self.runs
        if self.cv is not None:
            found["cv"] = describe(self.cv)
        if self.score != "best":
            found["score"] = self.score
        if self.replaced:
            found["compile"] = {name: describe(getattr(self, name)) for name in self.replaced}
        return found

    @property
    def replaced(self) -> list[str]:
        """The names of the arguments of `compile` that this tuner replaces."""
        return [n for n in ("optimizer", "loss", "metrics") if getattr(self, n) is not None]

    @property
    def bounds(self) -> Limits:
        """The limits of the search."""
        budget = Budget(
            self.max_trials, self.max_epochs_total, self.max_minutes, self.max_energy_wh
        )
        return Limits(budget, self.max_retries_per_trial, self.max_consecutive_failed_trials)

    def training(self, goal: Goal, seed: int, max_epochs: int) -> Settings:
        """Returns the training settings of trials.

        Args:
            goal: the objectives.
            seed: the study's seed.
            max_epochs: the most epochs of one trial.
        """
        return Settings(
            goal.objectives[0],
            seed,
            max_epochs,
            self.runs,
            self.fast,
            read_bytes("keep_in_memory", self.keep_in_memory),
            self.checkpoint_every,
            goal.limits,
            Scoring.read(self.score),
            goal.derived,
        )

    @property
    def several(self) -> bool:
        """Whether several objectives are given without weights."""
        listed = isinstance(self.objective, Sequence) and not isinstance(self.objective, str)
        return listed and len(self.objective) > 1 and self.weights is None

    @property
    def executor_arguments(self) -> tuple[Any, Any, bool]:
        """The arguments of `kerashpo.executors.registry.executor_factory`."""
        return self.workers, self.executor, self.isolated

    @property
    def serial(self) -> bool:
        """Whether this process trains, and no worker."""
        here = self.workers in (1, "serial") and self.executor in (None, "serial", Serial())
        return here and not self.isolated

    @property
    def isolated(self) -> bool:
        """Whether arguments require worker processes, whatever their number."""
        limits = (self.trial_timeout, self.max_worker_memory)
        return self.deterministic or any(limit is not None for limit in limits)

    @property
    def folder(self) -> Path:
        """The study's folder: ``directory/project_name``."""
        return folder_of(self.directory or ".") / (self.project_name or UNTITLED)


def check_cv(cv: Any) -> None:
    """Raises InvalidInput unless `cv` is None, a number of folds or a splitter."""
    splits = callable(getattr(cv, "split", None)) and not isinstance(cv, str)
    if cv is None or splits:
        return
    require_integer("cv", cv, 2, why="folds, or a splitter of scikit-learn")


def count_folds(cv: Any) -> int:
    """Returns the number of folds, 1 without cross-validation."""
    if cv is None:
        return 1
    return int(cv.get_n_splits()) if hasattr(cv, "get_n_splits") else int(cv)


def check_own_code(options: TunerOptions, form: str, hooked: bool) -> None:
    """Raises InvalidInput for arguments that have no effect with the user's own training code.

    Args:
        options: the tuner's arguments.
        form: the form of the hypermodel's result; another form than ``"compiled"`` is trained by
            the user's own `run_trial` or `HyperModel.fit`.
        hooked: whether trials go through methods of the tuner.
    """
    own = "run_trial" if form == "anything" else "HyperModel.fit"
    if form == "anything" and options.max_energy_wh is not None:
        raise InvalidInput(
            "max_energy_wh counts the energy of trials that the engine trains, but run_trial is "
            "overridden and has its own training code: use max_minutes instead."
        )
    for name in ("cv", "fit_hp"):
        if form != "compiled" and getattr(options, name) is not None:
            raise InvalidInput(
                f"{name} changes what the engine trains on, but {own} is overridden and has "
                "its own training code: do it there, or leave it out."
            )
    if (hooked or form != "compiled") and isinstance(options.population, int):
        raise InvalidInput(
            "population trains several trials as one program, without any other code: neither a "
            "run_trial or HyperModel.fit of your own nor the tuner's epoch and batch hooks. "
            f"Received: population={options.population!r}."
        )
    if hooked and not options.serial:
        raise InvalidInput(
            "run_trial and the epoch and batch hooks are methods of this tuner, which stays in "
            "this process: workers must be 1, without trial_timeout, max_worker_memory and "
            f"deterministic. Received: workers={options.workers!r}, executor={options.executor!r}."
        )


def check_resume(given: object) -> None:
    """Raises InvalidInput unless the argument is one of the words of `Resuming`."""
    if given not in get_args(Resuming):
        raise InvalidInput(f'resume must be "exact" or "extend". Received: {given!r}.')


def as_whole(value: Any) -> Any:
    """Returns a float without a fraction as an int, e.g. 2 for 2.0; anything else unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_options(cls: type, given: Mapping[str, Any]) -> TunerOptions:
    """Returns the shared options among a tuner's keyword arguments, checked.

    Args:
        cls: the tuner's class, for the error.
        given: the arguments, without those of its strategy.

    Raises:
        InvalidInput: for an unknown argument, or an invalid value.
    """
    known = [field.name for field in fields(TunerOptions)]
    for name in given:
        if name not in known and name not in IGNORED:
            names = list(dict.fromkeys([*_own_arguments(cls), *known]))
            raise InvalidInput(
                f"{cls.__name__} has no argument {name!r}.{nearest(name, names)} "
                f"It takes: {', '.join(names)}."
            )
    for name in IGNORED:
        if given.get(name) is not None:
            warnings.warn(
                f"{name}={given[name]!r} has no effect: kerashpo logs through listeners, and "
                "trains several trials in parallel with workers=N.",
                stacklevel=4,
            )
    values = {name: value for name, value in given.items() if name not in IGNORED}
    whole = {name: as_whole(values[name]) for name in _WHOLE if name in values}
    options = TunerOptions(**{**values, **whole})
    options.check()
    return options


def _own_arguments(cls: type) -> list[str]:
    """Returns the named parameters of a class's constructor and of those that it calls."""
    found: list[str] = []
    for one in cls.__mro__:
        if "__init__" in vars(one):
            taken = inspect.signature(vars(one)["__init__"]).parameters.values()
            found += [p.name for p in taken if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [name for name in found if name not in ("self", "args", "kwargs")]
