"""The conformance suite of schedulers. Every check runs whole studies on curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np

from kerashpo.core.history import History
from kerashpo.core.records import Budget, Config
from kerashpo.executors.base import Executor
from kerashpo.schedulers.asha import ASHA, StoppingASHA
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.median_stopping import MedianStopping
from kerashpo.schedulers.pbt import PBT
from kerashpo.schedulers.successive_halving import Halving
from kerashpo.study.loop import Limits
from kerashpo.testing.cases import SIX, require
from kerashpo.testing.curve_runner import (
    METRIC,
    OTHER,
    Curve,
    Done,
    InterleavedExecutor,
    two_waves,
    wave,
)
from kerashpo.testing.curve_study import CurveStudy, statuses, trained


@final
@dataclass(frozen=True, slots=True)
class SchedulerCase:
    """A scheduler under test; keep it small, such as 9 epochs by a factor of 3.

    Attributes:
        make: builds a fresh one.
        max_trials: a bound for a scheduler that is endless.
    """

    make: Callable[[], Scheduler]
    max_trials: int | None = None

    @property
    def deterministic(self) -> bool:
        """Whether it declares that the order of reports changes nothing."""
        return self.make().deterministic

    def search(self, curve: Curve = wave) -> CurveStudy:
        """Returns a search under the scheduler with one worker."""
        return CurveStudy(self.make, curve, limits=Limits(Budget(max_trials=self.max_trials)))


CASES: Final[dict[str, SchedulerCase]] = {
    "full": SchedulerCase(lambda: Full(4), max_trials=7),
    "halving": SchedulerCase(lambda: Halving(9, 3)),
    "halving in a few trials": SchedulerCase(lambda: Halving(9, 3), max_trials=5),
    "hyperband": SchedulerCase(lambda: Hyperband(9, 3)),
    "hyperband twice": SchedulerCase(lambda: Hyperband(4, 2, iterations=2)),
    "hyperband in a few trials": SchedulerCase(lambda: Hyperband(9, 3), max_trials=11),
    "asha": SchedulerCase(lambda: ASHA(9, 3, limit=12), max_trials=12),
    "asha stopping": SchedulerCase(lambda: StoppingASHA(9, 3, limit=12), max_trials=12),
    "median": SchedulerCase(lambda: MedianStopping(5, limit=9), max_trials=9),
    "pbt": SchedulerCase(lambda: PBT(7, population=4, interval=2)),
}
"""The schedulers of the package, by name."""


def keeps_its_plan(case: SchedulerCase) -> None:
    """No more trials and epochs than planned, and no trial beyond `max_epochs`."""
    history, scheduler = case.search().history(), case.make()
    plan = scheduler.plan()
    longest = max(trial.epoch for trial in history.trials.values())
    require(longest == scheduler.max_epochs, f"the longest trial has {longest} epochs")
    for name, spent, promised in (
        ("trials", len(history.trials), plan.trials),
        ("epochs", history.epochs, plan.epochs),
    ):
        within = promised is None or spent <= promised
        require(within, f"{spent} {name} where plan() promised {promised}")
        exact = promised is None or case.max_trials is not None or spent == promised
        require(exact, f"{spent} {name} where plan() promised exactly {promised}")


def ends_unless_endless(case: SchedulerCase) -> None:
    """Without a bound a scheduler that is not endless ends on an infinite space."""
    if not case.make().endless:
        most = 2_000
        search = replace(case.search(), limits=Limits(Budget(max_epochs_total=most)))
        require(search.history().epochs < most, f"not endless, it continued for {most} epochs")


def leaves_no_trial_open(case: SchedulerCase) -> None:
    """At the end no trial is running or paused, and the study records why it ended."""
    _require_ended(case.search().history())


def trains_each_epoch_once(case: SchedulerCase) -> None:
    """The epochs of a trial are 1, 2, ... without gaps; those of a fork follow its origin."""
    for trial in case.search().history().trials.values():
        epochs, first = sorted(trial.reports[0]), trial.forked_at + 1
        expected = list(range(first, first + len(epochs)))
        require(epochs == expected, f"trial {trial.number}: {epochs}")


def forks_states_that_were_reached(case: SchedulerCase) -> None:
    """A fork lies in the space, and starts from an epoch that its parent was trained to."""
    search = case.search()
    history = search.history()
    for trial in history.trials.values():
        require(trial.config in search.space, f"trial {trial.number}: {trial.config}")
        if trial.parent is not None:
            reached = history.trials[trial.parent].epoch
            where = f"trial {trial.number} forks trial {trial.parent} after {trial.forked_at}"
            require(trial.forked_at <= reached, f"{where}, which has {reached} epochs")


def resumes_from_any_cut(case: SchedulerCase) -> None:
    """Cut after any event, a resumed study ends in the same (configuration, epoch) pairs."""
    search = case.search()
    log = search.run()
    whole = History(log)
    for cut in range(1, len(log)):
        resumed = search.history(log[:cut])
        same = trained(resumed) == trained(whole) and statuses(resumed) == statuses(whole)
        require(same, f"cut after event {cut} of {len(log)}, {log[cut - 1]!r}, it ended otherwise")


def resumes_after_a_second_cut(case: SchedulerCase) -> None:
    """A study that was cut, resumed and cut again ends in the same pairs."""
    search = case.search()
    log = search.run()
    for cut in range(1, len(log), 7):
        again = search.run(log[:cut])
        resumed = search.history(again[: (cut + len(again)) // 2])
        require(trained(resumed) == trained(History(log)), f"cut twice, first after event {cut}")


def ignores_the_order_of_reports(case: SchedulerCase) -> None:
    """With several workers the order of reports changes nothing, if it is deterministic."""
    searches = [
        replace(case.search(), executor=_workers(workers, seed))
        for workers, seed in ((1, 0), (3, 1), (3, 2), (8, 3))
    ]
    histories = [search.history() for search in searches]
    for history in histories:
        _require_ended(history)
        same = trained(history) == trained(histories[0]) or not case.deterministic
        require(same, "the order of the reports changed what was trained")


def survives_a_cut_with_workers(case: SchedulerCase) -> None:
    """Cut while several trials are running, every one of them is continued to an end."""
    search = replace(case.search(), executor=_workers(3, 0))
    log = search.run()
    for cut in range(1, len(log), 5):
        history = search.history(log[:cut])
        _require_ended(history)
        same = trained(history) == trained(History(log)) or not case.deterministic
        require(same, f"three workers cut after event {cut} ended otherwise")


def tolerates_a_failure_anywhere(case: SchedulerCase) -> None:
    """Whichever trial fails, at its first or a later epoch, others reach the last rung."""
    log, top = case.search().history(), case.make().max_epochs
    for number, trial in log.trials.items():
        # The only trial of a last rung may fail there: then none is left to reach its end.
        for epoch in {1, trial.epoch} - {top}:
            history = case.search(_failing({number: epoch}, log)).history()
            _require_ended(history)
            _require_summit(history, case, f"trial {number} failed at epoch {epoch}")


def tolerates_many_failures(case: SchedulerCase) -> None:
    """A third, all but one, or all of the trials fail: the study still ends."""
    log = case.search().history()
    for survives in (lambda n: n % 3 != 0, lambda n: n == 1, lambda _: False):
        failing = {number: 1 for number in log.trials if not survives(number)}
        _require_ended(case.search(_failing(failing, log)).history())


def _wave_with_nan(bad: Callable[[int], bool]) -> Curve:
    return lambda config, epoch: math.nan if bad(epoch) else wave(config, epoch)


def _wave_through(last: int) -> Curve:
    return lambda config, epoch: None if epoch > last else wave(config, epoch)


def tolerates_nan(case: SchedulerCase) -> None:
    """NaN in the first epoch, in later ones or in all neither blocks a trial nor makes it best."""
    for bad in (lambda epoch: epoch == 1, lambda epoch: epoch > 1, lambda _: True):
        history = case.search(_wave_with_nan(bad)).history()
        _require_ended(history)
        best = history.best
        require(best is None or best.score is not None, "a trial without a score is the best one")


def breaks_ties_the_same_way(case: SchedulerCase) -> None:
    """Equal scores everywhere: the lower trial number is promoted, in any order of reports."""
    search = case.search(lambda config, epoch: 1.0)
    histories = [
        replace(search, executor=_workers(workers, seed)).history()
        for workers, seed in ((1, 0), (3, 1))
    ]
    one, several = (trained(history) for history in histories)
    require(one == several or not case.deterministic, "ties were broken by the order of reports")


def lets_trials_end_early(case: SchedulerCase) -> None:
    """A trial that ends by early stopping keeps its score, and no rung waits for it."""
    for last in (1, 2, 3):
        search = case.search(_wave_through(last))
        history = search.history()
        _require_ended(history)
        best = history.best
        require(best is not None and best.epoch <= last, f"early stopping after {last} epochs")


def fits_a_small_space(case: SchedulerCase) -> None:
    """A space smaller than the plan is searched to the last rung."""
    history = replace(case.search(), space=SIX).history()
    _require_ended(history)
    _require_summit(history, case, "6 configurations")


def maximises_as_it_minimises(case: SchedulerCase) -> None:
    """Maximising -f trains what minimising f does."""
    least = case.search().history()
    most = replace(case.search(_negated), direction="max").history()
    require(trained(least) == trained(most), "maximising -f trained otherwise")


def stops_at_its_budget(case: SchedulerCase) -> None:
    """`max_epochs_total` is met exactly, and a raised one continues to the same end."""
    search = case.search()
    whole = search.history()
    half = whole.epochs // 2
    budget = Budget(max_trials=case.max_trials, max_epochs_total=half)
    log = replace(search, limits=Limits(budget)).run()
    cut = History(log)
    _require_ended(cut)
    require(cut.epochs == half, f"{cut.epochs} epochs trained under a budget of {half}")
    require(trained(search.history(log)) == trained(whole), "extended, it ended otherwise")


def _two(case: SchedulerCase) -> CurveStudy:
    """Returns a search with two objectives."""
    return replace(case.search(two_waves), others=((OTHER, "min"),))


def promotes_by_two_objectives(case: SchedulerCase) -> None:
    """With two objectives the study ends, resumes, and does not depend on their signs."""
    if not case.make().several:
        return
    log = _two(case).run()
    whole = History(log)
    _require_ended(whole)
    _require_summit(whole, case, "two objectives")
    for cut in range(1, len(log), 11):
        same = trained(_two(case).history(log[:cut])) == trained(whole)
        require(same, f"two objectives, cut after event {cut} of {len(log)}, ended otherwise")
    turned = replace(_two(case), curve=_turned, direction="max").history()
    require(trained(turned) == trained(whole), "maximising one of two objectives trained otherwise")


def ignores_the_order_of_reports_of_two_objectives(case: SchedulerCase) -> None:
    """Two objectives and several workers: the order of reports changes nothing."""
    if not (case.make().several and case.deterministic):
        return
    one, several = (
        replace(_two(case), executor=_workers(workers, seed)).history()
        for workers, seed in ((1, 0), (3, 1))
    )
    require(trained(one) == trained(several), "two objectives: the order of reports mattered")


def _turned(config: Config, epoch: int) -> Mapping[str, float]:
    metrics = two_waves(config, epoch)
    return {**metrics, METRIC: -metrics[METRIC]}


CHECKS: Final[tuple[Callable[[SchedulerCase], None], ...]] = (
    keeps_its_plan,
    ends_unless_endless,
    leaves_no_trial_open,
    trains_each_epoch_once,
    forks_states_that_were_reached,
    resumes_from_any_cut,
    resumes_after_a_second_cut,
    ignores_the_order_of_reports,
    survives_a_cut_with_workers,
    tolerates_a_failure_anywhere,
    tolerates_many_failures,
    tolerates_nan,
    breaks_ties_the_same_way,
    lets_trials_end_early,
    fits_a_small_space,
    maximises_as_it_minimises,
    stops_at_its_budget,
    promotes_by_two_objectives,
    ignores_the_order_of_reports_of_two_objectives,
)


def check_scheduler(case: SchedulerCase) -> None:
    """Runs every check.

    Raises:
        NotConforming: for the first check that fails.
    """
    for check in CHECKS:
        check(case)


def _workers(count: int, seed: int) -> Callable[[Curve, Done], Executor]:
    rng = np.random.default_rng
    return lambda curve, done: InterleavedExecutor(curve, count, rng(seed), done)


def _negated(config: Config, epoch: int) -> float:
    return -wave(config, epoch)


def _failing(failing: dict[int, int], like: History) -> Curve:
    """Returns a curve on which the given trials of `like` fail at the given epochs."""
    doomed = [(like.trials[number].config, epoch) for number, epoch in failing.items()]

    def curve(config: Config, epoch: int) -> float:
        if (config, epoch) in doomed:
            raise RuntimeError(f"fails at epoch {epoch}")
        return wave(config, epoch)

    return curve


def _require_ended(history: History) -> None:
    require(not history.running, f"still running: {sorted(history.running)}")
    require(not history.paused, f"still paused: {sorted(history.paused)}")
    require(history.finished, f"the study is not finished, but {history.stopped!r}")
    stuck = history.stopped == "nothing left to wait for"
    require(not stuck, "it waited for an event that never came")


def _require_summit(history: History, case: SchedulerCase, what: str) -> None:
    longest = max(trial.epoch for trial in history.trials.values())
    top = case.make().max_epochs
    require(longest == top, f"{what}: the longest trial has {longest} of {top} epochs")
