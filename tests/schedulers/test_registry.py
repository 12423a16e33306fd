import pytest

from kerashpo.algorithms.registry import algorithm_names
from kerashpo.core.errors import InvalidInput
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.registry import (
    PAIRS,
    make_scheduler,
    scheduler_names,
    scheduler_of,
    tuner_names,
    tuner_pair,
)


@pytest.mark.parametrize("name", scheduler_names())
def test_every_scheduler_is_built_by_its_name(name):
    scheduler = make_scheduler(name, 9, limit=20, budget=100)
    assert isinstance(scheduler, Scheduler)
    assert scheduler.max_epochs == 9


@pytest.mark.parametrize("name", tuner_names())
def test_every_pair_names_a_scheduler_and_its_paper(name):
    pair = tuner_pair(name)
    make_scheduler(pair.scheduler, 27, pair.options)
    assert pair.source


def test_an_algorithm_is_a_tuner_that_trains_each_proposal_fully():
    assert (tuner_pair("sobol").scheduler, tuner_pair("sobol").algorithm) == ("full", "sobol")
    assert set(algorithm_names()) < set(tuner_names())


def test_the_pairs_are_an_algorithm_under_hyperband_or_asha():
    assert (PAIRS["bohb"].scheduler, PAIRS["bohb"].algorithm) == ("hyperband", "bayesian")
    assert (PAIRS["dehb"].scheduler, PAIRS["dehb"].algorithm) == ("hyperband", "de")
    assert (PAIRS["mobster"].scheduler, PAIRS["mobster"].algorithm) == ("asha", "bayesian")


@pytest.mark.parametrize("name", scheduler_names())
def test_settings_of_a_study_give_its_scheduler_back(name):
    settings = {"tuner": "X", "scheduler": name, "max_epochs": 9, "min_epochs": 1, "epochs": 3}
    assert scheduler_of(settings).max_epochs == 9
    assert scheduler_of({"epochs": 3}).max_epochs == 3


@pytest.mark.parametrize(
    "name, old, new, extends",
    [
        ("full", (3, {}), (9, {}), True),
        ("full", (9, {}), (3, {}), False),
        ("median", (3, {}), (9, {}), True),
        ("median", (3, {"min_trials": 5}), (9, {"min_trials": 4}), False),
        ("asha", (9, {}), (27, {}), True),
        ("asha", (9, {}), (20, {}), True),
        ("asha", (10, {}), (27, {}), False),
        ("asha", (9, {"factor": 3}), (81, {"factor": 9}), False),
        ("asha", (9, {"min_epochs": 1}), (9, {"min_epochs": 3}), False),
        ("asha_stopping", (9, {}), (27, {}), False),
        ("hyperband", (9, {}), (27, {}), False),
        ("hyperband", (9, {"iterations": 1}), (9, {"iterations": 2}), True),
        ("hyperband", (9, {"iterations": 2}), (9, {"iterations": 1}), False),
    ],
)
def test_a_scheduler_extends_one_whose_rungs_are_among_its_own(name, old, new, extends):
    schedulers = [make_scheduler(name, most, options) for most, options in (old, new)]
    assert schedulers[1].extends(schedulers[0]) is extends


@pytest.mark.parametrize("one", scheduler_names())
def test_no_scheduler_extends_one_of_another_kind(one):
    for other in scheduler_names():
        if {one, other} - {"halving", "hyperband"} and one != other:
            assert not make_scheduler(one, 9).extends(make_scheduler(other, 9))


def test_brackets_alone_end_by_themselves():
    endless = {name for name in scheduler_names() if make_scheduler(name, 9).endless}
    assert endless == {"full", "asha", "asha_stopping", "median"}
    assert make_scheduler("hyperband", 9, {"iterations": None}).endless


def test_synchronous_schedulers_are_deterministic():
    known = {name for name in scheduler_names() if make_scheduler(name, 9).deterministic}
    assert known == {"full", "halving", "hyperband", "pbt"}


def test_unknown_names_and_options_are_reported_with_the_nearest():
    with pytest.raises(InvalidInput, match=r"Unknown tuner 'ahsa'. Did you mean 'asha'"):
        tuner_pair("ahsa")
    with pytest.raises(InvalidInput, match=r"Unknown scheduler 'ful'. Did you mean 'full'"):
        make_scheduler("ful", 9)
    with pytest.raises(InvalidInput, match=r"no option 'facter'. Did you mean 'factor'"):
        make_scheduler("asha", 9, {"facter": 4})
