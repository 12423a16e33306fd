"""The suite of algorithms finds what is broken: each mutant breaks one promise."""

from __future__ import annotations

import pytest

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.random import RandomSearch
from kerashpo.core.records import Exhausted, NotReady
from kerashpo.core.rng import stream
from kerashpo.space.space import key
from kerashpo.testing import AlgorithmCase, NotConforming, algorithms, check_algorithm
from kerashpo.testing.algorithms import CHECKS


class Mutant(Algorithm):
    """Random search with a method of its own."""

    def __init__(self, space, seed):
        super().__init__(space, seed)
        self.inner = RandomSearch(space, seed)

    def ask(self, trial, history):
        return self.inner.ask(trial, history)


class Outside(Mutant):
    def ask(self, trial, history):
        return {**self.inner.ask(trial, history), "extra": 1}


class Repeating(Mutant):
    def ask(self, trial, history):
        return self.space.sample(stream(self.seed, "ask", trial // 2))


class GivesUp(Mutant):
    def ask(self, trial, history):
        return Exhausted() if trial == 17 else self.inner.ask(trial, history)


class GivesUpEarly(Mutant):
    def ask(self, trial, history):
        return Exhausted() if trial == 9 else self.inner.ask(trial, history)


class Unseeded(Mutant):
    def ask(self, trial, history):
        self.inner.seed = id(self)
        return self.inner.ask(trial, history)


class ZeroIsOne(Mutant):
    def __init__(self, space, seed):
        super().__init__(space, seed or 1)


class Counting(Mutant):
    """Its answer depends on how often it was asked."""

    asked = 0

    def ask(self, trial, history):
        self.asked += 1
        return self.inner.ask(trial + self.asked, history)


class Forgetful(Mutant):
    """What it keeps is set in `ask`, which a replay does not call."""

    last = 0

    def ask(self, trial, history):
        answer = self.inner.ask(trial + self.last, history)
        self.last = 7 * trial
        return answer


class Ageing(Mutant):
    """Remembers the longest history that it has read."""

    longest = 0

    def ask(self, trial, history):
        self.longest = max(self.longest, history.next_trial)
        return self.inner.ask(trial + self.longest, history)


class Blocked(Mutant):
    """Waits for a trial that failed."""

    def ask(self, trial, history):
        return NotReady() if history.failed else self.inner.ask(trial, history)


class Greedy(Mutant):
    """Exploits the sign of the score, whatever the direction."""

    def ask(self, trial, history):
        scores = [t.score for t in history.trials.values() if t.score is not None]
        shift = int(sum(score > 0 for score in scores))
        return self.inner.ask(trial + 1000 * shift, history)


class CountsLarge(Mutant):
    """Compares the second objective with a constant, whatever its unit."""

    def ask(self, trial, history):
        costs = [history.costs(number) for number in history.trials]
        large = sum(one[-1] > 0.5 for one in costs)
        return self.inner.ask(trial + 1000 * large, history)


class CountsTrials(Mutant):
    """Takes the number of trials for the number of configurations that were tried."""

    def ask(self, trial, history):
        done = len(history.trials) >= self.space.size
        return Exhausted() if done else self.inner.ask(trial, history)


@pytest.mark.parametrize(
    "mutant, check",
    [
        (Outside, "stays_in_its_space"),
        (Repeating, "never_repeats"),
        (GivesUp, "finds_every_configuration"),
        (GivesUpEarly, "searches_dependent_ranges"),
        (Unseeded, "repeats_by_its_seed"),
        (ZeroIsOne, "repeats_by_its_seed"),
        (Counting, "asking_changes_nothing"),
        (Forgetful, "resumes_by_replay"),
        (Ageing, "depends_on_the_history_alone"),
        (Blocked, "tolerates_failures"),
        (Blocked, "tolerates_nan_and_infinity"),
        (Repeating, "accepts_reports_in_any_order"),
        (Repeating, "tolerates_equal_scores"),
        (CountsTrials, "tolerates_duplicates"),
        (Greedy, "maximises_as_it_minimises"),
        (Repeating, "searches_two_objectives"),
        (GivesUp, "finds_every_configuration_of_two_objectives"),
        (Forgetful, "resumes_two_objectives_by_replay"),
        (CountsLarge, "ignores_units_and_signs_of_objectives"),
        (Repeating, "searches_within_limits"),
    ],
)
def test_a_broken_algorithm_is_found(mutant, check):
    with pytest.raises(NotConforming):
        getattr(algorithms, check)(AlgorithmCase(mutant, several=True))


def test_the_unbroken_one_conforms():
    check_algorithm(AlgorithmCase(Mutant, several=True))


def test_every_check_is_broken_by_some_mutant():
    broken = test_a_broken_algorithm_is_found.pytestmark[0].args[1]
    assert {check for _, check in broken} == {check.__name__ for check in CHECKS}


def test_keys_distinguish_configurations():
    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1}) != key({"a": 1})
