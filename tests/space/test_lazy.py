"""`lazy`: values computed from the others when a trial begins, and recorded with it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, InvalidSpace
from kerashpo.core.events import Configured
from kerashpo.problems.power_law import PowerLaw
from kerashpo.space import Space, choice, integer, lazy, uniform, when
from kerashpo.space.lazy_values import computed
from kerashpo.store.open import read_events


def double(config):
    """Named by an import string in a file."""
    return 2 * config["a"]


def test_a_value_is_computed_from_those_that_are_known():
    space = Space(
        {"b": lazy(lambda c: c["a"] + 1), "a": integer(1, 9), "c": lazy(lambda c: c["b"] * 10)}
    )
    config = space.complete({"a": 4})
    assert config == {"a": 4, "b": None, "c": None}
    assert computed(space, config) == {"b": 5, "c": 50}
    assert computed(space, {**config, "b": 7}) == {"c": 70}


def test_choices_are_given_as_the_user_wrote_them():
    space = Space({"f": choice([len, abs]), "n": lazy(lambda c: c["f"].__name__)})
    assert computed(space, space.complete({"f": abs})) == {"n": "abs"}


def test_a_condition_applies_to_a_lazy_value_too():
    space = Space(
        {"kind": choice(["a", "b"])}, when("kind", "b", {"n": lazy(lambda c: len(c["kind"]))})
    )
    assert computed(space, space.complete({"kind": "a"})) == {}
    assert computed(space, space.complete({"kind": "b"})) == {"n": 1}


def test_each_is_computed_once_per_trial_and_never_repeats_a_configuration(tmp_path):
    draws = iter(range(100))
    space = {"a": integer(1, 4), "draw": lazy(lambda c: next(draws))}
    seen = []

    def value(config):
        seen.append(dict(config))
        return config["a"]

    options = {"algorithm": "random", "seed": 0, "directory": tmp_path / "study", "verbose": 0}
    found = kt.optimize(value, space, max_trials=9, **options)
    assert sorted(config["a"] for config in seen) == [1, 2, 3, 4]
    assert [config["draw"] for config in seen] == [0, 1, 2, 3]
    assert found.trials()["param_draw"].tolist() == [0, 1, 2, 3]
    again = kt.open_study(tmp_path / "study").results
    assert again.trials()["param_draw"].tolist() == [0, 1, 2, 3]
    assert again.best.config == found.best.config == {"a": 1, "draw": found.best.config["draw"]}
    recorded = [e for e in read_events(tmp_path / "study") if isinstance(e, Configured)]
    assert [event.values for event in recorded] == [{"draw": n} for n in range(4)]


SCRIPT = """
import os, random, signal, sys
import kerashpo as kt

def value(config):
    print(config["x"], config["draw"], flush=True)
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return config["x"]

space = {"x": kt.space.uniform(0, 1), "draw": kt.space.lazy(lambda c: random.random())}
kt.optimize(value, space, algorithm="random", max_trials=1, seed=0, directory=sys.argv[1],
            verbose=0)
"""


def test_a_killed_trial_has_the_same_value_when_it_is_repeated(tmp_path):
    def run(how):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / "study"), how]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    first, second = run("kill"), run("finish")
    assert first.returncode == -signal.SIGKILL
    assert second.returncode == 0
    assert first.stdout == second.stdout != ""


def test_algorithms_and_workers_do_not_see_it_as_a_parameter(tmp_path):
    space = {"x": uniform(-1, 1), "y": uniform(-1, 1)}
    more = {**space, "sum": lazy(lambda c: c["x"] + c["y"])}
    for algorithm in ("bayesian", "tpe", "cmaes"):
        options = {"algorithm": algorithm, "max_trials": 8, "seed": 3, "verbose": 0}
        plain = kt.optimize(lambda c: c["x"] ** 2 + c["y"], space, **options)
        with_sum = kt.optimize(lambda c: c["x"] ** 2 + c["sum"] - c["x"], more, **options)
        np.testing.assert_allclose(
            [t.config["x"] for t in plain.history.trials.values()],
            [t.config["x"] for t in with_sum.history.trials.values()],
        )
    twice = kt.optimize(
        lambda c: c["sum"], more, algorithm="random", max_trials=3, seed=0, workers=2, verbose=0
    )
    frame = twice.trials()
    np.testing.assert_allclose(frame["param_sum"], frame["param_x"] + frame["param_y"])


def test_what_cannot_be_recorded_fails_the_trial_with_its_name():
    for value in (None, [1], float("nan")):
        space = {"a": integer(1, 2), "b": lazy(lambda c, value=value: value)}
        found = kt.optimize(lambda c: c["a"], space, max_trials=1, seed=0, verbose=0)
        message = found.failures()["message"][0]
        assert "'b'" in message
        assert "a finite number, a text or a boolean" in message


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InvalidSpace, match="expected a function of the other values"):
        lazy(3)
    with pytest.raises(InvalidSpace, match="'c' depends on 'b', which is lazy"):
        Space({"a": integer(1, 2), "b": lazy(double)}, when("b", 2, {"c": integer(1, 2)}))
    problem = replace(PowerLaw(3), space=Space({"a": integer(1, 2), "b": lazy(double)}))
    with pytest.raises(InvalidSpace, match="'b': lazy values are for optimize"):
        kt.simulate(problem, tuner="random", max_trials=2)


def test_files_name_the_function(tmp_path):
    body = {"a": {"type": "integer", "low": 1, "high": 9}}
    (tmp_path / "mine.py").write_text("def double(config):\n    return 2 * config['a']\n")
    named = {"type": "lazy", "function": "mine.py:double"}
    (tmp_path / "space.json").write_text(json.dumps({**body, "b": named}))
    space = Space.from_file(tmp_path / "space.json")
    assert computed(space, space.complete({"a": 3})) == {"b": 6}
    with pytest.raises(InvalidInput, match="nothing_here"):
        Space.from_dict({"b": {"type": "lazy", "function": "nothing_here:at_all"}})
    again = Space({"a": integer(1, 9), "b": lazy(json.dumps)}).to_dict()
    assert again["b"] == {"type": "lazy", "function": "json:dumps"}
    with pytest.raises(InvalidSpace, match="'b' has no plain form"):
        Space({"b": lazy(lambda c: 1)}).to_dict()
