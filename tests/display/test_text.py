"""Numbers in words, bars and small curves."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from kerashpo.analysis.saturation import saturation
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.display.progress import folder_bytes, short_path
from kerashpo.display.select import search_title
from kerashpo.display.snapshot import plain
from kerashpo.display.sparkline import bar, sparkline
from kerashpo.display.text import clock, flow, number, saturation_note
from kerashpo.i18n.texts import Texts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.4, "0:59"), (61, "1:01"), (3661, "1:01:01"), (float("nan"), "0:00")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.98765, "0.9877"), (0.0, "0.0000"), (1.5e-5, "1.5e-05"), (2e7, "2e+07")]
)
def test_scores_keep_digits_that_say_something(value, text):
    assert number(value, Texts("en")) == text
    assert number(value, Texts("es")) == text.replace(".", ",")


def test_values_to_copy_have_no_noise():
    assert plain({"a": 0.30000000000000004, "b": 3, "c": "x"}) == {"a": 0.3, "b": 3, "c": "x"}


def test_a_folder_is_measured_with_all_below_it(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"12345")
    (tmp_path / "a" / "b" / "two").write_bytes(b"123")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    link = (tmp_path / "gone").lstat().st_size
    assert folder_bytes(str(tmp_path)) == 8 + link
    assert folder_bytes(str(tmp_path / "absent")) is None


@pytest.mark.parametrize(
    ("share", "done", "left"),
    [(0.0, "", "━━━━"), (0.5, "━━", "━━"), (0.6, "━━╸", "━"), (1.0, "━━━━", ""), (7.0, "━━━━", ""),
     (None, "", "━━━━")],
)  # fmt: skip
def test_bar(share, done, left):
    assert bar(share, 4) == (done, left)


def test_bar_in_ascii():
    assert "".join(bar(0.6, 5, plain=True)) == "###--"


def test_a_curve_rises_from_its_least_to_its_greatest_value():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([3, 1], 8) == "█▁"


def test_a_curve_that_does_not_move_is_in_the_middle():
    assert sparkline([2.0, 2.0], 8) == "▅▅"


def test_a_long_curve_is_averaged_and_keeps_its_width():
    drawn = sparkline([math.nan, *range(1, 1000)], 10)
    assert len(drawn) == 10 and drawn[0] == "▁" and drawn[-1] == "█"


def test_what_is_no_number_leaves_a_gap():
    assert sparkline([1.0, math.nan, 2.0, math.inf], 8) == "▁ █ "
    assert sparkline([math.nan], 8) == " "
    assert sparkline([], 8) == ""


def test_parts_flow_into_lines_and_are_never_broken():
    assert flow(["aaaa", "bb", "cccccccc"], 9) == ["aaaa   bb", "cccccccc"]
    assert flow(["much too long"], 4) == ["much too long"]
    assert flow([], 9) == []


@pytest.mark.parametrize(
    ("tuner", "algorithm", "title"),
    [
        ("Hyperband", "random", "Hyperband + random"),
        ("BayesianOptimization", "bayesian", "BayesianOptimization"),
        ("RandomSearch", "random", "RandomSearch"),
        ("ASHA", "bayesian", "ASHA + bayesian"),
    ],
)
def test_an_algorithm_is_named_once(tuner, algorithm, title):
    assert search_title(tuner, algorithm) == title


def test_paths_below_the_working_folder_are_short(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_path(str(tmp_path / "runs" / "lab")) == str(Path("runs/lab"))
    assert short_path("runs/lab") == "runs/lab"
    assert short_path(str(tmp_path.parent / "other")) == str(tmp_path.parent / "other")


@pytest.mark.parametrize("final_round", [False, True])
def test_what_was_done_already_is_not_advised(final_round):
    sizes = {"validation_samples": 91}
    history = History([StudyCreated({"params": []}, (("val_accuracy", "max"),), 0, {}, sizes)])
    for trial in (0, 1):
        history.apply(JobStarted(Start(trial, {}, 1)))
        history.apply(Reported(Report(trial, 0, 1, {"val_accuracy": 1.0}, 1.0)))
        history.apply(Ended(trial, Status.COMPLETED, ""))
    if final_round:
        history.trials[0].extra.add(1)
    note = saturation_note(history, saturation(history), Texts("en"))
    assert "2 of 2 trials tie" in note and "ensemble(10)" in note
    assert ("final_round=5" in note) == (not final_round)
