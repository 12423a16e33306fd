"""Time of a scheduler's decision, by the number of trials.

    python -m experiments.schedulers.cost [--schedulers asha] [--trials 1000 10000 100000]

writes ``tables/cost.csv``: CPU time of `on_event` and `next_job` (the proposal itself not
counted) for ASHA, its stopping variant, median stopping and endless Hyperband. Python's
cyclic garbage collector is off: its pauses grow with the whole process, not with a decision.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import final

import numpy as np

from experiments.schedulers.summary import write
from kerashpo.algorithms.base import Algorithm
from kerashpo.core.events import Event, SessionStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Config, Done, Job, Plan, Wait
from kerashpo.executors.simulated import SimulatedExecutor
from kerashpo.problems.power_law import PowerLaw
from kerashpo.schedulers.base import Decisions, Scheduler
from kerashpo.schedulers.registry import make_scheduler
from kerashpo.store.base import MemoryStore
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.state import StudyState

SCHEDULERS = {"asha": {}, "asha_stopping": {}, "median": {}, "hyperband": {"iterations": None}}
EPOCHS = 9


@final
class Numbers(Algorithm):
    """Proposes from a generator, so that nothing but the scheduler is measured."""

    def ask(self, trial: int, history: History) -> Config:
        return self.space.sample(np.random.default_rng(trial))


@final
class Timed(Scheduler):
    """Passes everything on and notes the CPU seconds of each decision.

    Attributes:
        seconds: (n,), one for each call.
    """

    def __init__(self, inner: Scheduler) -> None:
        self.max_epochs, self._inner = inner.max_epochs, inner
        self.seconds: list[float] = []

    def next_job(self, algorithm: Algorithm, history: History) -> Job | Wait | Done:
        asked = Known(algorithm, history)
        began = time.thread_time()
        job = self._inner.next_job(asked, history)
        self.seconds.append(time.thread_time() - began)
        return job

    def on_event(self, event: Event, history: History) -> Decisions:
        began = time.thread_time()
        decisions = self._inner.on_event(event, history)
        self.seconds.append(time.thread_time() - began)
        return decisions

    def plan(self) -> Plan:
        return self._inner.plan()


@final
class Known(Algorithm):
    """A proposal made before the clock runs."""

    def __init__(self, inner: Algorithm, history: History) -> None:
        super().__init__(inner.space, inner.seed)
        self._config = inner.ask(history.next_trial, history)

    def ask(self, trial: int, history: History) -> Config:
        return self._config  # type: ignore[return-value]


def measure(name: str, trials: int, workers: int = 64) -> list[str]:
    """Returns a row: scheduler, trials, decisions, median, 99.9 % and longest milliseconds."""
    problem = PowerLaw(EPOCHS)
    timed = Timed(make_scheduler(name, EPOCHS, SCHEDULERS[name]))
    store = MemoryStore()
    store.append(StudyCreated(problem.space.to_json(), (("value", "min"),), 0))
    loop = Loop(
        StudyState(timed, list(store.read())),
        store,
        lambda: Numbers(problem.space, 0),
        SimulatedExecutor(problem.evaluate, "value", problem.space.realise, workers),
        Limits(Budget(max_epochs_total=_epochs(name, trials))),
    )
    loop.begin(SessionStarted(0.0))
    gc.disable()
    loop.run()
    gc.enable()
    ms = 1000 * np.array(timed.seconds)
    reported = [f"{value:.4f}" for value in (np.median(ms), np.quantile(ms, 0.999), ms.max())]
    return [name, str(loop.history.next_trial), str(len(ms)), *reported]


def _epochs(name: str, trials: int) -> int:
    """Returns roughly the epochs that a number of trials takes."""
    return int(trials * {"asha": 2.4, "asha_stopping": 2.9, "median": 5.0, "hyperband": 3.7}[name])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedulers", nargs="*", default=list(SCHEDULERS), choices=SCHEDULERS)
    parser.add_argument("--trials", type=int, nargs="*", default=[1000, 10_000, 100_000])
    options = parser.parse_args()
    head = ["scheduler", "trials", "decisions", "median ms", "99.9 % ms", "longest ms"]
    write(
        "cost", [head, *(measure(name, n) for name in options.schedulers for n in options.trials)]
    )


if __name__ == "__main__":
    main()
