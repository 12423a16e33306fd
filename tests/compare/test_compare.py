"""The comparison from end to end, on budgets of seconds."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kerashpo.compare import run_one
from kerashpo.compare.__main__ import main
from kerashpo.compare.command import INTERRUPTED
from kerashpo.compare.comparison_options import parse
from kerashpo.compare.evaluate import confusion
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.statistics import summarise
from kerashpo.problems.registry import make_task

TINY = "--max-epochs 2 --max-trials 2 --initial-points 1 --factor 2".split()
COLUMNS = (
    "problem,tuner,seed,trials,epochs,val_accuracy,val_loss,test_accuracy,test_loss,seconds,best_config"
).split(",")


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Spy:
    """Keeps what every tuner was given to search on."""

    def __init__(self) -> None:
        self.searched: list[tuple[str, dict[str, Any]]] = []
        self._make = run_one.make_tuner

    def __call__(self, run: Run, *args: Any) -> Any:
        tuner = self._make(run, *args)
        search = tuner.search

        def spied(x: Any, y: Any, **kwargs: Any) -> None:
            self.searched.append((run.tuner, {"x": x, "y": y, **kwargs}))
            search(x, y, **kwargs)

        tuner.search = spied
        return tuner


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Spy, str]:
    """A comparison that has run: its folder, what was searched, what was printed."""
    out = tmp_path_factory.mktemp("compare") / "out"
    spy = Spy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_one, "make_tuner", spy)
        patch.setattr(sys, "argv", ["kerashpo", "compare"])
        text = _captured([*TINY, "--out", str(out)])
    return out, spy, text


def _captured(argv: list[str]) -> str:
    import contextlib
    import io

    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        assert main(argv) == 0
    return buffer.getvalue()


def test_a_row_for_each_tuner_and_baseline(compared):
    out, _, _ = compared
    found = rows(out / "results.csv")
    assert list(found[0]) == COLUMNS
    assert [row["tuner"] for row in found] == ["hyperband", "bayesian", "default", "majority"]
    for row in found:
        assert 0 <= float(row["test_accuracy"]) <= 1
        assert float(row["test_loss"]) > 0
    trials = {row["tuner"]: (row["trials"], row["epochs"]) for row in found}
    assert trials["bayesian"] == ("2", "4")
    assert trials["default"] == ("1", "2")
    assert trials["majority"] == ("0", "0")
    best = json.loads(found[0]["best_config"])
    assert set(best) >= {"layers", "activation", "units_0", "dropout_0", "learning_rate"}
    assert best["layers"] == sum(name.startswith("units_") for name in best)


def test_the_default_is_untuned(compared):
    out, _, _ = compared
    (row,) = (row for row in rows(out / "results.csv") if row["tuner"] == "default")
    assert json.loads(row["best_config"]) == {
        "layers": 1, "activation": "relu", "units_0": 32, "dropout_0": 0.0, "learning_rate": 0.001,
    }  # fmt: skip


def test_every_epoch_is_in_the_curves(compared):
    out, _, _ = compared
    found = rows(out / "curves.csv")
    assert list(found[0]) == (
        "problem,tuner,seed,trial,epoch,metric,value,seconds,elapsed".split(",")
    )
    results = {row["tuner"]: int(row["epochs"]) for row in rows(out / "results.csv")}
    for tuner, epochs in results.items():
        shown = {(r["trial"], r["epoch"]) for r in found if r["tuner"] == tuner}
        assert len(shown) == epochs


def test_every_model_of_a_search_is_on_the_test_set(compared):
    out, _, _ = compared
    found = rows(out / "models.csv")
    models = [(row["tuner"], row["model"], row["members"]) for row in found]
    assert models == [
        ("hyperband", "winner", "1"),
        ("hyperband", "ensemble", rows(out / "results.csv")[0]["trials"]),
        ("bayesian", "winner", "1"),
        ("bayesian", "ensemble", "2"),
        ("default", "winner", "1"),
        ("default", "average", "5"),
    ]
    for row in found:
        assert 0 <= float(row["test_score"]) <= 1 and float(row["test_loss"]) > 0
        assert 0 < float(row["milliseconds"]) < 10_000
        # The score shown, less the luck of having been chosen.
        assert row["model"] != "winner" or 0 < float(row["expected"]) < float(row["shown"])
    winners = {r["tuner"]: r["test_score"] for r in found if r["model"] == "winner"}
    shown = {r["tuner"]: r["test_accuracy"] for r in rows(out / "results.csv")}
    for tuner, value in winners.items():
        assert float(value) == pytest.approx(float(shown[tuner]), abs=1e-6)
    average = found[-1]
    assert int(average["parameters"]) == 5 * int(found[-2]["parameters"])
    assert (average["epochs"], average["shown"]) == ("10", "nan")
    assert "average of 5 seeds" in (out / "report.md").read_text("utf-8")


def test_recommended_has_a_final_round_where_its_budget_allows_one():
    options = parse(["--tuners", "recommended", "--max-epochs", "2", "--epochs", "20"])
    assert options.final_round_of("recommended") == 5
    assert options.final_round_of("bayesian") is None
    short = parse(["--tuners", "recommended", "--max-epochs", "2", "--epochs", "19"])
    assert short.final_round_of("recommended") is None
    every = parse(["--max-epochs", "2", "--epochs", "40", "--final-round", "3"])
    assert {every.final_round_of(name) for name in ("bayesian", "recommended")} == {3}


def test_the_final_round_is_in_the_table_and_within_the_budget(tmp_path):
    budget = "--max-epochs 1 --epochs 10 --tuners recommended --quiet".split()
    assert main([*budget, "--out", str(tmp_path)]) == 0
    found = {r["model"]: r for r in rows(tmp_path / "models.csv") if r["tuner"] == "recommended"}
    assert set(found) == {"winner", "ensemble", "final", "final_all"}
    assert found["final"]["members"] == "5" and found["final_all"]["members"] in ("5", "10")
    assert all(int(row["epochs"]) <= 10 for row in found.values())


def test_summary_and_confusion(compared):
    out, _, _ = compared
    summary = rows(out / "summary.csv")
    assert [row["tuner"] for row in summary] == ["hyperband", "bayesian", "default", "majority"]
    assert summary[0]["test_accuracy_half"] == "nan"
    test_set = make_task("breast_cancer").load(0).test[1]
    table = rows(out / "confusion.csv")
    for tuner in ("hyperband", "bayesian", "default", "majority"):
        cells = [row for row in table if row["tuner"] == tuner]
        assert sum(int(row["count"]) for row in cells) == len(test_set) == 114
        malignant = sum(int(row["count"]) for row in cells if row["truth"] == "malignant")
        assert malignant == int((test_set == 0).sum())


def test_the_accuracy_is_that_of_the_confusion_matrix(compared):
    out, _, _ = compared
    table = rows(out / "confusion.csv")
    for row in rows(out / "results.csv"):
        right = sum(
            int(cell["count"])
            for cell in table
            if cell["tuner"] == row["tuner"] and cell["truth"] == cell["answer"]
        )
        assert right / 114 == pytest.approx(float(row["test_accuracy"]), abs=1e-6)


def test_a_figure_is_drawn(compared):
    out, _, _ = compared
    assert (out / "anytime_breast_cancer.png").read_bytes().startswith(b"\x89PNG")


def test_a_command_names_no_tuner_that_the_user_has_not(compared):
    out, _, text = compared
    assert "report kerashpo report " in text.replace("\n", " ")
    assert "tuner.report" not in text + (out / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_a_module_that_is_run_names_no_tuner_that_the_user_has_not(tmp_path):
    argv = [*TINY, "--tuners", "random", "--problem", "wine", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "kerashpo.compare", *argv]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "report kerashpo report " in done.stdout
    assert "tuner.report" not in done.stdout + (tmp_path / "report.md").read_text("utf-8")


def test_the_table_is_printed(compared):
    out, _, text = compared
    for word in ("hyperband", "bayesian", "majority class", "test accuracy", "recall malignant"):
        assert word in text
    assert str(out) in text.replace("\n", "")


def test_no_search_sees_the_test_set(compared):
    _, spy, _ = compared
    split = make_task("breast_cancer").load(0)
    secret = {row.tobytes() for row in split.test[0]}
    assert [name for name, _ in spy.searched] == ["hyperband", "bayesian", "default"]
    for _, given in spy.searched:
        assert set(given) <= {"x", "y", "validation_data", "batch_size", "verbose", "epochs"}
        seen = [*given["x"], *given["validation_data"][0]]
        assert len(seen) == 455
        assert not secret & {np.asarray(row).tobytes() for row in seen}


def test_all_tuners_of_a_seed_share_its_split(compared):
    _, spy, _ = compared
    first = spy.searched[0][1]
    for _, given in spy.searched[1:]:
        assert np.array_equal(given["x"], first["x"])
        assert np.array_equal(given["validation_data"][0], first["validation_data"][0])
    other = make_task("breast_cancer").load(1).train[0]
    assert not np.array_equal(other, first["x"])


def test_what_has_run_is_not_run_again(compared, monkeypatch, capsys):
    out, _, _ = compared
    monkeypatch.setattr(run_one, "make_tuner", _refuse)
    before = (out / "results.csv").read_text()
    assert main([*TINY, "--out", str(out)]) == 0
    assert (out / "results.csv").read_text() == before
    assert capsys.readouterr().out.count("done before") == 4


def test_in_spanish(compared, capsys):
    out, _, _ = compared
    assert main([*TINY, "--out", str(out), "--lang", "es"]) == 0
    text = capsys.readouterr().out
    assert "clase mayoritaria" in text and "majority" not in text


def test_the_models_of_each_search_are_printed_as_in_the_report(compared, capsys):
    out, _, _ = compared
    assert main([*TINY, "--out", str(out)]) == 0
    text, report = capsys.readouterr().out, (out / "report.md").read_text("utf-8")
    assert "the models of each search" in report and "the models of each search" in text
    assert text.count("average") >= report.count("| average of") > 0
    assert main([*TINY, "--out", str(out), "--quiet"]) == 0
    assert "the models of each search" not in capsys.readouterr().out


def test_quiet_prints_the_table_alone(compared, capsys):
    out, _, _ = compared
    assert main([*TINY, "--out", str(out), "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "hyperband" in text and "done before" not in text and str(out) not in text


def test_an_interrupted_comparison_continues_where_it_was(tmp_path, monkeypatch, capsys):
    argv = [*TINY, "--tuners", "random", "--out", str(tmp_path)]
    done = []

    def cut(run: Run, *args: Any) -> Result | None:
        done.append(run.tuner)
        return None if run.tuner == "default" else run_search(run, *args)

    run_search = run_one.run_search
    monkeypatch.setattr(run_one, "run_search", cut)
    assert main(argv) == INTERRUPTED
    assert done == ["random", "default"]
    assert "The same command resumes it" in capsys.readouterr().out
    assert not (tmp_path / "results.csv").exists()
    monkeypatch.setattr(run_one, "run_search", run_search)
    assert main(argv) == 0
    assert capsys.readouterr().out.count("done before") == 1
    done.clear()
    monkeypatch.setattr(run_one, "run_search", cut)
    assert main([*argv, "--fresh"]) == INTERRUPTED
    assert done == ["random", "default"]


def test_an_interrupt_ends_every_budget(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(run_one, "run_search", lambda run, *args: asked.append(run.budget))
    argv = [*TINY, "--epochs", "2", "4", "--tuners", "random", "--out", str(tmp_path)]
    assert main(argv) == INTERRUPTED
    assert asked == ["epochs-2-total-2"]


def test_ctrl_c_outside_a_search_is_no_traceback(tmp_path, monkeypatch, capsys):
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_one, "run_search", interrupted)
    assert main([*TINY, "--out", str(tmp_path)]) == INTERRUPTED
    assert "The same command resumes it" in capsys.readouterr().out


def test_fresh_deletes_nothing_else(tmp_path, monkeypatch):
    thesis = tmp_path / "runs" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("all of it")
    monkeypatch.setattr(run_one, "run_search", lambda *args: None)
    assert main([*TINY, "--out", str(tmp_path), "--fresh"]) == INTERRUPTED
    assert thesis.exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--tuners", "bayesan"], "Did you mean 'bayesian'"),
        (["--max-epochs", "0"], "max_epochs"),
        (["--out", "{file}/below"], "Cannot write to.*--out"),
        (["--out", "{file}"], "Cannot write to.*--out"),
    ],
)
def test_mistakes_are_one_line(argv, message, tmp_path, capsys):
    import re

    file = tmp_path / "file"
    file.write_text("in the way")
    assert main([part.format(file=file) for part in argv]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and re.search(message, err)
    assert "Traceback" not in err


def test_a_dry_run_trains_nothing_and_imports_no_tensorflow(tmp_path):
    code = (
        "import sys; from kerashpo.compare.__main__ import main; "
        "code = main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras', 'matplotlib', 'pandas'} & set(sys.modules); "
        "sys.exit(code)"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code, "--dry-run", "--out", str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "hyperband" in done.stdout and "to run" in done.stdout
    assert not (tmp_path / "out").exists()


def test_a_damaged_row_counts_as_none(tmp_path):
    run = Run("breast_cancer", "random", 0, tmp_path)
    assert run.state == "waiting"
    run.keep(_result("random", 0, 0.9))
    assert run.state == "finished" and run.result == _result("random", 0, 0.9)
    path = next(tmp_path.glob("*.json"))
    for text in ("", "{", "[]", '{"problem": 1}'):
        path.write_text(text)
        assert run.result is None


def test_intervals_over_seeds():
    results = [_result("a", seed, value) for seed, value in enumerate([0.9, 0.94])]
    (line,) = summarise(results, {"p": 0})
    measure = line.measures["test_accuracy"]
    assert measure.mean == pytest.approx(0.92)
    # Student's t with one degree of freedom: 12.706; the standard error is 0.02.
    assert measure.half == pytest.approx(12.7062 * 0.02, rel=1e-4)
    assert line.confusion == [[6, 2], [0, 10]]
    assert line.measures["recall"].mean == 0.75


def _result(tuner: str, seed: int, accuracy: float) -> Result:
    return Result(
        "p", tuner, seed, 1, 1, 0.9, 0.1, accuracy, 0.1, 1.0, {"x": 1}, 0.9, accuracy,
        [[3, 1], [0, 5]],
    )  # fmt: skip


def test_confusion_rows_are_the_truth():
    assert confusion([0, 0, 1], [0, 1, 1], 2) == [[1, 1], [0, 1]]
    assert confusion([0, 2], [2, 2], 3) == [[0, 0, 1], [0, 0, 0], [0, 0, 1]]


def _refuse(*args: Any) -> None:
    raise AssertionError("run again")
