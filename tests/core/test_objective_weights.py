"""Several objectives as one sum."""

from __future__ import annotations

import math

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.objective import read_weights
from kerashpo.core.records import Objective

BOTH = (Objective("loss", "min"), Objective("auc", "max"))


@pytest.mark.parametrize("weights", [[2, 1], {"auc": 1, "loss": 2}])
def test_what_is_maximised_counts_as_its_negative(weights):
    weighing = read_weights(BOTH, weights)
    assert weighing.value({"loss": 3.0, "auc": 0.5}) == 5.5
    assert weighing.objective == Objective("multi_objective", "min")


def test_a_missing_or_infinite_part_has_no_sum():
    weighing = read_weights(BOTH, (1, 1))
    assert math.isnan(weighing.value({"loss": 3.0}))
    assert math.isnan(weighing.value({"loss": math.inf, "auc": 1.0}))


def test_no_weights_weigh_nothing():
    assert read_weights(BOTH, None) is None


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, "2"], {"loss": 1}, 3, [True, 1]])
def test_weights_that_do_not_fit(weights):
    with pytest.raises(InvalidInput, match="a positive number for each objective .loss, auc."):
        read_weights(BOTH, weights)
