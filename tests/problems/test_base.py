from types import SimpleNamespace

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.problems.base import check_problem
from kerashpo.problems.power_law import PowerLaw
from kerashpo.space import Space, uniform

SPACE = Space({"x": uniform(0, 1)})


def problem(**changes):
    members = {"space": SPACE, "direction": "min", "max_epochs": 3, "evaluate": lambda c, e: (0, e)}
    return SimpleNamespace(**(members | changes))


def test_a_space_may_be_a_mapping():
    assert check_problem(problem()) is SPACE
    assert check_problem(problem(space={"x": uniform(0, 1)})) == SPACE


def test_a_problem_that_advances_needs_no_curve():
    advancing = problem(advance=lambda state, config: (state, 0.0, 1.0))
    del advancing.evaluate
    assert check_problem(advancing) is SPACE


@pytest.mark.parametrize(
    ("wrong", "reported"),
    [
        (SimpleNamespace(space=SPACE), "without direction, max_epochs, evaluate"),
        (problem(space=[1]), "must be a kerashpo.Space or a mapping.*Received: list"),
        (problem(evaluate=3), "evaluate must be a function"),
        (problem(advance=3), r"advance must be a function of \(state, config\).*3"),
        (problem(max_epochs=0), "max_epochs must be a whole number of at least 1"),
    ],
)
def test_what_is_missing_or_wrong_is_named(wrong, reported):
    with pytest.raises(InvalidInput, match=reported):
        check_problem(wrong)


def test_power_laws_fall_towards_their_quality():
    law = PowerLaw(9, seconds=2.0)
    values = [law.evaluate({"quality": 0.2, "speed": 1.0}, epoch) for epoch in (1, 3)]
    assert values == [(pytest.approx(0.6), 2.0), (pytest.approx(0.4), 6.0)]
