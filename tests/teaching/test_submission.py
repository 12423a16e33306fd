"""What a hand-in must hold, and what is refused: every sentence once."""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import (
    Ended,
    JobStarted,
    Reported,
    SessionEnded,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.core.rng import stream
from kerashpo.i18n.texts import Texts
from kerashpo.problems.power_law import PowerLaw
from kerashpo.study.results import Results
from kerashpo.teaching import check_submission, exercises, write_submission
from kerashpo.teaching.__main__ import main
from kerashpo.teaching.plausibility import is_share

SPACE = kt.Space({"units": kt.space.integer(1, 500), "rate": kt.space.loguniform(1e-4, 1e-1)})
ENVIRONMENT = {"keras": "3.15.0", "kerashpo": "0.1.0"}


def trained(tuner: str, algorithm: str, trials: int = 12) -> Results:
    """A search as a tuner would have left it: 91 validation samples, two epochs a trial."""
    settings = {"tuner": tuner, "algorithm": algorithm, "data": "0123abcd"}
    history = History(
        [
            StudyCreated(SPACE.to_json(), (("val_accuracy", "max"),), 3, settings, ENVIRONMENT),
            SessionStarted(1.7e9),
        ]
    )
    at = 0.0
    for number in range(trials):
        config = SPACE.sample(stream(3, "ask", number))
        history.apply(JobStarted(Start(number, config, 2), at=at))
        for epoch in (1, 2):
            at += 0.5
            hits = 60 + number + epoch
            metrics = {"val_accuracy": float(np.float32(hits / 91)), "val_loss": 1.0 / hits}
            history.apply(Reported(Report(number, 0, epoch, metrics, 0.4 * epoch), at=at))
        status = Status.COMPLETED if number % 3 else Status.STOPPED
        history.apply(Ended(number, status, "rung", at=at))
    history.apply(SessionEnded("finished", True, at=at))
    return Results(history, SPACE)


ANSWERS = {"best_trial_epochs": 2, "total_epochs": 24, "stopped": 4, "conclusion": "word " * 40}
TEST = {"hyperband": {"accuracy": 111 / 114, "loss": 0.1}, "bayesian": {"accuracy": 1.0}}
STUDIES = {
    "hyperband": trained("Hyperband", "random"),
    "bayesian": trained("BayesianOptimization", "bayesian"),
}


@pytest.fixture
def lab(tmp_path) -> Callable[..., Path]:
    """Writes a good hand-in of the lab, changed by a function of its JSON."""

    def write(change: Callable[[dict[str, Any]], Any] = lambda body: None, **parts: Any) -> Path:
        path = tmp_path / "results.json"
        given = {"author": "Ada", "answers": ANSWERS, "test": TEST, "studies": STUDIES} | parts
        write_submission(path, exercise="lab", parameters={"FAST": True}, **given)
        body = json.loads(path.read_text("utf-8"))
        change(body)
        path.write_text(json.dumps(body), "utf-8")
        return path

    return write


def test_a_good_hand_in_is_complete(lab):
    review = check_submission(lab())
    assert review.problems == () and review.complete and (review.right, review.asked) == (4, 4)
    assert str(review).endswith("(Ada): accepted, 4 of 4 answers are right.")
    assert review.studies["hyperband"].best == STUDIES["hyperband"].best


def test_a_teacher_gets_the_student_s_search_back(lab):
    found = check_submission(lab()).studies["hyperband"]
    assert found.curves().equals(STUDIES["hyperband"].curves())
    assert found.trials().equals(STUDIES["hyperband"].trials())


def test_missing_and_wrong_answers_are_told_apart(lab):
    answers = {**ANSWERS, "stopped": None, "total_epochs": 7, "conclusion": "   "}
    review = check_submission(lab(answers=answers))
    assert review.accepted and not review.complete and review.right == 1
    assert review.unanswered == ("stopped", "conclusion")
    assert "The answer 'total_epochs' (7) does not follow from your own search." in str(review)
    assert "Not answered yet: stopped, conclusion." in str(review)


@pytest.mark.parametrize("given", ["seven", [1], {"a": 1}, float("nan"), float("inf")])
def test_an_answer_that_is_no_number_is_wrong_not_an_error(lab, given):
    review = check_submission(lab(answers={**ANSWERS, "stopped": given}))
    assert review.right == 3 and review.accepted


def trial(body: dict[str, Any], number: int = 4) -> dict[str, Any]:
    return body["studies"]["hyperband"]["trials"][number]


def set_metric(name: str, value: float) -> Callable[[dict[str, Any]], None]:
    return lambda body: trial(body)["epochs"][1][4].update({name: value})


def copy_trial(body: dict[str, Any]) -> None:
    trial(body)["config"] = dict(trial(body, 3)["config"])


def forget_keras(body: dict[str, Any]) -> None:
    body["studies"]["hyperband"]["environment"] = {}


def all_failed(body: dict[str, Any]) -> None:
    for one in body["studies"]["hyperband"]["trials"]:
        one.update(status="FAILED", reason="failed")


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "format": (lambda b: b.update(format="mine"), "no hand-in of a notebook"),
    "part": (lambda b: b.pop("answers"), "The part 'answers' is missing"),
    "exercise": (lambda b: b.update(exercise="labo"), "'labo' is not known. Did you mean 'lab'"),
    "broken": (lambda b: trial(b).pop("config"), r"'hyperband' cannot be read \(KeyError"),
    "author": (lambda b: b.update(author=" "), "write your name into AUTHOR"),
    "study": (lambda b: b["studies"].pop("bayesian"), "'bayesian' is missing"),
    "few": (lambda b: b["studies"]["hyperband"].update(trials=[]), "at least 10 are asked for"),
    "no score": (all_failed, "no trial with a score"),
    "simulated": (forget_keras, "was not trained: it notes neither Keras nor data"),
    "no data": (lambda b: b["studies"]["hyperband"]["settings"].pop("data"), "was not trained"),
    "tuner": (
        lambda b: b["studies"]["hyperband"]["settings"].update(tuner="RandomSearch"),
        "should be a search by Hyperband, and is one by RandomSearch",
    ),
    "gap": (lambda b: trial(b)["epochs"].pop(0), "trial 4: epochs are missing"),
    "over one": (set_metric("val_accuracy", 1.2), "epoch 2: val_accuracy cannot be 1.2"),
    "no share": (set_metric("val_accuracy", 0.9), "val_accuracy cannot be 0.9"),
    "loss": (set_metric("val_loss", -0.1), "val_loss cannot be -0.1"),
    "back in time": (lambda b: trial(b)["epochs"][1].__setitem__(3, 0.1), "do not go forward"),
    "total": (lambda b: b["studies"]["hyperband"].update(seconds=2.0), "to take 2.0 s, but"),
    "outside": (lambda b: trial(b)["config"].update(units=9999), "lie outside the space"),
    "repeated": (copy_trial, "trial 4 repeats the values of trial 3"),
    "not drawn": (
        lambda b: trial(b)["config"].update(rate=0.0123), "trial 4: random search with seed 3"
    ),
    "seed": (lambda b: b["studies"]["hyperband"].update(seed=4), "random search with seed 4"),
    "no test": (lambda b: b["test"].pop("hyperband"), "test accuracy of 'hyperband' is missing"),
    "test": (lambda b: b["test"]["hyperband"].update(accuracy=0.99), "no whole number of the 114"),
    "space": (
        lambda b: b["studies"]["hyperband"].update(space={"params": [{"name": "a"}]}),
        "its space cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_missing_or_impossible_is_refused(lab, change, told):
    review = check_submission(lab(change))
    assert not review.accepted and not review.complete
    assert any(re.search(told, problem) for problem in review.problems), str(review)


def test_no_time_at_all(lab):
    def change(body):
        for one in body["studies"]["hyperband"]["trials"]:
            for epoch in one["epochs"]:
                epoch[3] = 0.0

    assert "no time at all" in str(check_submission(lab(change)))


def test_a_file_that_is_not_there_or_no_json(tmp_path):
    assert "There is no file" in str(check_submission(tmp_path / "results.json"))
    (tmp_path / "results.json").write_text("{")
    assert "cannot be read as JSON" in str(check_submission(tmp_path / "results.json"))
    (tmp_path / "results.json").write_text("[]")
    assert "is 'list'" in str(check_submission(tmp_path / "results.json"))


def test_spanish(lab):
    review = check_submission(lab(answers={**ANSWERS, "stopped": 99}), lang="es")
    assert "aceptado, 3 de 4 respuestas son correctas por ahora" in str(review)
    assert "no se deduce de su propia búsqueda" in str(review)


def test_every_sentence_is_said_by_something():
    """Sentences of the checks, all of them seen above or below."""
    told = {"complete", "accepted", "refused", "wrong", "unanswered"}
    package = Path(exercises.__file__).parent
    code = "".join(path.read_text("utf-8") for path in package.glob("*.py"))
    for key in Texts("en").sentences["submission"]:
        assert f'"{key}"' in code, key
    assert told <= set(Texts("en").sentences["submission"])


def simulated(**change: Any) -> dict[str, Results]:
    problem = PowerLaw(27)
    shared: dict[str, Any] = {"seed": 0, "workers": 8, **change}
    return {
        "hyperband": kt.simulate(problem, tuner="hyperband", **shared),
        "asha": kt.simulate(problem, tuner="asha", budget_epochs=200, **shared),
    }


def hand_in_rungs(path: Path, studies: dict[str, Results], **answers: Any) -> Path:
    found = {
        "first_bracket_81": 81,
        "epochs_81": kt.simulate(PowerLaw(81), tuner="hyperband", seed=0).epochs,
        "idle_hyperband": exercises._idle(studies["hyperband"], 8),
        "idle_asha": exercises._idle(studies["asha"], 8),
    } | answers
    write_submission(
        path, exercise="rungs", author="Bo", parameters={}, studies=studies, answers=found
    )
    return path


def test_a_simulated_study_counts_where_the_exercise_is_about_one(tmp_path):
    review = check_submission(hand_in_rungs(tmp_path / "r.json", simulated()))
    assert review.complete, str(review)


def test_a_simulated_study_never_passes_for_a_trained_one(tmp_path):
    studies = simulated()
    write_submission(
        tmp_path / "r.json", exercise="lab", author="Bo", parameters={}, answers=ANSWERS,
        studies={"hyperband": studies["hyperband"], "bayesian": studies["asha"]}, test=TEST,
    )  # fmt: skip
    assert "A simulated result does not count here." in str(check_submission(tmp_path / "r.json"))


def test_a_value_that_the_problem_does_not_give_is_refused(tmp_path):
    path = hand_in_rungs(tmp_path / "r.json", simulated())
    body = json.loads(path.read_text("utf-8"))
    body["studies"]["asha"]["trials"][2]["epochs"][0][4]["value"] = 0.001
    path.write_text(json.dumps(body), "utf-8")
    assert "trial 2, epoch 1: the value is said to be 0.001" in str(check_submission(path))


def test_a_study_whose_space_grew_is_not_drawn_again(lab):
    def change(body):
        trial(body)["config"]["rate"] = 0.0123
        body["studies"]["hyperband"]["grown"] = True

    assert check_submission(lab(change)).accepted


def test_an_epoch_without_a_finite_score_is_written_and_read(lab):
    studies = copy.deepcopy(STUDIES)
    report = studies["hyperband"].history.trials[0].reports[0][1]
    report.metrics["val_loss"] = float("nan")  # type: ignore[index]
    assert check_submission(lab(studies=studies)).accepted


def test_what_is_no_json_is_refused_before_it_is_written(tmp_path):
    with pytest.raises(InvalidInput, match="Answers and parameters must be numbers"):
        write_submission(
            tmp_path / "r.json", exercise="lab", author="", parameters={}, studies={},
            answers={"stopped": object()},
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_are_written(tmp_path, lab):
    path = lab(answers={**ANSWERS, "stopped": np.int64(4)})
    assert check_submission(path).complete


@pytest.mark.parametrize(
    ("value", "count", "whole"),
    [(90 / 91, 91, True), (float(np.float32(37 / 91)), 91, True), (0.95, 91, False), (0, 9, True)],
)
def test_shares(value, count, whole):
    assert is_share(value, count) is whole


def test_the_teacher_s_command(lab, tmp_path, capsys):
    good, table = lab(), tmp_path / "grades.csv"
    absent = tmp_path / "absent.json"
    assert main([str(good)]) == 0
    assert main([str(good), str(absent), "--csv", str(table), "--lang", "es"]) == 1
    assert "No existe el archivo" in capsys.readouterr().out
    with open(table, newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert (first["author"], first["accepted"], first["right"]) == ("Ada", "True", "4")
    assert second["accepted"] == "False" and "No existe" in second["remarks"]


def test_what_the_exercises_say_of_their_functions():
    """The notebooks' functions and the checker's are the same mathematics."""
    grid = np.linspace(0, 1, 100_001)
    values = (6 * grid - 2) ** 2 * np.sin(12 * grid - 4)
    assert grid[values.argmin()] == pytest.approx(exercises.WAVY_BEST, abs=1e-4)
    mean, deviation = exercises._posterior_at(0.5)
    assert (mean, deviation) == (pytest.approx(exercises.wavy(0.5)), pytest.approx(0, abs=1e-6))
    assert exercises.wine_error({"C": 1.0, "kernel": "linear"}) == pytest.approx(0.0394, abs=0.01)


@pytest.mark.parametrize("name", exercises.EXERCISES)
def test_every_exercise_is_whole(name):
    exercise = exercises.EXERCISES[name]()
    assert exercise.studies and exercise.answers
    assert exercise.test.keys() <= exercise.studies.keys()
