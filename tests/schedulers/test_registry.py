import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.registry import (
    PAIRS,
    make_scheduler,
    scheduler_names,
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


def test_bohb_and_mobster_are_a_model_under_hyperband_and_asha():
    assert (PAIRS["bohb"].scheduler, PAIRS["bohb"].algorithm) == ("hyperband", "bayesian")
    assert (PAIRS["mobster"].scheduler, PAIRS["mobster"].algorithm) == ("asha", "bayesian")


def test_unknown_names_and_options_are_told_with_the_nearest():
    with pytest.raises(InvalidInput, match=r"Unknown tuner 'ahsa'. Did you mean 'asha'"):
        tuner_pair("ahsa")
    with pytest.raises(InvalidInput, match=r"Unknown scheduler 'fool'. Did you mean 'full'"):
        make_scheduler("fool", 9)
    with pytest.raises(InvalidInput, match=r"no option 'facter'. Did you mean 'factor'"):
        make_scheduler("asha", 9, {"facter": 4})
