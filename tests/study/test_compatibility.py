"""Going on with more: a wider space, further parameters, more epochs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kerashpo import optimize, space
from kerashpo.core.errors import InvalidInput, StudyMismatch
from kerashpo.core.events import Ended, Extended, JobStarted, Reached, Reported, SpaceGrown
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Report, Start, Status
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.asha import ASHA
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.space import Space
from kerashpo.study.compatibility import StudySpec, differences, is_wider
from kerashpo.study.loop import Limits
from kerashpo.study.open import open_or_create, read_log
from kerashpo.study.run_study import SearchParts, run_study
from kerashpo.study.study import open_study
from kerashpo.testing.curve_runner import CurveRunner

WISH = StudySpec(Space({"x": space.uniform(0, 1)}).to_json(), (("value", "min"),), 0, {"epochs": 2})


def of(**params):
    return replace(WISH, space=Space(params).to_json())


def body(domain):
    (param,) = Space({"x": domain}).to_json()["params"]
    return param


@pytest.mark.parametrize(
    "was, now, wider",
    [
        (space.uniform(0, 1), space.uniform(-1, 2), True),
        (space.uniform(0, 1), space.uniform(0.1, 2), False),
        (space.uniform(0, 1), space.integer(0, 1), False),
        (space.loguniform(0.1, 1), space.loguniform(0.01, 1), True),
        (space.loguniform(0.1, 1), space.uniform(0, 1), False),
        (space.integer(8, 64, step=8), space.integer(0, 128, step=8), True),
        (space.integer(8, 64, step=8), space.integer(4, 128, step=8), False),
        (space.integer(8, 64, step=8), space.integer(8, 64, step=4), False),
        (space.choice(["a", "b"]), space.choice(["c", "b", "a"]), True),
        (space.choice(["a", "b"]), space.choice(["a", "c"]), False),
        (space.choice([1, 2], ordered=True), space.choice([1, 2]), False),
        (space.choice([(1,), (2,)]), space.choice([(1,), (2,), (3,)]), True),
        (space.choice([(1,), (2,)]), space.choice([(2,), (1,), (3,)]), False),
        (space.fixed(1), space.fixed(2), False),
    ],
)
def test_what_is_wider(was, now, wider):
    assert is_wider(body(was), body(now)) is wider


def search(wish, folder, scheduler, trials, resume="exact"):
    """Searches on curves in a folder; returns the history."""
    opened = open_or_create(wish, folder, scheduler, resume=resume)
    try:
        parts = SearchParts("random", scheduler, limits=Limits(Budget(max_trials=trials)))
        run_study(opened, parts, SerialExecutor(CurveRunner()))
    finally:
        opened.store.close()
    return opened.history


def test_a_wider_range_continues_with_the_earlier_trials(tmp_path):
    before = search(WISH, tmp_path, Full(2), 3)
    wider = of(x=space.uniform(-9, 9))
    with pytest.raises(StudyMismatch, match="resume='extend' to keep what was found"):
        search(wider, tmp_path, Full(2), 6)
    after = search(wider, tmp_path, Full(2), 6, "extend")
    assert [after.trials[n].config for n in range(3)] == [t.config for t in before.trials.values()]
    assert len(after.trials) == 6
    assert any(not 0 <= after.trials[n].config["x"] <= 1 for n in range(3, 6))
    # From now on the study is the wider one.
    assert len(search(wider, tmp_path, Full(2), 6).trials) == 6
    with pytest.raises(StudyMismatch):
        search(WISH, tmp_path, Full(2), 6, "extend")


def test_a_new_parameter_takes_its_default_in_earlier_trials(tmp_path):
    search(WISH, tmp_path, Full(2), 2)
    more = of(
        x=space.uniform(0, 1),
        kind=space.choice(["a", "b"]),
        **space.when("kind", "a", {"scale": space.integer(1, 9)}),
        **space.when("kind", "b", {"other": space.integer(1, 9)}),
    )
    after = search(more, tmp_path, Full(2), 4, "extend")
    whole = Space.from_json(more.space)
    assert all(trial.config in whole for trial in after.trials.values())
    assert after.trials[0].config["kind"] == "a" and "other" not in after.trials[0].config
    assert open_study(tmp_path).results.trials()["param_scale"].notna().any()


@pytest.mark.parametrize(
    "wish, line",
    [
        (of(x=space.uniform(0, 0.5)), "parameter 'x'"),
        (of(y=space.uniform(0, 1)), "parameter 'x': is gone"),
        (replace(WISH, seed=1), "seed: was 0, now 1"),
        (replace(WISH, objectives=(("loss", "min"),)), "objective"),
        (replace(WISH, settings={"epochs": 1}), "epochs: was 2, now 1"),
        (replace(WISH, settings={"epochs": 2, "algorithm": "grid"}), "algorithm"),
    ],
)
def test_what_does_not_widen_is_refused_all_the_same(wish, line, tmp_path):
    search(WISH, tmp_path, Full(2), 2)
    with pytest.raises(StudyMismatch, match=f"(?s){line}.*overwrite=True") as caught:
        search(wish, tmp_path, Full(2), 2, "extend")
    assert "extend" not in str(caught.value)
    assert not any(isinstance(event, Extended) for event in _events(tmp_path))


def _events(folder):
    return read_log(folder).events


def banded(kind, epochs, factor=3):
    settings = {"scheduler": kind, "max_epochs": epochs, "factor": factor, "min_epochs": 1}
    return replace(WISH, settings=settings)


def test_more_epochs_begin_hyperbands_brackets_again(tmp_path):
    before = search(banded("hyperband", 3), tmp_path, Hyperband(3), None)
    wish, scheduler = banded("hyperband", 9), Hyperband(9)
    after = search(wish, tmp_path, scheduler, None, "extend")
    assert len(after.trials) == len(before.trials) + scheduler.plan().trials
    assert after.epochs <= before.epochs + scheduler.plan().epochs
    assert max(trial.epoch for trial in after.trials.values()) == 9
    assert not after.running and not after.paused
    # Opened again it hears the same and has nothing left to do.
    again = search(wish, tmp_path, Hyperband(9), None)
    assert (len(again.trials), again.epochs) == (len(after.trials), after.epochs)


def test_a_search_cut_short_is_extended_without_its_open_rungs(tmp_path):
    opened = open_or_create(banded("hyperband", 3), tmp_path, Full(1))
    for n in range(2):
        opened.store.append(JobStarted(Start(n, {"x": n / 2}, 1), at=1.0))
    opened.store.append(Reported(Report(0, 0, 1, {"value": 1.0}, 1.0), at=1.0))
    opened.store.append(Reached(0, at=1.0))
    opened.store.close()
    after = search(banded("hyperband", 9), tmp_path, Hyperband(9), None, "extend")
    assert [after.trials[n].reason for n in range(2)] == ["extended", "extended"]
    assert after.trials[0].status is Status.STOPPED and after.trials[0].score == 1.0
    assert len(after.trials) == 2 + Hyperband(9).plan().trials


def test_ashas_rungs_continue_upwards(tmp_path):
    before = search(banded("asha", 3), tmp_path, ASHA(3), 9)
    after = search(banded("asha", 9), tmp_path, ASHA(9), 27, "extend")
    assert len(after.trials) == 27
    assert max(trial.epoch for trial in after.trials.values()) == 9
    assert [after.trials[n].config for n in range(9)] == [t.config for t in before.trials.values()]


@pytest.mark.parametrize(
    "kind, was, now, restarts",
    [
        ("asha", 9, 27, False),
        ("asha", 10, 27, True),
        ("asha_stopping", 9, 27, True),
        ("hyperband", 9, 27, True),
    ],
)
def test_other_rungs_restart(kind, was, now, restarts, tmp_path):
    opened = open_or_create(banded(kind, was), tmp_path, Full(1))
    opened.store.close()
    (found,) = differences(banded(kind, now), opened.history)
    assert (found.widens, found.restarts) == (True, restarts)


def test_parameters_that_turned_up_stay(tmp_path):
    opened = open_or_create(WISH, tmp_path, Full(1))
    opened.store.append(JobStarted(Start(0, {"x": 0.5, "late": 3}, 1), at=1.0))
    late = {"name": "late", "kind": "int", "low": 1, "high": 9}
    opened.store.append(SpaceGrown(0, (late,), at=1.0))
    opened.store.append(Ended(0, Status.COMPLETED, "completed", at=1.0))
    opened.store.close()
    wider = of(x=space.uniform(-9, 9))
    opened = open_or_create(wider, tmp_path, Full(1), resume="extend")
    opened.store.close()
    assert [p["name"] for p in opened.history.space["params"]] == ["x", "late"]
    assert opened.history.first_space == wider.space
    assert History(read_log(tmp_path).events).space == opened.history.space


def test_data_that_were_known_stay_known(tmp_path):
    first = replace(WISH, settings={"epochs": 2, "data": "abc"})
    search(first, tmp_path, Full(2), 1)
    more = replace(WISH, settings={"epochs": 4, "data": None})
    assert search(more, tmp_path, Full(4), 1, "extend").settings["data"] == "abc"


def test_functions_are_extended_too(tmp_path):
    def run(high, trials, **given):
        return optimize(
            lambda config: config["n"],
            {"n": space.integer(1, high)},
            algorithm="grid",
            max_trials=trials,
            seed=0,
            directory=tmp_path / "study",
            **given,
        )

    run(3, 9)
    found = run(5, 9, resume="extend")
    assert [trial.config["n"] for trial in found.history.trials.values()] == [1, 2, 3, 4, 5]
    with pytest.raises(InvalidInput, match='resume must be "exact" or "extend".*maybe'):
        run(5, 9, resume="maybe")
