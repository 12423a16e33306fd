"""Every method by name: the peers, ours, and ours with one ingredient changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from experiments.suggestions.loops import LOOPS, Looped
from experiments.suggestions.peers import PEERS, Peer
from kerashpo.algorithms import Algorithm, algorithm_names, make_algorithm
from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.gp.kernel import Matern52
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Exhausted, NotReady, Report, Start, Status
from kerashpo.space import Space

VARIANTS: dict[str, dict[str, Any]] = {
    "kerashpo": {},
    "kerashpo_matern52": {"settings": ModelSettings(radial=Matern52())},
    "kerashpo_no_bend": {"settings": ModelSettings(bend=False)},
    "kerashpo_no_cut": {"settings": ModelSettings(cut=False)},
    "kerashpo_no_centre": {"settings": ModelSettings(centre=False)},
    "kerashpo_no_climb": {"settings": ModelSettings(climb=False)},
    "kerashpo_no_sweep": {"settings": ModelSettings(sweep=False)},
    "kerashpo_unscaled": {"settings": ModelSettings(scaled_up_to=0)},
    "kerashpo_scaled": {"settings": ModelSettings(scaled_up_to=1000)},
    "kerashpo_believer": {"settings": ModelSettings(draw=False)},
    "kerashpo_7_initial": {"num_initial_points": 7},
    "kerashpo_ei": {"acquisition": "ei"},
    "kerashpo_ucb": {"acquisition": "ucb"},
}


@final
class Ours(Peer):
    """One of our algorithms, with the history that the study's loop would keep.

    With several workers a result is reported only once that number of trials is running.
    """

    def __init__(self, algorithm: Algorithm, workers: int = 1) -> None:
        self._algorithm, self._workers = algorithm, workers
        self._running: list[tuple[int, float]] = []
        self.history = History(
            [StudyCreated(algorithm.space.to_json(), (("value", "max"),), algorithm.seed)]
        )

    def ask(self) -> dict[str, Any]:
        self._trial = self.history.next_trial
        config = self._algorithm.ask(self._trial, self.history)
        if isinstance(config, (Exhausted, NotReady)):
            raise LookupError(f"nothing was suggested: {config}")
        self._begin(config)
        return dict(config)

    def add(self, config: Mapping[str, Any], value: float) -> None:
        """Adds a trial that this method did not suggest."""
        self._trial = self.history.next_trial
        self._begin(config)
        self.tell(config, value)

    def _begin(self, config: Mapping[str, Any]) -> None:
        """Starts the trial; one number a trial serves as the time, as a study's log has times."""
        at = float(self._trial)
        self.history.apply(JobStarted(Start(self._trial, config, 1), at=at))

    def tell(self, config: Mapping[str, Any], value: float) -> None:
        self._running.append((self._trial, value))
        if len(self._running) < self._workers:
            return
        trial, reached = self._running.pop(0)
        at = self._trial + 0.5
        self.history.apply(Reported(Report(trial, 0, 1, {"value": reached}, 0.0), at=at))
        self.history.apply(Ended(trial, Status.COMPLETED, "completed", at=at))


def make_method(name: str, space: Space, seed: int) -> Peer:
    """Returns a fresh search of that name."""
    if name in PEERS:
        return PEERS[name](space, seed)
    if name in LOOPS:
        return Looped(space, seed, LOOPS[name])
    # A variant of ours or an algorithm of the registry, with a number of workers: ``tpe@8``.
    algorithm, _, workers = name.partition("@")
    if algorithm in VARIANTS:
        ours = BayesianOptimization(space, seed, **VARIANTS[algorithm])
        return Ours(ours, int(workers or 1))
    if algorithm not in algorithm_names():
        known = ", ".join([*VARIANTS, *PEERS, *LOOPS, *algorithm_names()])
        raise KeyError(f"unknown method {name!r}; known: {known}")
    return Ours(make_algorithm(algorithm, space, seed), int(workers or 1))
