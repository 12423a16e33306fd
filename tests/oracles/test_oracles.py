"""What holds for every oracle of ours, driven as KerasTuner's tuners do."""

from __future__ import annotations

import math
import threading
from inspect import signature

import keras_tuner
import pytest

from kerashpo import oracles
from kerashpo.algorithms.registry import algorithm_entry, algorithm_names
from kerashpo.core.errors import ConsecutiveFailures, InvalidInput, InvalidSpace
from kerashpo.oracles.trial_replay import Replay
from tests.helpers.oracle_driver import drive, end, place, space, value_of

SCORE = keras_tuner.Objective("score", "max")
MAKERS = {
    "random": lambda **more: oracles.RandomSearchOracle(SCORE, 12, **more),
    "grid": lambda **more: oracles.GridSearchOracle(SCORE, **more),
    "bayesian": lambda **more: oracles.BayesianOptimizationOracle(SCORE, 12, 3, **more),
    "hyperband": lambda **more: oracles.HyperbandOracle(SCORE, 9, 3, **more),
    "bohb": lambda **more: oracles.HyperbandOracle(SCORE, 9, 3, algorithm="bayesian", **more),
    "tpe": lambda **more: oracles.SearchOracle(SCORE, 12, algorithm="tpe", **more),
    "asha": lambda **more: oracles.ASHAOracle(SCORE, 9, 9, 3, **more),
}


@pytest.fixture(params=MAKERS)
def make(request):
    return lambda **more: MAKERS[request.param](**{"hyperparameters": space(), "seed": 0, **more})


def started(values):
    """Values that begin a configuration, without what KerasTuner's Hyperband reads."""
    return [
        tuple(sorted((k, v) for k, v in one.items() if not k.startswith("tuner/")))
        for one in values
        if "tuner/trial_id" not in one
    ]


@pytest.mark.parametrize(
    "name", ["RandomSearch", "GridSearch", "BayesianOptimization", "Hyperband"]
)
def test_arguments_have_the_names_places_and_defaults_of_kerastuners(name):
    ours, theirs = (
        [
            (p.name, p.default)
            for p in signature(getattr(module, f"{name}Oracle")).parameters.values()
        ]
        for module in (oracles, keras_tuner.oracles)
    )
    assert ours[: len(theirs)] == theirs


def test_shared_arguments_are_taken_by_position_and_by_name():
    hp = space()
    for oracle in (
        oracles.RandomSearchOracle(SCORE, 12, 7, hp, False, True, 2, 4),
        oracles.BayesianOptimizationOracle(
            SCORE,
            12,
            3,
            1e-3,
            2.0,
            7,
            hp,
            False,
            max_retries_per_trial=2,
            max_consecutive_failed_trials=4,
            acquisition="ei",
        ),
        oracles.HyperbandOracle(SCORE, 9, 3, 2, 7, hp, False, True, 2, 4, algorithm="sobol"),
    ):
        given = (oracle.seed, oracle.hyperparameters.space, oracle.allow_new_entries)
        assert given == (7, hp.space, False)
        assert (oracle.max_retries_per_trial, oracle.max_consecutive_failed_trials) == (2, 4)


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        ((), {"sede": 1}, "unexpected keyword argument 'sede'"),
        ((SCORE, 12, 7), {"seed": 7}, "multiple values for argument 'seed'"),
        ((SCORE, 12, 7, None, True, True, 0, 3, "more"), {}, "too many positional arguments"),
    ],
)
def test_arguments_that_an_oracle_does_not_have(arguments, options, message):
    with pytest.raises(TypeError, match=message):
        oracles.RandomSearchOracle(*arguments, **options)


def test_no_configuration_twice(make, tmp_path):
    proposed = started(drive(place(make(), tmp_path)))
    assert len(set(proposed)) == len(proposed) > 5


def test_equal_seeds_propose_alike_and_zero_is_a_seed(make, tmp_path):
    one = drive(place(make(), tmp_path / "1"))
    assert drive(place(make(), tmp_path / "2")) == one


@pytest.mark.parametrize("cut", [1, 5, 8])
def test_a_reloaded_oracle_continues_as_if_never_stopped(make, tmp_path, cut):
    whole = drive(place(make(), tmp_path / "whole"))
    first = place(make(), tmp_path / "cut")
    begun = drive(first, cut)
    unfinished = first.create_trial("tuner0")
    second = place(make(hyperparameters=None, seed=7), tmp_path / "cut")
    second.reload()
    assert second.create_trial("tuner0").trial_id == unfinished.trial_id
    end(second, unfinished, value_of(unfinished.hyperparameters.values))
    assert [*begun, dict(unfinished.hyperparameters.values), *drive(second)] == whole


def test_reading_only_new_trials_proposes_what_a_whole_replay_does(make, tmp_path, monkeypatch):
    built = []
    begin = Replay.__post_init__
    monkeypatch.setattr(Replay, "__post_init__", lambda self: (built.append(self), begin(self))[1])
    whole = drive(place(make(), tmp_path / "1"))
    assert len(built) == isinstance(make(), oracles.AlgorithmOracle)
    forgetful, proposed = place(make(), tmp_path / "2"), []
    for _ in range(len(whole)):
        forgetful._known = None
        proposed += drive(forgetful, 1)
    assert proposed == whole


def test_a_trial_that_ended_is_not_run_again_after_a_reload(make, tmp_path):
    first = place(make(), tmp_path)
    drive(first, 3)
    second = place(make(hyperparameters=None), tmp_path)
    second.reload()
    assert second.create_trial("tuner0").trial_id not in first.trials


def test_threads_share_an_oracle(make, tmp_path):
    oracle = place(make(), tmp_path)
    proposed, failures = [], []

    def work(name):
        try:
            while (trial := oracle.create_trial(name)).status != "STOPPED":
                if trial.status == "RUNNING":
                    proposed.append(dict(trial.hyperparameters.values))
                    end(oracle, trial, value_of(trial.hyperparameters.values))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"t{i}",), daemon=True) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures and not any(thread.is_alive() for thread in threads)
    assert len(set(started(proposed))) == len(started(proposed)) > 5
    assert not oracle.ongoing_trials


def test_what_is_discovered_late_is_searched(make, tmp_path):
    oracle = place(make(hyperparameters=None), tmp_path)
    proposed = []
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        hp = trial.hyperparameters
        hp.Choice("kind", ["a", "b", "c"])
        if hp.Boolean("deep"):
            hp.Int("units", 1, 2)
        proposed.append(dict(hp.values))
        end(oracle, trial, value_of(hp.values))
        assert len(proposed) < 100
    assert {one["kind"] for one in proposed} == {"a", "b", "c"}
    assert {one["deep"] for one in proposed} == {False, True}


def test_a_failed_trial_is_no_best_trial_and_stops_nothing(make, tmp_path):
    oracle = place(make(), tmp_path)
    bad = iter([math.inf, None, 1.0, math.nan])
    count = 0
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        score = next(bad, 0.5)
        end(oracle, trial, score, "FAILED" if score is None else "COMPLETED")
        count += 1
    assert count > 8
    statuses = [oracle.trials[t].status for t in oracle.start_order]
    assert statuses[:4] == ["FAILED", "FAILED", "COMPLETED", "FAILED"]
    best = oracle.get_best_trials(50)
    assert len(best) == len(oracle.trials) - 3
    assert best[0].score == 1.0


@pytest.mark.parametrize(
    "given, message",
    [
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"max_retries_per_trial": -1}, "max_retries_per_trial must be"),
        ({"max_consecutive_failed_trials": 0}, "max_consecutive_failed_trials must be"),
    ],
)
def test_invalid_arguments(make, given, message):
    with pytest.raises(InvalidInput, match=message):
        make(**given)


def test_a_space_that_contradicts_itself_is_reported_at_once(make):
    hp = keras_tuner.HyperParameters()
    hp.Int("units", 1, 5, default=99)
    with pytest.raises(InvalidSpace, match="'units': default 99 is outside"):
        make(hyperparameters=hp)


def test_directions_come_from_our_table(tmp_path):
    oracle = place(oracles.RandomSearchOracle("val_f1_score", hyperparameters=space()), tmp_path)
    assert oracle.objective.direction == "max"
    trial = oracle.create_trial("a")
    oracle.update_trial(trial.trial_id, {"val_f1_score": 0.5, "val_mean_io_u": 0.4, "odd": 1.0})
    known = oracle.trials[trial.trial_id].metrics
    assert known.get_direction("val_mean_io_u") == "max"
    with pytest.raises(InvalidInput, match="State it: kerashpo.Objective"):
        oracles.RandomSearchOracle("val_quality")


def test_several_objectives_are_summed_as_in_kerastuner(tmp_path):
    two = oracles.RandomSearchOracle(["val_loss", "val_auc"], hyperparameters=space())
    assert two.objective.name_to_direction == {"val_loss": "min", "val_auc": "max"}
    oracle = place(two, tmp_path)
    trial = oracle.create_trial("a")
    oracle.update_trial(trial.trial_id, {"val_loss": 1.0, "val_auc": 0.5, "multi_objective": 0.5})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    assert oracle.get_best_trials()[0].score == 0.5


def test_a_retry_is_judged_by_itself(tmp_path):
    oracle = place(
        oracles.RandomSearchOracle(SCORE, hyperparameters=space(), max_retries_per_trial=1),
        tmp_path,
    )
    trial = oracle.create_trial("a")
    end(oracle, trial, math.nan)
    again = oracle.create_trial("a")
    assert again.trial_id == trial.trial_id
    end(oracle, again, 0.7)
    assert oracle.trials[trial.trial_id].score == 0.7


def test_a_streak_of_failures_is_saved_and_a_later_search_continues(tmp_path):
    def made():
        oracle = oracles.RandomSearchOracle(
            SCORE, hyperparameters=space(), max_consecutive_failed_trials=2
        )
        return place(oracle, tmp_path)

    oracle = made()
    end(oracle, oracle.create_trial("a"), None, "FAILED")
    with pytest.raises(ConsecutiveFailures, match="Number of consecutive failures .* limit of 2"):
        end(oracle, oracle.create_trial("a"), None, "FAILED")
    again = made()
    again.reload()
    assert [trial.status for trial in again.trials.values()] == ["FAILED", "FAILED"]
    for one in (oracle, again):
        end(one, one.create_trial("b"), None, "FAILED")
        assert one.create_trial("b").status == "RUNNING"


def test_an_error_keeps_no_lock(tmp_path):
    oracle = place(oracles.RandomSearchOracle(SCORE, hyperparameters=space()), tmp_path)
    trial = oracle.create_trial("a")
    with pytest.raises(ValueError, match="Objective value missing"):
        oracle.update_trial(trial.trial_id, {"other": 1.0})
    other = threading.Thread(target=end, args=(oracle, trial, 1.0), daemon=True)
    other.start()
    other.join(20)
    assert not other.is_alive()


def test_random_search_finds_all_of_a_finite_space(tmp_path):
    for seed in range(3):
        oracle = oracles.RandomSearchOracle(SCORE, 50, hyperparameters=space(), seed=seed)
        assert len(drive(place(oracle, tmp_path / str(seed)))) == 18


@pytest.mark.parametrize("seed", range(5))
def test_evidence_put_in_by_hand_counts(tmp_path, seed):
    hp = keras_tuner.HyperParameters()
    hp.Int("a", -100, 100)
    oracle = oracles.BayesianOptimizationOracle(SCORE, 20, 2, hyperparameters=hp, seed=seed)
    place(oracle, tmp_path)
    for i in range(-5, 6):
        trial = keras_tuner.engine.trial.Trial(hyperparameters=hp.copy())
        trial.hyperparameters.values["a"] = 10 * i
        trial.score, trial.status = i, "COMPLETED"
        oracle.trials[trial.trial_id] = trial
    assert oracle.create_trial("a").hyperparameters.values["a"] > 50


def test_a_project_of_kerastuners_own_oracle_is_refused(tmp_path):
    theirs = keras_tuner.oracles.RandomSearchOracle(SCORE, 3, hyperparameters=space())
    drive(place(theirs, tmp_path), 2)
    with pytest.raises(RuntimeError, match="Error reloading `Oracle`"):
        place(oracles.RandomSearchOracle(SCORE, 3), tmp_path).reload()


def test_the_registry_names_an_oracle_for_each_that_asks_one_algorithm():
    named = {algorithm_entry(name).oracle for name in algorithm_names()} - {""}
    rungs = {"HyperbandOracle", "ASHAOracle"}
    own = {name for name in dir(oracles) if name.endswith("Oracle")}
    assert own - named == rungs | {"AlgorithmOracle", "FixedOracle", "Oracle", "SearchOracle"}
    assert named <= own
