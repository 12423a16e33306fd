"""`FixedOracle`: KerasTuner's oracle, which keeps track of trials, with its defects fixed."""

from __future__ import annotations

import functools
import inspect
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypedDict

import keras_tuner
from keras_tuner.src.engine import oracle as upstream

from kerashpo.core.errors import ConsecutiveFailures, InvalidInput, require_integer
from kerashpo.core.objective import infer_direction, to_objectives
from kerashpo.core.rng import checked_seed, fresh_seed
from kerashpo.training.keras_tuner_params import to_space


@contextmanager
def released_on_error(oracle: Any) -> Iterator[None]:
    """Context manager that releases an oracle's lock if its body raises.

    Otherwise `keras_tuner.synchronized` never releases it, and all other workers wait forever.
    """
    mine = threading.current_thread().name
    nested = upstream.THREADS[oracle] == mine
    try:
        yield
    except BaseException:
        if not nested and upstream.THREADS[oracle] == mine:
            upstream.THREADS[oracle] = None
            upstream.LOCKS[oracle].release()
        raise


class FixedOracle(keras_tuner.Oracle):
    """`keras_tuner.Oracle` with its defects fixed: directions, seeds, failures, NaN.

    Unlike in KerasTuner, an objective's direction comes from our table; ``seed=0`` is a seed; a
    score that is NaN or infinite is a failure; too many consecutive failures are saved before
    the error is raised, and a later search continues; `get_best_trials` omits failed trials.

    Args:
        objective: a metric's name, an `Objective`, or a list of them (KerasTuner sums
            them); None if `run_trial` returns one number to minimise.
        max_trials: the most trials; None for no limit.
        hyperparameters: definitions that override those of the hypermodel.
        allow_new_entries: whether the hypermodel may define others.
        tune_new_entries: whether those are tuned.
        seed: an integer; None draws a random one.
        max_retries_per_trial: how often a failed trial is retried.
        max_consecutive_failed_trials: failures in a row that end the search; None for no
            limit.

    Raises:
        InvalidInput: for an argument of the wrong type or out of range.
        InvalidSpace: for a definition among `hyperparameters` that contradicts itself.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        hyperparameters: Any = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        seed: int | None = None,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int | None = 3,
    ) -> None:
        _check_bounds(max_trials, max_retries_per_trial, max_consecutive_failed_trials)
        given = checked_seed(seed)
        to_space(hyperparameters)
        super().__init__(
            objective=_known(objective),
            max_trials=max_trials,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        self.seed = fresh_seed() if given is None else given
        self._order: list[list[str]] = []
        self._counted_ends = 0
        self._streak = ""

    def create_trial(self, tuner_id: str) -> Any:
        """Returns the next trial, as KerasTuner's oracle does."""
        with released_on_error(self):
            return super().create_trial(tuner_id)

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Any:
        """Records a trial's metrics and returns it; metrics besides the objective are optional.

        Raises:
            ValueError: if the objective is not among them.
        """
        with released_on_error(self):
            return self._record_metrics(trial_id, metrics, step)

    def score_trial(self, trial: Any) -> None:
        """Sets a trial's score: its best finite value, NaN if it has none."""
        sign = -1 if self.objective.direction == "max" else 1
        seen = [(e.mean(), e.step) for e in trial.metrics.get_history(self.objective.name)]
        finite = [(sign * value, step) for value, step in seen if math.isfinite(value)]
        if not finite:
            trial.score = math.nan
            return
        cost, trial.best_step = min(finite)
        trial.score = sign * cost

    def end_trial(self, *args: Any, **kwargs: Any) -> None:
        """Records that a trial has ended, as KerasTuner's oracle does, and saves the state.

        Raises:
            ConsecutiveFailures: after too many failed trials in a row.
        """
        with released_on_error(self):
            super().end_trial(*args, **kwargs)
        message, self._streak = self._streak, ""
        if message:
            raise ConsecutiveFailures(message)

    def get_best_trials(self, num_trials: int = 1) -> list[Any]:
        """Returns the trials with the best scores, the best first; failed trials are omitted."""
        done = [t for t in self.trials.values() if t.status == "COMPLETED"]
        scored = [trial for trial in done if trial.score is not None]
        sign = -1 if self.objective.direction == "max" else 1
        return sorted(scored, key=lambda trial: sign * trial.score)[:num_trials]

    def get_state(self) -> dict[str, Any]:
        """Returns the state that a reload needs besides the trials."""
        state = super().get_state()
        # KerasTuner saves an end while the trial is still listed as running: a reload would
        # run it again.
        over = {*self.end_order, *self._retry_queue}
        ongoing = {who: t for who, t in state["ongoing_trials"].items() if t not in over}
        return {**state, "ongoing_trials": ongoing, "order": self._ordered()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores the state returned by `get_state`."""
        super().set_state(state)
        self._order = [list(mark) for mark in state["order"]]
        self._counted_ends = len(self.end_order)

    @keras_tuner.synchronized
    def _record_metrics(self, trial_id: str, metrics: Mapping[str, float], step: int) -> Any:
        trial = self.trials[trial_id]
        self._check_objective_found(metrics)
        ours = getattr(self.objective, "objectives", [self.objective])
        directions = {one.name: one.direction for one in ours}
        for name, value in metrics.items():
            if not trial.metrics.exists(name):
                trial.metrics.register(name, directions.get(name) or infer_direction(name) or "min")
            # Not `trial.metrics.update`, which warns of each NaN.
            trial.metrics.metrics[name].update(float(value), step=step)
        self._save_trial(trial)
        return trial

    def _ordered(self) -> list[list[str]]:
        """Returns starts and ends of trials in the order in which they happened.

        KerasTuner saves after each of them, so checking at each save finds them all.
        """
        for kind, done in (("start", self.start_order), ("end", self.end_order)):
            known = sum(mark[0] == kind for mark in self._order)
            self._order += [[kind, trial_id] for trial_id in done[known:]]
        return self._order

    def _retry(self, trial: Any) -> bool:
        again: bool = super()._retry(trial)
        if again:
            # KerasTuner averages a retry with the failed attempt: a NaN would never go away.
            trial.metrics = type(trial.metrics)()
        return again

    def _check_consecutive_failures(self) -> None:
        """Detects too many consecutive failures; `end_trial` raises once the state is saved."""
        streak = []
        for trial_id in reversed(self.end_order[self._counted_ends :]):
            if self.trials[trial_id].status != "FAILED":
                break
            streak.append(self.trials[trial_id].message or "")
        limit = self.max_consecutive_failed_trials
        if limit is not None and len(streak) >= limit:
            self._counted_ends = len(self.end_order)
            self._streak = (
                f"Number of consecutive failures exceeded the limit of {limit}. Finished trials "
                f"are saved; searching again continues with new trials. "
                f"The last failure:\n{streak[0]}"
            )


def _known(objective: Any) -> Any:
    """Returns KerasTuner's objectives with our directions; None is returned unchanged."""
    if objective is None:
        return None
    several = isinstance(objective, (list, tuple)) or hasattr(objective, "objectives")
    made = [keras_tuner.Objective(one.name, one.direction) for one in to_objectives(objective)]
    return made if several else made[0]


def _check_bounds(trials: int | None, retries: int, failures: int | None) -> None:
    if trials is not None:
        require_integer("max_trials", trials, 1)
    require_integer("max_retries_per_trial", retries, 0)
    if failures is not None:
        require_integer("max_consecutive_failed_trials", failures, 1)


def require_hyperband_factor(factor: Any) -> None:
    """Checks a reduction factor; the error has KerasTuner's wording.

    Raises:
        InvalidInput: for anything but a whole number above 1.
    """
    try:
        require_integer("factor", factor, 2)
    except InvalidInput:
        raise InvalidInput(
            f"factor needs to be a whole number larger than 1. Received: {factor!r}."
        ) from None


P = ParamSpec("P")


class OracleOptions(TypedDict, total=False):
    """Keyword arguments of every oracle, in KerasTuner's order; see `FixedOracle`."""

    seed: int | None
    hyperparameters: Any
    allow_new_entries: bool
    tune_new_entries: bool
    max_retries_per_trial: int
    max_consecutive_failed_trials: int | None


def with_shared_options(init: Callable[P, None]) -> Callable[P, None]:
    """Decorator that adds the shared arguments to the signature of a ``**shared`` constructor.

    They can then be passed by position after the oracle's own arguments, as in KerasTuner;
    help, notebooks and editors show them with their defaults.
    """
    defaults = inspect.signature(FixedOracle).parameters
    shared = [defaults[name] for name in OracleOptions.__annotations__]
    own = [p for p in inspect.signature(init).parameters.values() if p.name != "shared"]
    first = [p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
    signature = inspect.Signature([*first, *shared, *(p for p in own if p not in first)])

    @functools.wraps(init)
    def construct(*args: P.args, **kwargs: P.kwargs) -> None:
        given = signature.bind(*args, **kwargs).arguments
        init(**given)  # type: ignore[call-arg]

    construct.__signature__ = signature  # type: ignore[attr-defined]
    return construct
