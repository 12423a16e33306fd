"""Training data per run and trial: cross-validation folds, tuned `fit` arguments, callbacks."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils.multiclass import type_of_target

from kerashpo.core import rng
from kerashpo.core.errors import InvalidInput, nearest, require_integer
from kerashpo.core.records import Config
from kerashpo.space.lazy_values import refuse_lazy
from kerashpo.space.space import Space
from kerashpo.training.arrays import Triple, length
from kerashpo.training.data import FitData, check_weights
from kerashpo.training.loops.user_fit import FitCall
from kerashpo.training.resampling import joined, reshuffled

NO_DATA = FitData(None)
"""Placeholder for data in a form that only the user's own `fit` or `run_trial` reads."""

EPOCHS = "epochs"
_RESHUFFLED = 4
"""Reshuffled splits kept in memory, with their data on the device."""
#: Arguments of `fit` that may be tuned.
TUNABLE = (
    "batch_size",
    "validation_batch_size",
    "shuffle",
    "class_weight",
    "validation_freq",
    "steps_per_epoch",
    EPOCHS,
)
_WHOLE = ("batch_size", "validation_batch_size", "validation_freq", "steps_per_epoch", EPOCHS)


@final
class RunData:
    """Training data of a search, by run, configuration and trial.

    Args:
        parts: the data of each run that counts for the score; one part serves all of them.
        fit_hp: the arguments of `fit` that are tuned, with their domains.
        scored: how many runs count for the score.
        folds: the data of further runs: the folds of a final round.
        reshuffle: the seed with which each trial gets its own split; None for one common split.
    """

    def __init__(
        self,
        parts: Sequence[FitData],
        fit_hp: Space | None = None,
        scored: int = 1,
        folds: Sequence[FitData] = (),
        reshuffle: int | None = None,
    ) -> None:
        self._parts, self._folds, self._scored = tuple(parts), tuple(folds), scored
        self._fit_hp = fit_hp or Space.of([])
        self._reshuffle = reshuffle
        # The same object for equal values: tensors on the device are cached by object identity.
        self._made: dict[tuple[int, str], FitData] = {}
        self._shuffled: OrderedDict[int, FitData] = OrderedDict()
        self._joined: Triple | None = None

    @property
    def reshuffles(self) -> bool:
        """Whether each trial has a split of its own."""
        return self._reshuffle is not None

    @property
    def first(self) -> FitData:
        """The data of the first run, as passed."""
        return self._parts[0]

    def of(self, run: int, config: Config, trial: int = 0) -> FitData:
        """Returns the training data of a run of a trial with this configuration."""
        values = fit_values(self._fit_hp, config)
        values.pop(EPOCHS, None)
        is_fold = bool(self._folds) and run >= self._scored
        if not is_fold and self._reshuffle is not None:
            mine = self._of_trial(trial, self._reshuffle)
            return dataclasses.replace(mine, **values) if values else mine
        part = self._folds[run - self._scored] if is_fold else self._parts[run % len(self._parts)]
        if not values:
            return part
        key = (id(part), repr(sorted(values.items())))
        if key not in self._made:
            made = dataclasses.replace(part, **values)
            check_weights(made)
            self._made[key] = made
        return self._made[key]

    def _of_trial(self, trial: int, seed: int) -> FitData:
        """Returns the reshuffled data of a trial; those of the last few trials are cached."""
        if self._joined is None:
            self._joined = joined(self._parts[0])
        if trial not in self._shuffled:
            self._shuffled[trial] = reshuffled(self._parts[0], self._joined, seed, trial)
        self._shuffled.move_to_end(trial)
        while len(self._shuffled) > _RESHUFFLED:
            self._shuffled.popitem(last=False)
        return self._shuffled[trial]

    def epochs(self, config: Config) -> int | None:
        """Returns the number of epochs that this configuration sets, None if it sets none."""
        return fit_values(self._fit_hp, config).get(EPOCHS)


@final
@dataclass(frozen=True, slots=True)
class TrialData:
    """The data and callbacks with which one trial is trained.

    Attributes:
        data: training data by run and configuration.
        callbacks: the user's; each run gets copies.
        until: the last epoch, if the user's own code set another one than the work item's.
        call: the arguments of a hypermodel's own `fit`.
        first_run: the number of the first run trained with this data, see
            `kerashpo.tuners.run_trial.TrialSession`.
    """

    data: RunData
    callbacks: tuple[Any, ...] = ()
    until: int | None = None
    call: FitCall = FitCall()
    first_run: int = 0

    def limit(self, config: Config) -> int | None:
        """Returns the last epoch that the user's code or the configuration sets, if any."""
        return self.until or self.data.epochs(config)


def fit_values(fit_hp: Space, config: Config) -> dict[str, Any]:
    """Returns the arguments of `fit` that a configuration sets."""
    mine = {name: config[name] for name in fit_hp.names if name in config}
    return fit_hp.realise(mine) if mine else {}


def read_fit_hp(given: Any, epochs: bool = True) -> Space:
    """Returns the space of tuned arguments of `fit`, e.g. ``{"batch_size": choice([16, 32])}``.

    Args:
        given: the space, or a mapping of names and definitions.
        epochs: whether epochs may be tuned; False if the tuner plans them.

    Raises:
        InvalidInput: for an argument that cannot be tuned.
        InvalidSpace: for a definition that contradicts itself.
    """
    if given is None:
        return Space.of([])
    if not isinstance(given, (Mapping, Space)):
        raise InvalidInput(
            "fit_hp must map arguments of fit to their search domains, e.g. "
            f"{{'batch_size': kerashpo.space.choice([16, 32])}}. Received: {given!r}."
        )
    space = given if isinstance(given, Space) else Space(given)
    refuse_lazy(space, "not for arguments of fit")
    for name in space.names:
        if name not in TUNABLE:
            raise InvalidInput(
                f"fit_hp cannot tune {name!r}.{nearest(name, TUNABLE)} It takes: "
                f"{', '.join(TUNABLE)}."
            )
    if EPOCHS in space.names and not epochs:
        raise InvalidInput(
            "This tuner plans the epochs itself, so fit_hp cannot tune 'epochs': leave it out, or "
            "use a tuner that trains every trial fully, e.g. RandomSearch."
        )
    for param in space.params:
        if param.name in _WHOLE:
            lowest = param.domain.realise(param.domain.at(0.0))
            require_integer(f"fit_hp[{param.name!r}]", lowest, 1)
    return space


def fold(data: FitData, cv: Any, repeats: int, seed: int) -> tuple[FitData, ...]:
    """Returns the data of each cross-validation fold: the fold validates, the other samples train.

    All folds share the arrays; class weights apply to training only, as in Keras.

    An integer makes shuffled folds, stratified if the targets are classes; each repetition is
    shuffled again. A scikit-learn splitter is called once per repetition.

    Args:
        data: arrays without validation data.
        cv: the number of folds, or a splitter; None for no folds.
        repeats: how often the training or the cross-validation is repeated.
        seed: the study's seed.

    Raises:
        InvalidInput: if the data cannot be split, or validation data are passed too.
    """
    if cv is None:
        return (data,)
    if not data.is_arrays or data.validation is not None:
        raise InvalidInput(
            "cv expects arrays, and cuts the validation data out of them: pass x and y, without "
            "validation_data and validation_split (or leave out cv)."
        )
    pairs = [pair for turn in range(repeats) for pair in _pairs(data, cv, seed, turn)]
    whole = (data.x, data.y, data.sample_weight)
    return tuple(
        dataclasses.replace(data, validation=whole, rows=_rows(train), validation_rows=_rows(test))
        for train, test in pairs
    )


def _pairs(data: FitData, cv: Any, seed: int, turn: int) -> Iterable[tuple[Any, Any]]:
    rows = np.zeros((length(data.x), 1))
    target = data.y if isinstance(data.y, np.ndarray) else None
    if not isinstance(cv, (int, np.integer)):
        return cv.split(rows, target)  # type: ignore[no-any-return]
    classes = target is not None and type_of_target(target) in ("binary", "multiclass")
    kind = StratifiedKFold if classes else KFold
    state = rng.integer(seed, "folds", turn) % 2**31
    labels = target.reshape(-1) if classes and target is not None else None
    return kind(int(cv), shuffle=True, random_state=state).split(rows, labels)  # type: ignore[no-any-return]


def _rows(chosen: Any) -> np.ndarray:
    """Returns a splitter's rows, indices or a mask, as int32 indices."""
    rows = np.asarray(chosen)
    return (np.flatnonzero(rows) if rows.dtype == bool else rows).astype(np.int32)
