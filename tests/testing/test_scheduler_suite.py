"""The suite of schedulers finds what is broken: each mutant breaks one promise."""

from __future__ import annotations

import pytest

from kerashpo.core.events import Ended, Reached, Reported
from kerashpo.core.records import Decision, Done, Plan, Rung, Start, Wait
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.testing import NotConforming, SchedulerCase, check_scheduler, schedulers


class Mutant(Scheduler):
    """A scheduler that passes on to another one."""

    def __init__(self, inner):
        self.inner = inner
        self.max_epochs = inner.max_epochs
        self.deterministic = inner.deterministic
        self.jobs = 0

    @property
    def endless(self):
        return self.inner.endless

    def next_job(self, algorithm, history):
        self.jobs += 1
        return self.inner.next_job(algorithm, history)

    def on_event(self, event, history):
        return self.inner.on_event(event, history)

    def plan(self):
        return self.inner.plan()


class PromisesTooLittle(Mutant):
    def plan(self):
        return Plan(((Rung(1, 1),),), 1, 1)


class NeverStops(Mutant):
    """Starts one trial more than it promised."""

    def next_job(self, algorithm, history):
        job = super().next_job(algorithm, history)
        if isinstance(job, Done) and history.next_trial <= self.plan().trials:
            return Start(history.next_trial, algorithm.ask(history.next_trial, history), 1)
        return job

    def on_event(self, event, history):
        if isinstance(event, (Reached, Ended)) and event.trial >= self.plan().trials:
            return []
        if getattr(getattr(event, "job", None), "trial", 0) >= self.plan().trials:
            return []
        return self.inner.on_event(event, history)


class CountsItsJobs(Mutant):
    """State that a replay does not rebuild: longer trials after ten jobs."""

    def next_job(self, algorithm, history):
        job = super().next_job(algorithm, history)
        if isinstance(job, Start) and self.jobs > 5:
            return Start(job.trial, job.config, 1)
        return job


class FirstComeFirstServed(Mutant):
    """Stops whoever reports the second epoch after three others."""

    second = 0

    def on_event(self, event, history):
        if isinstance(event, Reported) and event.report.epoch == 2:
            self.second += 1
            if self.second % 3 == 0:
                return [(event.report.trial, Decision.STOP)]
        return self.inner.on_event(event, history)


class WaitsForTheFailed(Mutant):
    def next_job(self, algorithm, history):
        return Wait() if history.failed else super().next_job(algorithm, history)


class WaitsForTheEarly(Mutant):
    def next_job(self, algorithm, history):
        early = any(t.reason == "early stopping" for t in history.trials.values())
        return Wait() if early else super().next_job(algorithm, history)


class LikesNumbersHigh(Mutant):
    """Gives up while the sum of scores is below zero."""

    def next_job(self, algorithm, history):
        total = sum(t.score or 0.0 for t in history.trials.values())
        return Done() if total < -1 else super().next_job(algorithm, history)


class WaitsWhenExhausted(Mutant):
    def next_job(self, algorithm, history):
        job = super().next_job(algorithm, history)
        return Wait() if isinstance(job, Done) and len(history.trials) < 17 else job


class EndlessInSecret(Mutant):
    endless = False


def hyperband(mutant):
    return SchedulerCase(lambda: mutant(Hyperband(9, 3)))


def full(mutant):
    return SchedulerCase(lambda: mutant(Full(3)), max_trials=12)


@pytest.mark.parametrize(
    "case, check",
    [
        (hyperband(PromisesTooLittle), "keeps_its_plan"),
        (hyperband(NeverStops), "keeps_its_plan"),
        (
            SchedulerCase(lambda: EndlessInSecret(Hyperband(9, 3, None)), max_trials=9),
            "ends_unless_endless",
        ),
        (full(CountsItsJobs), "resumes_from_any_cut"),
        (full(CountsItsJobs), "resumes_after_a_second_cut"),
        (full(FirstComeFirstServed), "ignores_the_order_of_reports"),
        (full(FirstComeFirstServed), "survives_a_cut_with_workers"),
        (hyperband(WaitsForTheFailed), "tolerates_a_failure_anywhere"),
        (hyperband(WaitsForTheFailed), "tolerates_many_failures"),
        (hyperband(WaitsForTheEarly), "lets_trials_end_early"),
        (full(LikesNumbersHigh), "maximises_as_it_minimises"),
        (hyperband(WaitsWhenExhausted), "fits_a_small_space"),
        (full(FirstComeFirstServed), "breaks_ties_the_same_way"),
    ],
)
def test_a_broken_scheduler_is_found(case, check):
    with pytest.raises(NotConforming):
        getattr(schedulers, check)(case)


@pytest.mark.parametrize("case", [hyperband(Mutant), full(Mutant)])
def test_the_unbroken_ones_conform(case):
    check_scheduler(case)
