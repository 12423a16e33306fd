"""A space without a free parameter has one configuration, which every algorithm tries once."""

from __future__ import annotations

import pytest

import kerashpo as kt
from kerashpo import space
from kerashpo.algorithms.registry import algorithm_names


@pytest.mark.parametrize("name", algorithm_names())
def test_the_only_configuration_is_tried_once(name: str) -> None:
    results = kt.optimize(
        lambda config: 1.0,
        {"x": space.fixed(3)},
        algorithm=name,
        max_trials=3,
        seed=0,
        verbose=0,
    )
    assert len(results) == 1 and results.best.config == {"x": 3}
    assert results.stopped == "space exhausted"
