"""Population-based training on curves: who is copied, who is replaced, and what is counted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import JobStarted
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Fork, Resume, Start, Status
from kerashpo.schedulers.pb2 import Observation, propose
from kerashpo.schedulers.pbt import PBT
from kerashpo.schedulers.registry import make_scheduler, scheduler_of
from kerashpo.space import Space, choice, uniform
from kerashpo.study.loop import Limits
from kerashpo.testing.curve_study import CurveStudy, jobs

SPACE = Space({"x": uniform(0.0, 1.0), "kind": choice(["a", "b"])})


def slope(config, epoch):
    """The lower x, the better, and the more so the longer it is trained."""
    return float(config["x"]) - 0.01 * epoch


def pbt(curve=slope, **options):
    arguments = {"max_epochs": 6, "population": 4, "interval": 2} | options
    return CurveStudy(lambda: PBT(**arguments), curve, SPACE)


def members(history: History, epoch: int) -> list[int]:
    """The trials that were trained in an epoch."""
    return [t.number for t in history.trials.values() if epoch in t.reports.get(0, {})]


def test_the_worst_become_copies_of_the_best():
    log = pbt().run()
    history = History(log)
    first = sorted(range(4), key=lambda n: history.trials[n].config["x"])
    fork = history.trials[4]
    assert (fork.parent, fork.forked_at) == (first[0], 2)
    assert history.trials[first[-1]].status is Status.STOPPED
    assert members(history, 4) == sorted({0, 1, 2, 3, 4} - {first[-1]})
    done = [t for t in history.trials.values() if t.status is Status.COMPLETED]
    assert len(done) == 4 and all(t.epoch == 6 for t in done)
    assert history.epochs == 4 * 6 == PBT(6, 4, 2).plan().epochs
    assert len(history.trials) == 6 == PBT(6, 4, 2).plan().trials


def test_all_members_start_before_any_continues_and_forks_before_their_parents():
    started = [e.job for e in pbt().run() if isinstance(e, JobStarted)]
    kinds = [type(job) for job in started]
    generation = [Fork, *[Resume] * 3]
    assert kinds == [*[Start] * 4, *generation, *generation]
    assert [job.until for job in started] == [2] * 4 + [4] * 4 + [6] * 4


def test_a_copy_has_other_values_near_its_parents():
    history = pbt(population=8, resample=0.0, max_epochs=12).history()
    forks = [t for t in history.trials.values() if t.parent is not None]
    steps = [abs(f.config["x"] - history.trials[f.parent].config["x"]) for f in forks]
    assert len(forks) == 10 and min(steps) > 0 and max(steps) < 0.5
    assert all(f.config["kind"] == history.trials[f.parent].config["kind"] for f in forks)


def test_only_what_may_change_changes():
    history = pbt(population=8, resample=1.0, mutate=["kind"]).history()
    forks = [t for t in history.trials.values() if t.parent is not None]
    assert all(f.config["x"] == history.trials[f.parent].config["x"] for f in forks)


def test_copies_are_shared_out_among_the_best():
    history = pbt(population=8, interval=3).history()
    assert len({t.parent for t in history.trials.values() if t.forked_at == 3}) == 2


def test_members_are_compared_by_the_last_value_of_the_generation():
    """What is copied is the last state, not the best one."""

    def falls_back(config, epoch):
        best_once = config["x"] < 0.5 and epoch == 1
        return -10.0 if best_once else float(config["x"] < 0.5)

    history = pbt(falls_back, population=8).history()
    fork = next(t for t in history.trials.values() if t.parent is not None)
    assert history.trials[fork.parent].config["x"] >= 0.5


@pytest.mark.parametrize("value", [math.nan, None, "fails"])
def test_who_has_no_value_is_replaced(value):
    whole = pbt().history()
    lost = [whole.trials[n].config["x"] for n in (0, 1, 2)]

    def curve(config, epoch):
        if config["x"] in lost and epoch == 2:
            if value == "fails":
                raise RuntimeError("fails")
            return value
        return slope(config, epoch)

    history = pbt(curve).history()
    copies = [t for t in history.trials.values() if t.forked_at == 2]
    if value is None:  # the user's early stopping: they are done
        assert not copies
    else:
        assert len(copies) == 3 and {t.parent for t in copies} == {3}
    assert history.finished and not history.running


def test_a_value_that_is_measured_every_second_epoch_counts():
    def curve(config, epoch):
        value = slope(config, epoch)
        return {"value": value, "loss": 1.0} if epoch % 2 else {"loss": 1.0}

    history = pbt(curve).history()
    first = min(range(4), key=lambda n: history.trials[n].config["x"])
    assert history.trials[4].parent == first


def test_no_trial_is_left_where_all_fail():
    def curve(config, epoch):
        raise RuntimeError("fails")

    history = pbt(curve).history()
    assert len(history.trials) == history.failed == 4 and history.finished


def test_no_member_is_copied_where_no_value_is_finite():
    history = pbt(lambda config, epoch: math.nan).history()
    assert len(history.trials) == 4 and history.epochs == 24


def test_a_population_of_one_is_full_training():
    history = pbt(population=1).history()
    assert [t.epoch for t in history.trials.values()] == [6]


def test_two_members_copy_each_other():
    history = pbt(population=2).history()
    assert len(history.trials) == 4 and PBT(6, 2, 2).plan().trials == 4


def test_no_quantile_replaces_no_member():
    history = pbt(quantile=0.0).history()
    assert len(history.trials) == 4 == PBT(6, 4, 2, quantile=0.0).plan().trials


def test_the_last_generation_may_be_shorter():
    log = pbt(max_epochs=5).run()
    assert {until for _, _, until in jobs(log)} == {2, 4, 5}
    assert History(log).epochs == 20


def test_an_interval_beyond_the_end_compares_no_trial():
    assert len(pbt(interval=9).history().trials) == 4


def test_a_space_smaller_than_the_population_is_the_population():
    search = replace(pbt(lambda c, e: float(c["kind"] == "a")), space=Space({"kind": choice("ab")}))
    history = search.history()
    assert {t.number for t in history.trials.values() if t.parent is None} == {0, 1}
    assert history.trials[2].parent is not None


@pytest.mark.parametrize("total", range(1, 24, 5))
def test_a_raised_budget_continues_to_the_same_end(total):
    search, whole = pbt(), pbt().history()
    log = replace(search, limits=Limits(Budget(max_epochs_total=total))).run()
    assert History(log).epochs == total
    history = search.history(log)
    curves = [{n: t.reports for n, t in h.trials.items()} for h in (whole, history)]
    assert curves[0].keys() == curves[1].keys()
    assert all(curves[0][n][0].keys() == curves[1][n][0].keys() for n in curves[0])
    configs = [{n: t.config for n, t in h.trials.items()} for h in (whole, history)]
    assert configs[0] == configs[1]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"population": 0}, "population"),
        ({"interval": 0}, "interval"),
        ({"quantile": 0.6}, "quantile must be at most 0.5"),
        ({"quantile": -0.1}, "quantile"),
        ({"resample": 1.5}, "resample must be at most 1.0"),
        ({"explore": "peturb"}, "perturb"),
    ],
)
def test_invalid_values_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        make_scheduler("pbt", 10, options)


def test_the_registry_builds_it_from_a_studys_settings():
    found = scheduler_of({"scheduler": "pbt", "max_epochs": 9, "population": 3, "interval": 3})
    assert isinstance(found, PBT) and found.plan().epochs == 27


def proposals(space, parent, observed, pending=(), seeds=range(6), resample=0.25):
    start = (8, 1.0)
    return [
        propose(space, None, parent, observed, start, pending, resample, np.random.default_rng(s))
        for s in seeds
    ]


def test_a_gaussian_process_steps_from_the_parent_towards_what_gained_most():
    """A tenth of the range around 0.8 gained most in three generations."""
    space, rng = Space({"x": uniform(0.0, 1.0)}), np.random.default_rng(0)
    observed = [
        Observation(epoch, {"x": x}, before=1.0, after=1.0 - 0.1 * (abs(x - 0.8) < 0.1))
        for epoch in (2, 4, 6)
        for x in rng.random(12)
    ]
    below, above = (
        np.array([config["x"] for config in proposals(space, {"x": parent}, observed)])
        for parent in (0.65, 0.95)
    )
    assert np.all(below > 0.65) and np.all(above < 0.95)
    # Steps, not jumps: a value far from what gained most stays far from it at first.
    assert all(config["x"] < 0.4 for config in proposals(space, {"x": 0.1}, observed))


def test_a_gaussian_process_spreads_copies_that_are_proposed_together():
    space = Space({"x": uniform(0.0, 1.0)})
    observed = [Observation(2, {"x": x}, 1.0, 0.9) for x in (0.1, 0.9)]
    for seed in range(3):
        first = proposals(space, {"x": 0.5}, observed, seeds=[seed])[0]
        second = proposals(space, {"x": 0.5}, observed, [(first, 1.0)] * 3, seeds=[seed])[0]
        assert (first["x"] - 0.5) * (second["x"] - 0.5) < 0


def test_a_gaussian_process_chooses_among_choices_that_are_resampled():
    space, rng = Space({"kind": choice(["a", "b"])}), np.random.default_rng(0)
    observed = [
        Observation(epoch, {"kind": kind}, 1.0, 0.9 if kind == "b" else 1.0 + 1e-3 * rng.random())
        for epoch in (2, 4, 6)
        for kind in "aabb"
    ]
    assert {c["kind"] for c in proposals(space, {"kind": "a"}, observed, resample=1.0)} == {"b"}
    assert {c["kind"] for c in proposals(space, {"kind": "a"}, observed, resample=0.0)} == {"a"}


def test_a_gaussian_process_bears_costs_that_are_not_finite():
    space = Space({"x": uniform(0.0, 1.0), "kind": choice(["a", "b"])})
    config = {"x": 0.5, "kind": "a"}
    for costs in ([math.inf] * 3, [1.0, math.inf, 0.5], [1.0], []):
        observed = [Observation(2, config, math.inf, cost) for cost in costs]
        rng = np.random.default_rng(0)
        found = propose(space, ["x"], config, observed, (4, math.inf), [], 0.25, rng)
        assert found in space


def test_bayesian_copies_take_the_same_values_after_any_cut():
    search = pbt(explore="bayesian", max_epochs=4)
    log = search.run()
    for cut in range(9, len(log), 4):
        again = search.history(log[:cut])
        assert [t.config for t in again.trials.values()] == [
            t.config for t in History(log).trials.values()
        ]


class Falling:
    """A problem whose epochs depend on those before."""

    space = SPACE
    direction, max_epochs = "min", 6

    def advance(self, state, config):
        total = (state or 0.0) + float(config["x"])
        return total, total, 1.0


def test_a_simulated_copy_continues_from_its_parents_state():
    found = kt.simulate(Falling(), tuner="pbt", population=4, interval=2, seed=0)
    for trial in found.history.trials.values():
        values = dict(trial.curve())
        if trial.parent is not None:
            before = dict(found.history.trials[trial.parent].curve())[trial.forked_at]
            first = values[trial.forked_at + 1]
            assert first == pytest.approx(before + float(trial.config["x"]))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"mutate": ["y"]}, "'y', which is no parameter"),
        ({"max_trials": 9}, "max_trials has no meaning under 'pbt'"),
        ({"factor": 3, "quantile": 0.7}, "quantile must be at most 0.5"),
    ],
)
def test_a_simulation_refuses_invalid_values(options, message):
    with pytest.raises(InvalidInput, match=message):
        kt.simulate(Falling(), tuner="pbt", **options)
