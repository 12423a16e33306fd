"""Population-based training: members copy better ones and change their values as they train.

Source: Jaderberg, Dalibard, Osindero, Czarnecki, Donahue, Razavi, Vinyals, Green, Dunning,
Simonyan, Fernando and Kavukcuoglu, "Population Based Training of Neural Networks",
arXiv 1711.09846 (2017), with truncation selection.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.errors import InvalidInput, nearest, require_integer, require_number, unknown
from kerashpo.core.events import AlgorithmExhausted, Ended, Event, JobStarted, Reached
from kerashpo.core.history import History
from kerashpo.core.records import (
    Config,
    Decision,
    Done,
    Fork,
    Job,
    Plan,
    Resume,
    Rung,
    Start,
    Status,
    Wait,
)
from kerashpo.core.rng import stream
from kerashpo.core.trial import Trial
from kerashpo.schedulers.base import Decisions, NextJob, Scheduler
from kerashpo.space.space import Space

if TYPE_CHECKING:
    from kerashpo.schedulers.pb2 import Observation

EXPLORE = ("perturb", "bayesian")
"""How a copy gets its values: a step in the unit cube, or from a Gaussian process (PB2)."""


@final
class PBT(Scheduler):
    """Trains a population; every `interval` epochs the worst members become copies of the best.

    A generation ends when every member has trained `interval` epochs. Then each of the worst
    members is stopped, and a fork of one of the best takes its place: a new trial that starts
    from that one's state (exploit) with values near its values (explore). A member that failed,
    or whose objective is not finite, is replaced whatever its rank. Members are compared by the
    last value of the objective in the generation, because that is the state that is copied.

    Decisions fall by generation, so they depend on no order of reports and a resumed search
    takes the same ones.

    Args:
        max_epochs: epochs of the whole line from a first ancestor to a last member.
        population: how many members there are.
        interval: epochs between two comparisons.
        mutate: names of the parameters that a copy may change; None for all.
        quantile: the part of the population that is replaced, and that is copied.
        resample: the probability with which a value is resampled instead of taking a step; with
            ``"bayesian"`` only a choice without an order is.
        explore: how a copy gets its values, one of `EXPLORE`.
        limit: how many configurations there can be at most, for the plan.

    Raises:
        InvalidInput: if an argument is out of range.
    """

    deterministic: ClassVar[bool] = True
    several: ClassVar[bool] = False

    def __init__(
        self,
        max_epochs: int,
        population: int = 8,
        interval: int = 5,
        mutate: Sequence[str] | None = None,
        quantile: float = 0.25,
        resample: float = 0.25,
        explore: str = "perturb",
        limit: float = math.inf,
    ) -> None:
        self.max_epochs = require_integer("max_epochs", max_epochs, 1)
        self._size = require_integer("population", population, 1)
        self._interval = min(require_integer("interval", interval, 1), max_epochs)
        self._quantile = require_number("quantile", quantile, 0.0)
        self._resample = require_number("resample", resample, 0.0)
        for name, value, most in (("quantile", quantile, 0.5), ("resample", resample, 1.0)):
            if value > most:
                raise InvalidInput(f"{name} must be at most {most}. Received: {value!r}.")
        if explore not in EXPLORE:
            raise unknown("explore", explore, EXPLORE)
        self._mutate = None if mutate is None else frozenset(mutate)
        self._explore, self._limit = explore, limit
        self._members: list[int] = []
        self._complete = self._over = False
        self._since, self._until = 0, self._interval  # the epochs of this generation
        self._forks: list[tuple[int, int]] = []  # the place in the population, and the parent
        self._resumes: list[int] = []

    @property
    def endless(self) -> bool:
        return False

    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        if not self._complete:
            return self.start(algorithm, history, self._until)
        # Forks first: what they start from may be gone once its trial has ended.
        if self._forks:
            return self._fork(algorithm, history, self._forks[0][1])
        if self._resumes:
            return Resume(self._resumes[0], self._until)
        return Wait() if self._alive(history) else Done()

    def on_event(self, event: Event, history: History) -> Decisions:
        match event:
            case JobStarted(job):
                self._started(job)
                return []
            case AlgorithmExhausted():
                self._complete = True
            case Reached(trial) if history.trials[trial].complete:
                pass
            case Ended(trial) if not history.trials[trial].stopped_by_budget:
                pass
            case _:
                return []
        return self._next_generation(history) if self._settled(history) else []

    def plan(self) -> Plan:
        members = int(min(self._size, self._limit))
        generations = math.ceil(self.max_epochs / self._interval)
        trials = members + self._replaced(members) * (generations - 1)
        note = f"{members} members, compared every {self._interval} epochs"
        rung = Rung(members, self.max_epochs)
        return Plan(((rung,),), trials, members * self.max_epochs, (note,))

    def _started(self, job: Job) -> None:
        match job:
            case Start(trial):
                self._members.append(trial)
                self._complete = len(self._members) == self._size
            case Fork(trial) if self._forks:
                place, _ = self._forks.pop(0)
                self._members[place] = trial
            case Resume(trial) if trial in self._resumes:
                self._resumes.remove(trial)

    def _settled(self, history: History) -> bool:
        """Whether the generation is over: none of its members has epochs left to train."""
        if not self._complete or self._over or self._forks or self._resumes:
            return False
        return all(self._is_done(history.trials[member]) for member in self._members)

    def _is_done(self, trial: Trial) -> bool:
        reached = trial.status is not Status.RUNNING and trial.epoch >= self._until
        return reached or not _continues(trial)

    def _alive(self, history: History) -> list[int]:
        return [member for member in self._members if _continues(history.trials[member])]

    def _next_generation(self, history: History) -> Decisions:
        """Determines replaced, copied and continuing members; returns the stopped ones."""
        alive = self._alive(history)
        if self._until >= self.max_epochs or not alive:
            self._over = True
            return [(member, Decision.STOP) for member in alive]
        ranks = {m: self._rank(history.trials[m], self._since, self._until) for m in alive}
        ranked = sorted(alive, key=lambda member: ranks[member])
        good = [member for member in ranked if ranks[member][0] < math.inf]
        count = self._replaced(len(good))
        best = good[: max(1, count)]
        lost = {*good[len(good) - count :], *(m for m in ranked if m not in good and good)}
        stream(history.seed, "exploit", self._until).shuffle(best)
        places = [
            place
            for place, member in enumerate(self._members)
            if member in lost or history.trials[member].status is Status.FAILED
        ]
        if best:
            self._forks = [(place, best[i % len(best)]) for i, place in enumerate(places)]
        self._resumes = [member for member in alive if member not in lost]
        self._since = self._until
        self._until = min(self._until + self._interval, self.max_epochs)
        return [(member, Decision.STOP) for member in alive if member in lost]

    def _replaced(self, members: int) -> int:
        """Returns how many members of a population are replaced because of their rank."""
        return max(1, int(self._quantile * members)) if members > 1 and self._quantile > 0 else 0

    def _rank(self, trial: Trial, since: int, until: int) -> tuple[float, float, int]:
        """Returns a sort key, less is better: the state at the end of a generation."""
        cost = trial.objective.cost
        found = list(last_metrics(trial, since, until))
        costs = [cost(metrics.get(trial.objective.name, math.nan)) for metrics in found]
        losses = [metrics.get(trial.objective.loss, math.inf) for metrics in found]
        if len(found) < trial.runs:
            return (math.inf, math.inf, trial.number)
        loss = statistics.fmean(losses)
        return (statistics.fmean(costs), loss if loss == loss else math.inf, trial.number)

    def _fork(self, algorithm: Algorithm, history: History, parent: int) -> Fork:
        config = self._explored(algorithm, history, parent)
        return Fork(history.next_trial, parent, self._since, config, self._until)

    def _explored(self, algorithm: Algorithm, history: History, parent: int) -> Config:
        """Returns the values of a copy of `parent`."""
        rng = stream(history.seed, "explore", history.next_trial)
        config, space = history.trials[parent].config, algorithm.space
        if self._explore == "perturb":
            return space.perturb(config, rng, self._mutate, self._resample)
        from kerashpo.schedulers.pb2 import propose

        copies = [history.trials[m] for m in self._members]
        pending = [
            (copy.config, self._cost(history.trials[copy.parent], self._since))
            for copy in copies
            if copy.parent is not None and copy.forked_at == self._since
        ]
        start = (self._until, self._cost(history.trials[parent], self._since))
        observed = self._observed(history)
        return propose(space, self._mutate, config, observed, start, pending, self._resample, rng)

    def _observed(self, history: History) -> list[Observation]:
        """Returns the observations of all members in all generations so far, in order."""
        from kerashpo.schedulers.pb2 import Observation

        found = []
        for until in range(self._interval, self._since + 1, self._interval):
            for trial in history.trials.values():
                since = until - self._interval
                before = trial
                if trial.parent is not None and trial.forked_at == since:
                    before = history.trials[trial.parent]
                if any(since < epoch <= until for epoch in trial.reports.get(0, ())):
                    costs = self._cost(before, since), self._cost(trial, until)
                    found.append(Observation(until, trial.config, *costs))
        return found

    def _cost(self, trial: Trial, epoch: int) -> float:
        """Returns a trial's cost at the end of the generation whose last epoch is given."""
        return self._rank(trial, epoch - self._interval, epoch)[0]


def check_mutate(space: Space, names: Sequence[str] | None) -> None:
    """Raises InvalidInput if `mutate` names a parameter that is unknown or has a single value."""
    if isinstance(names, str):
        raise InvalidInput(f"mutate must be a list of names, e.g. [{names!r}].")
    free = {param.name for param in space.free}
    for name in names or ():
        if name not in space.names:
            hint = nearest(name, space.names)
            raise InvalidInput(f"mutate names {name!r}, which is no parameter.{hint}")
        if name not in free:
            raise InvalidInput(f"mutate names {name!r}, which has one value only.")


def refuse_max_trials(max_trials: object) -> None:
    """Raises InvalidInput if a limit of trials is given, which would end a population anywhere."""
    if max_trials is not None:
        raise InvalidInput(
            "max_trials has no meaning under 'pbt', whose copies are trials too: population, "
            "interval and max_epochs say how many there are."
        )


def _continues(trial: Trial) -> bool:
    return trial.stopped_by_budget or not trial.status.ended


def last_metrics(trial: Trial, first: int, until: int) -> Iterator[dict[str, float]]:
    """Yields for each run the last metrics with the objective after epochs (first, until]."""
    for run in range(trial.runs):
        known = {e: dict(r.metrics) for e, r in trial.reports.get(run, {}).items()}
        for epoch, metrics in trial.measured.get(run, {}).items():
            known[epoch] = known.get(epoch, {}) | dict(metrics)
        for epoch in sorted(known, reverse=True):
            if first < epoch <= until and trial.objective.name in known[epoch]:
                yield known[epoch]
                break
