"""Comparisons on problems with several objectives: hypervolumes, fronts, peers."""

from __future__ import annotations

import csv
import dataclasses
import json
import re

import pytest

import kerashpo as kt
from kerashpo.analysis.fronts import FrontPoint, FrontStep
from kerashpo.compare.__main__ import main
from kerashpo.compare.comparison_options import ComparisonOptions, parse
from kerashpo.compare.hypervolumes import by_hypervolume
from kerashpo.compare.outside import load_tasks
from kerashpo.compare.peers import run_peer as peer
from kerashpo.compare.peers.recorder import Recorder
from kerashpo.compare.runs import Result, plan_runs
from kerashpo.compare.tuners import TUNERS, check_objectives, searches_for_fronts
from kerashpo.core.errors import InvalidInput
from kerashpo.objectives import energy, size
from kerashpo.problems.registry import make_task
from tests.helpers.small_models import eagerly

PAIR = ("val_accuracy", "size")
TASK = make_task("wine").with_objectives(list(PAIR))
SEEDS = 6


def point(trial, accuracy, size, optimism=0.05):
    values = {"val_accuracy": accuracy, "size": size}
    return FrontPoint(
        trial, {"units": trial}, values, {**values, "val_accuracy": accuracy - optimism}
    )


def made(tuner, seed, points, steps=()):
    knee = points[0]
    return Result(
        "wine", tuner, seed, 8, 48, 0.9, 0.1, 0.9, 0.2, 12.0, {"units": 32},
        knee.validation["val_accuracy"], knee.test["val_accuracy"], [[1, 0, 0]] * 3,
        front=tuple(points), front_steps=tuple(steps),
    )  # fmt: skip


def searches():
    """Results in which "nsga2" dominates "random", which dominates the untuned model."""
    found = []
    for seed in range(SEEDS):
        shift = 0.01 * seed
        good = [point(3, 0.9 + shift, 1000.0), point(5, 0.93 + shift, 4000.0)]
        moves = [
            FrontStep(2, 1, 1.0, 3, (0.7, 1000.0)),
            FrontStep(9, 4, 3.0, 5, (0.93 + shift, 4000.0)),
            FrontStep(20, 5, 6.0, 3, (0.9 + shift, 1000.0)),
        ]
        found.append(made("nsga2", seed, good, moves))
        poor = [point(1, 0.8 + shift, 2000.0)]
        found.append(made("random", seed, poor, [FrontStep(2, 1, 1.0, 1, (0.8 + shift, 2000.0))]))
        first = [FrontStep(2, 1, 1.0, 0, (0.5, 6000.0))]
        found.append(made("default", seed, [point(0, 0.5, 6000.0)], first))
    return found


def test_a_search_is_scored_by_the_hypervolume_of_its_front():
    raw = searches()
    scored, tasks, fronts = by_hypervolume(raw, {"wine": TASK, "digits": make_task("digits")})
    assert tasks["wine"].metric == "hypervolume" and tasks["wine"].objective.direction == "max"
    assert tasks["digits"] == make_task("digits") and set(fronts) == {"wine"}
    scale = fronts["wine"].scale
    assert scale.ideal == pytest.approx((0.98, 1000.0))
    low, high = 0.45 - 0.1 * 0.53, 6000.0 + 500.0
    assert scale.reference == pytest.approx((low, high))
    nsga2 = scored[0]
    # The area under two points, by hand, on the test set and on the validation part.
    for name, off in (("test_score", 0.05), ("val_score", 0.0)):
        wide = (0.9 - off - low) * (high - 1000.0) + 0.03 * (high - 4000.0)
        box = (0.98 - low) * (high - 1000.0)
        assert getattr(nsga2, name) == pytest.approx(wide / box)
    # A trial that moves takes its old values along; the last step is the whole front.
    assert [step.epochs for step in nsga2.steps] == [2, 9, 20]
    assert nsga2.steps[-1].value == pytest.approx(nsga2.val_score)
    assert nsga2.test_loss == raw[0].test_loss  # the knee's


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A comparison as if it had run, in both languages."""
    out = tmp_path_factory.mktemp("fronts") / "out"
    argv = ["--problem", "wine", "--objective", "val_accuracy,size", "--tuners", "nsga2", "random"]
    argv += ["--seeds", *map(str, range(SEEDS)), "--out", str(out)]
    options = parse(argv)
    assert options.objective == PAIR
    known = {(r.tuner, r.seed): r for r in searches()}
    runs = plan_runs(options, load_tasks(options.problem, options.objective))
    assert {run.tuner for run in runs} == {"nsga2", "random", "default"}  # no answer without model
    assert all(run.task().further == TASK.further for run in runs)
    for run in runs:
        run.keep(known[run.tuner, run.seed])
        assert run.result == known[run.tuner, run.seed]
    assert main([*argv, "--quiet"]) == 0
    assert main([*argv, "--quiet", "--lang", "es", "--report", str(out / "informe")]) == 0
    return out


def test_the_report_has_fronts_tests_and_a_verdict_in_both_languages(published):
    text = (published / "report.md").read_text("utf-8")
    assert "Wine: nsga2 is the winner" in text
    assert "| nsga2 | 2 | " in text and "models on the front" in text
    assert "accuracy 98.0 %, parameters 1,000" in text and "fronts_wine_size.png" in text
    assert "more hypervolume than the untuned model" in text
    spanish = (published / "informe.md").read_text("utf-8")
    assert "hipervolumen" in spanish and "modelos en el frente" in spanish
    assert "codo: exactitud" in spanish and "exactitud 98,0 %" in spanish
    assert not re.search(r"hypervolume|accuracy \d", spanish)
    assert (published / "fronts_wine_size.png").stat().st_size > 10_000


def test_csv_files_have_every_model_of_each_front(published):
    with open(published / "fronts.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    mine = [row for row in rows if row["tuner"] == "nsga2" and row["seed"] == "0"]
    assert [(row["trial"], row["knee"], row["objective"], row["validation"]) for row in mine] == [
        ("3", "True", "val_accuracy", "0.9"), ("3", "True", "size", "1000.0"),
        ("5", "False", "val_accuracy", "0.93"), ("5", "False", "size", "4000.0"),
    ]  # fmt: skip
    assert float(mine[0]["test"]) == pytest.approx(0.85)
    with open(published / "scores.csv", newline="") as file:
        first = next(csv.DictReader(file))
    assert first["metric"] == "hypervolume" and 0.0 < float(first["test_score"]) < 1.0
    with open(published / "results.csv", newline="") as file:
        assert float(next(csv.DictReader(file))["test_accuracy"]) == 0.9  # the knee's


def test_tuners_that_rank_by_one_number_are_refused_by_name():
    with pytest.raises(InvalidInput, match="cmaes, keras_tuner.bayesian compare trials by one"):
        check_objectives(["cmaes", "nsga2", "keras_tuner.bayesian"], [TASK], 0)
    with pytest.raises(InvalidInput, match="several objectives .*final-round"):
        check_objectives(["nsga2"], [TASK], 5)
    check_objectives(["cmaes"], [make_task("wine")], 5)
    able = set(filter(searches_for_fronts, TUNERS))
    assert {"nsga2", "bayesian", "tpe", "hyperband", "asha", "optuna.nsga2", "optuna.gp"} <= able
    assert not able & {"de", "dehb", "pso", "policy", "pbt", "cmaes", "keras_tuner.hyperband"}


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (["size", "val_accuracy"], "first objective of the task 'wine' must be a metric on the"),
        (["val_accuracy", "val_accuracy"], "more than once"),
        (["val_accuracy", "sise"], "not known whether 'sise'"),
    ],
)
def test_objectives_that_cannot_be_compared(objective, message):
    with pytest.raises(InvalidInput, match=message):
        make_task("wine").with_objectives(objective)


def test_a_task_keeps_its_objectives_when_it_is_changed():
    assert [one.name for one in TASK.objectives] == list(PAIR)
    assert dataclasses.replace(TASK, batch_size=8).objectives == TASK.objectives
    assert TASK.target is None and TASK.with_objectives("val_loss").further == ()
    cost = make_task("digits_cost")
    assert [one.name for one in cost.objectives] == ["val_accuracy", "size", "latency"]


class Model:
    """A model of which the recorder needs weights and parameters."""

    def __init__(self, parameters):
        self.parameters = parameters

    def get_weights(self):
        return [self.parameters]

    def count_params(self):
        return self.parameters


def test_a_recorder_keeps_the_front_of_a_peer_with_the_weights_of_each_model():
    recorder = Recorder(TASK.objective, 100, (size(), energy()))
    epochs = [
        (0, 500, 0.80, 0.5), (0, 500, 0.85, 0.4), (1, 900, 0.84, 0.3), (2, 100, 0.60, 0.9),
        (0, 500, 0.82, 0.1), (3, 50, float("nan"), 0.1),
    ]  # fmt: skip
    for trial, parameters, accuracy, loss in epochs:
        recorder.begin({"units": trial})
        recorder.set_model(Model(parameters))
        recorder.on_train_begin()
        recorder.on_epoch_begin(0)
        recorder.on_epoch_end(0, {"val_accuracy": accuracy, "val_loss": loss})
    front = dict(recorder.front())
    assert 0 in front and 2 in front and 3 not in front
    assert front[0].metrics["val_accuracy"] == 0.85 and front[0].weights == [500]
    assert front[0].metrics["size"] == 500 and 0.0 < front[0].metrics["energy"] < 1.0
    assert [step.trial for step in recorder.front_steps] == [0, 0, 1, 2]
    assert recorder.winner_of({"units": 2}).metrics["size"] == 100
    assert recorder.winner_of({"units": 9}) is None


@pytest.mark.parametrize(
    "tuner", ["optuna.nsga2", pytest.param("optuna.tpe", marks=pytest.mark.slow)]
)
def test_a_peer_searches_for_the_front(tuner, tmp_path):
    given = ComparisonOptions(
        problem=("wine",), objective=PAIR, tuners=(tuner,), out=str(tmp_path),
        max_epochs=1, max_trials=4, initial_points=2,
    )  # fmt: skip
    run = plan_runs(given, {"wine": TASK})[0]
    short = dataclasses.replace(TASK, build=lambda hp: eagerly(TASK.build(hp)), load=few)
    result = peer.run_peer(run, short, given)
    assert (result.epochs, result.trials) == (4, 4) and len(result.front_steps) == 4
    costs = [(-p.validation["val_accuracy"], p.validation["size"]) for p in result.front]
    seen = [(-step.values[0], step.values[1]) for step in result.front_steps]
    assert set(costs) == {
        one for one in seen
        if not any(o != one and o[0] <= one[0] and o[1] <= one[1] for o in seen)
    }  # fmt: skip
    assert all(p.test["size"] == p.validation["size"] for p in result.front)
    knee = result.front[0]
    assert knee.test["val_accuracy"] == pytest.approx(result.test_score)
    assert knee.config["layers"] == sum(name.startswith("units_") for name in knee.config)


def few(seed):
    """A split whose training and validation parts are a batch each."""
    split = TASK.load(seed)
    train, validation = (tuple(a[:16] for a in part) for part in (split.train, split.validation))
    return dataclasses.replace(split, train=train, validation=validation)


@pytest.mark.slow
def test_our_search_takes_its_whole_front_to_the_test_set(tmp_path):
    argv = "--problem wine --objective val_accuracy,size --tuners nsga2 recommended --max-epochs 2"
    argv += f" --max-trials 4 --quiet --out {tmp_path}"
    assert main(argv.split()) == 0
    with open(tmp_path / "fronts.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["tuner"] for row in rows} == {"nsga2", "recommended", "default"}
    assert all(0.0 <= float(r["test"]) <= 1.0 for r in rows if r["objective"] == "val_accuracy")


OWN = """
import kerashpo as kt


def weighted(build_model, budget, **common):
    return kt.RandomSearch(
        build_model, max_trials=budget.trials, weights={"val_accuracy": 1, "size": 1e-9}, **common
    )


def first_only(build_model, budget, objective, **common):
    return kt.RandomSearch(
        build_model, max_trials=budget.trials, objective=objective[0], **common
    )
"""


def own(tmp_path, name):
    file = tmp_path / "own.py"
    file.write_text(OWN)
    argv = f"--problem wine --objective val_accuracy,size --tuners {file}:{name} --max-epochs 1"
    return main([*argv.split(), "--max-trials", "3", "--quiet", "--out", str(tmp_path / "out")])


def test_a_search_for_a_weighted_sum_returns_its_best_model(tmp_path):
    assert own(tmp_path, "weighted") == 0
    (path,) = (tmp_path / "out").rglob("own_weighted*.result.json")
    body = json.loads(path.read_text("utf-8"))
    (point,) = body["front"]
    history = kt.open_study(path.parent / "own_weighted_tuning").history
    best = history.trials[history.ranking()[0]]
    # Accuracy decides at these weights.
    assert point["trial"] == best.number
    assert point["validation"]["val_accuracy"] == max(
        trial.metrics_at_best()["val_accuracy"] for trial in history.trials.values()
    )
    assert len(body["front_steps"]) == 3
    assert all(len(step["values"]) == 2 for step in body["front_steps"])


def test_a_tuner_that_leaves_out_an_objective_is_refused(tmp_path, capsys):
    assert own(tmp_path, "first_only") == 2
    assert "for all objectives of the comparison (size, val_accuracy)" in capsys.readouterr().err
