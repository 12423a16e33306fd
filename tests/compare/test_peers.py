"""Other libraries' tuners: the same splits, seeds and epochs, plain Keras."""

from __future__ import annotations

import dataclasses
import json
import logging
import warnings

import keras_tuner
import numpy as np
import optuna
import pytest

from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.evaluate import without_warnings
from kerashpo.compare.peers import keras_tuner as theirs
from kerashpo.compare.peers import run_peer as peer
from kerashpo.compare.peers.optuna import OptunaHyperParameters, _columns, suggest
from kerashpo.compare.peers.recorder import BudgetSpent, PeerSettings, Recorder
from kerashpo.compare.peers.recorder import recorded as recorded_build
from kerashpo.compare.runs import plan_runs
from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Objective
from kerashpo.problems.registry import make_task
from tests.helpers.small_models import eagerly

ACCURACY = Objective("val_accuracy", "max")
TASK = make_task("wine")


def few(seed):
    """Returns a split whose training and validation parts are a batch each."""
    split = TASK.load(seed)
    train, validation = (tuple(a[:32] for a in part) for part in (split.train, split.validation))
    return dataclasses.replace(split, train=train, validation=validation)


SHORT = dataclasses.replace(TASK, build=lambda hp: eagerly(TASK.build(hp)), load=few)


def carried_out(tmp_path, tuner, **options):
    given = ComparisonOptions(problem=("wine",), tuners=(tuner,), out=str(tmp_path), **options)
    run = plan_runs(given, {"wine": TASK})[0]
    return run, peer.run_peer(run, SHORT, given)


@pytest.mark.parametrize(
    ("tuner", "epochs", "trials"),
    [
        ("keras_tuner.hyperband", 4, 3),
        pytest.param("keras_tuner.bayesian", 6, 2, marks=pytest.mark.slow),
        pytest.param("optuna.tpe", 6, 2, marks=pytest.mark.slow),
    ],
)
def test_a_peer_trains_the_epochs_that_it_is_given(tuner, epochs, trials, tmp_path):
    run, result = carried_out(
        tmp_path, tuner, max_epochs=3, epochs=(epochs,), initial_points=1, seeds=(4,)
    )
    assert (result.problem, result.tuner, result.seed) == ("wine", tuner, 4)
    assert result.epochs == epochs
    assert result.trials == trials
    rows = json.loads(run.curves.read_text("utf-8"))
    scores = [value for _, _, metric, value, _, _ in rows if metric == "val_accuracy"]
    assert len(scores) == epochs
    assert result.val_score == result.val_accuracy == max(scores)
    assert result.steps[-1].value == result.val_score
    # Every answer on the test set is counted, and the accuracy is that of the counts.
    table = np.array(result.confusion)
    assert table.sum() == 36
    assert np.trace(table) / 36 == pytest.approx(result.test_accuracy, abs=1e-6)
    names = set(result.best_config)
    assert {"layers", "activation", "learning_rate"} <= names
    assert result.best_config["layers"] == sum(name.startswith("units_") for name in names)


def test_other_libraries_warnings_are_kept_away_and_ours_are_not():
    logger = logging.getLogger("tensorflow")
    level = logger.level
    with without_warnings():
        warnings.warn("theirs", stacklevel=1)
        assert not logger.isEnabledFor(logging.WARNING)
    assert logger.level == level
    with pytest.warns(UserWarning, match="ours"):
        warnings.warn("ours", stacklevel=1)


class Fake:
    """A model of which the recorder needs only the weights."""

    def __init__(self, weights=0):
        self.weights = weights

    def get_weights(self):
        return [self.weights]


def recorded(epochs, budget=100):
    """A recorder that saw (trial, epoch, accuracy, loss) in order."""
    recorder = Recorder(ACCURACY, budget)
    for number, (trial, epoch, accuracy, loss) in enumerate(epochs):
        recorder.begin({"units": trial})
        recorder.set_model(Fake(number))
        recorder.on_train_begin()
        recorder.on_epoch_begin(epoch - 1)
        recorder.on_epoch_end(epoch - 1, {"val_accuracy": accuracy, "val_loss": loss})
    return recorder


def test_the_best_epoch_wins_and_ties_go_to_the_lower_loss_then_to_the_lower_trial():
    recorder = recorded(
        [(0, 1, 0.8, 0.5), (1, 1, 0.9, 0.4), (0, 2, 0.9, 0.3), (2, 1, 0.9, 0.3), (2, 2, 0.5, 0.1)]
    )
    assert recorder.best.values == {"units": 0}
    assert recorder.best.weights == [2]
    assert recorder.best.metrics == {"val_accuracy": 0.9, "val_loss": 0.3}
    assert (recorder.trials, recorder.epochs) == (3, 5)
    assert [(step.epochs, step.trials, step.value) for step in recorder.steps] == [
        (1, 1, 0.8), (2, 2, 0.9),
    ]  # fmt: skip


def test_an_epoch_without_a_finite_score_never_leads():
    recorder = recorded([(0, 1, float("nan"), 0.1)])
    assert recorder.best is None and recorder.steps == [] and recorder.epochs == 1


def test_a_promoted_trial_keeps_its_number():
    recorder = recorded([(0, 1, 0.8, 0.5), (1, 1, 0.7, 0.4), (0, 2, 0.9, 0.3)])
    assert [(row[0], row[1]) for row in recorder.curves if row[2] == "val_loss"] == [
        (0, 1), (1, 1), (0, 2),
    ]  # fmt: skip


def test_the_budget_ends_a_search():
    with pytest.raises(BudgetSpent, match="2 epochs"):
        recorded([(0, 1, 0.8, 0.5), (0, 2, 0.8, 0.5), (0, 3, 0.8, 0.5)], budget=2)
    assert issubclass(BudgetSpent, keras_tuner.errors.FatalError)


def test_kerastuner_searches_with_its_own_tuners(monkeypatch, tmp_path):
    made = {}

    class Stop(Exception):
        pass

    def spied(build, **given):
        made.update(given)
        raise Stop

    monkeypatch.setattr(keras_tuner, "Hyperband", spied)
    options = ComparisonOptions(problem=("wine",), tuners=("keras_tuner.hyperband",), max_epochs=9)
    allowed = options.allowance("keras_tuner.hyperband")
    with pytest.raises(Stop):
        terms = PeerSettings(TASK, TASK.load(0), allowed, tmp_path, 3, 9, 3, 1)
        theirs.search("hyperband", terms, recorded([]))
    assert (made["seed"], made["max_epochs"], made["factor"]) == (3, 9, 3)
    assert made["hyperband_iterations"] == 1
    assert (made["objective"].name, made["objective"].direction) == ("val_accuracy", "max")


def test_the_winner_is_rebuilt_with_its_best_weights():
    hp = keras_tuner.HyperParameters()
    hp.values = {"layers": 1, "units_0": 24, "units_1": 8, "dropout_1": 0.1}
    model = TASK.build(hp)
    weights = [np.full(w.shape, 0.5) for w in model.get_weights()]
    recorder = Recorder(ACCURACY, 10)
    recorder.begin(hp.values)
    recorder.set_model(model)
    model.set_weights(weights)
    recorder.on_epoch_end(0, {"val_accuracy": 1.0, "val_loss": 0.0})
    model.set_weights([w * 2 for w in weights])
    again, config = peer.rebuilt(TASK, recorder.best)
    assert all(np.array_equal(a, b) for a, b in zip(again.get_weights(), weights))
    assert config["units_0"] == 24 and "units_1" not in config and "dropout_1" not in config


def test_optuna_suggests_what_a_model_asks_for():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = []

    def build(trial):
        hp = OptunaHyperParameters(trial)
        hp.Fixed("fixed", 7)
        if hp.Boolean("deep"):
            hp.Int("units", 8, 64, step=8)
        with hp.conditional_scope("deep", [False]):
            assert (hp.Float("rate", 1e-3, 1e-1, sampling="log") is None) == hp.get("deep")
        hp.Choice("kind", ["a", "b"])
        hp.Int("wide", 1, 1000, sampling="log")
        hp.Float("share", 0.0, 0.5, step=0.1)
        seen.append(dict(hp.values))
        return 0.0

    for _ in range(20):
        trial = study.ask()
        study.tell(trial, build(trial))
    assert {values["kind"] for values in seen} == {"a", "b"}
    assert {values["fixed"] for values in seen} == {7}
    for values in seen:
        assert ("units" in values) == values["deep"] != ("rate" in values)
        assert values.get("units", 8) % 8 == 0
        assert 1 <= values["wide"] <= 1000 and 0 <= values["share"] <= 0.5
        assert values["share"] * 10 == pytest.approx(round(values["share"] * 10))


def test_what_optuna_has_no_equivalent_of():
    trial = optuna.create_study().ask()
    hp = keras_tuner.engine.hyperparameters.Float("x", 0.1, 1.0, sampling="reverse_log")
    with pytest.raises(InvalidInput, match="no equivalent.*reverse_log.*leave Optuna's tuners out"):
        suggest(trial, hp)


def test_a_gaussian_process_of_optuna_gets_every_column():
    """Those of hidden layers too, which one build with default values does not ask for."""
    names = {column.name for column in _columns(TASK)}
    hidden = {f"{kind}_{i}" for kind in ("units", "dropout") for i in range(3)}
    assert names == {"layers", "activation", "learning_rate"} | hidden


def test_a_promoted_trial_of_kerastuner_is_the_same_trial():
    """KerasTuner adds to its values those of layers that other trials have."""
    recorder = Recorder(ACCURACY, 10)
    build = recorded_build(TASK.build, recorder)
    first, promoted = keras_tuner.HyperParameters(), keras_tuner.HyperParameters()
    first.values = {"layers": 1, "units_0": 24}
    promoted.values = {"layers": 1, "units_0": 24, "units_1": 8, "tuner/epochs": 9}
    for hp in (first, promoted):
        recorder.set_model(build(hp))
        recorder.on_train_begin()
    assert recorder.trials == 1
    assert "_retrieve" not in vars(promoted)
