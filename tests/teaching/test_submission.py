"""What a hand-in must hold, and what is refused: every sentence once."""

from __future__ import annotations

import csv
import io
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
    Event,
    JobStarted,
    Reported,
    SessionEnded,
    SessionStarted,
    SpaceGrown,
    StudyCreated,
    decode,
)
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.core.rng import stream
from kerashpo.i18n.texts import Texts
from kerashpo.problems.power_law import PowerLaw
from kerashpo.store.journal import lines_of, read_lines
from kerashpo.store.open import LOG_NAME
from kerashpo.study.results import Results
from kerashpo.teaching import check_submission, check_submissions, exercises, write_submission
from kerashpo.teaching.__main__ import main
from kerashpo.teaching.plausibility import Expected, is_share

SPACE = kt.Space({"units": kt.space.integer(1, 500), "rate": kt.space.loguniform(1e-4, 1e-1)})
ENVIRONMENT = {"keras": "3.15.0", "kerashpo": "0.1.0"}


def trained(tuner: str, algorithm: str, trials: int = 12, wall: float = 1.7e9) -> Results:
    """A search as a tuner would have left it: 91 validation samples, two epochs a trial."""
    settings = {"tuner": tuner, "algorithm": algorithm, "data": "0123abcd"}
    objectives = (("val_accuracy", "max"),)
    events: list[Event] = [
        StudyCreated(SPACE.to_json(), objectives, 3, settings, ENVIRONMENT),
        SessionStarted(wall),
    ]
    at = 0.0
    for number in range(trials):
        config = SPACE.sample(stream(3, "ask", number))
        events.append(JobStarted(Start(number, config, 2), at=at))
        for epoch in (1, 2):
            at += 0.5
            hits = 60 + number + epoch
            metrics = {"val_accuracy": float(np.float32(hits / 91)), "val_loss": 1.0 / hits}
            report = Report(number, 0, epoch, metrics, 0.4 * epoch + wall % 1)
            events.append(Reported(report, at=at))
        status = Status.COMPLETED if number % 3 else Status.STOPPED
        events.append(Ended(number, status, "rung", at=at))
    events.append(SessionEnded("finished", True, at=at))
    return Results(History(events), SPACE, log=lambda: events)


ANSWERS = {"best_trial_epochs": 2, "total_epochs": 24, "stopped": 4, "conclusion": "word " * 40}
PARAMETERS = {"FAST": True, "SEED": 3, "EPOCHS": 9}
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
        write_submission(path, exercise="lab", parameters=PARAMETERS, **given)
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


def test_missing_and_wrong_answers_are_distinguished(lab):
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


Line = dict[str, Any]


def edit(change: Callable[[Line], Any], study: str = "hyperband", **where: Any) -> Any:
    """Returns a change of a hand-in: of the lines of a study's journal that have given values.

    The checksums are made again, as somebody would who knows the format. `change` may return
    False, for a line that goes.
    """

    def edited(body: dict[str, Any]) -> None:
        lines = []
        for text in body["studies"][study][1:]:
            line = json.loads(text)
            fits = all(line.get(name) == value for name, value in where.items())
            if not fits or change(line) is not False:
                lines.append(decode(json.dumps({k: v for k, v in line.items() if k != "crc"})))
        body["studies"][study] = lines_of(lines)

    return edited


def report(change: Callable[[Line], Any], epoch: int = 2) -> Any:
    return edit(change, kind="report", trial=4, epoch=epoch)


def set_metric(name: str, value: float) -> Any:
    return report(lambda line: line["metrics"].update({name: value}))


def started(change: Callable[[dict[str, Any]], Any], trial: int = 4) -> Any:
    def changed(line: Line) -> None:
        if line["job"]["trial"] == trial:
            change(line["job"]["config"])

    return edit(changed, kind="job")


def copy_trial(body: dict[str, Any]) -> None:
    third: dict[str, Any] = {}
    started(third.update, 3)(body)
    started(lambda config: config.update(third))(body)


def all_failed(line: Line) -> None:
    line.update(status="FAILED", reason="failed")


def few(line: Line) -> bool:
    number = line.get("trial", line.get("job", {}).get("trial", 0))
    return number < 5


def created(**change: Any) -> Any:
    return edit(lambda line: line.update(change), kind="study")


def settings(change: Callable[[dict[str, Any]], Any]) -> Any:
    return edit(lambda line: change(line["settings"]), kind="study")


def forge(body: dict[str, Any]) -> None:
    """Changes a score in the file, as somebody would who does not know of checksums."""
    lines = body["studies"]["hyperband"]
    lines[5] = lines[5].replace('"val_accuracy":0.', '"val_accuracy":0.9')


def lose_a_line(body: dict[str, Any]) -> None:
    body["studies"]["hyperband"].pop(5)


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "format": (lambda b: b.update(format="mine"), "no hand-in of a notebook"),
    "part": (lambda b: b.pop("answers"), "The part 'answers' is missing"),
    "exercise": (lambda b: b.update(exercise="labo"), "'labo' is not known. Did you mean 'lab'"),
    "broken": (lambda b: b["studies"].update(hyperband=3), r"'hyperband' cannot be read \("),
    "header": (lambda b: b["studies"]["hyperband"].pop(0), "first line is not that of a study"),
    "forged": (forge, "'hyperband' cannot be read .*event 5: it does not match its checksum"),
    "lost": (lose_a_line, "event 5: it does not match its checksum"),
    "author": (lambda b: b.update(author=" "), "write your name into AUTHOR"),
    "study": (lambda b: b["studies"].pop("bayesian"), "'bayesian' is missing"),
    "few": (edit(few), "has 5 trial.*at least 10 are asked for"),
    "no score": (edit(all_failed, kind="ended"), "no trial with a score"),
    "simulated": (created(environment={}), "was not trained: it notes neither Keras nor data"),
    "no data": (settings(lambda s: s.pop("data")), "was not trained"),
    "tuner": (
        settings(lambda s: s.update(tuner="RandomSearch")),
        "should be a search by Hyperband, and is one by RandomSearch",
    ),
    "gap": (report(lambda line: False, epoch=1), "trial 4: epochs are missing"),
    "over one": (set_metric("val_accuracy", 1.2), "epoch 2: val_accuracy cannot be 1.2"),
    "no share": (set_metric("val_accuracy", 0.9), "val_accuracy cannot be 0.9"),
    "loss": (set_metric("val_loss", -0.1), "val_loss cannot be -0.1"),
    "back in time": (report(lambda line: line.update(seconds=0.1)), "do not go forward"),
    "total": (
        edit(lambda line: line.update(at=2.0), kind="session_end"), "to take 2.0 s, but"
    ),
    "outside": (started(lambda config: config.update(units=9999)), "lie outside the space"),
    "repeated": (copy_trial, "trial 4 repeats the values of trial 3"),
    "not drawn": (
        started(lambda config: config.update(rate=0.0123)), "trial 4: random search with seed 3"
    ),
    "seed": (created(seed=4), "random search with seed 4"),
    "other seed": (
        lambda b: b["parameters"].update(SEED=7),
        "'hyperband' was searched with seed 3, but the notebook's parameters say 7",
    ),
    "no seed": (lambda b: b["parameters"].pop("SEED"), "The parameter SEED is missing"),
    "no test": (lambda b: b["test"].pop("hyperband"), "test accuracy of 'hyperband' is missing"),
    "test": (lambda b: b["test"]["hyperband"].update(accuracy=0.99), "no whole number of the 114"),
    "space": (created(space={"params": [{"name": "a"}]}), "its space cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_missing_or_impossible_is_refused(lab, change, sentence):
    review = check_submission(lab(change))
    assert not review.accepted and not review.complete
    assert any(re.search(sentence, problem) for problem in review.problems), str(review)


def test_a_study_that_cannot_be_read_keeps_its_author(lab):
    review = check_submission(lab(forge))
    assert review.author == "Ada" and "(Ada): not accepted" in str(review)


def test_no_time_at_all(lab):
    change = edit(lambda line: line.update(seconds=0.0), kind="report")
    assert "no time at all" in str(check_submission(lab(change)))


def test_a_file_that_is_not_there_or_no_json(tmp_path):
    assert "There is no file" in str(check_submission(tmp_path / "results.json"))
    (tmp_path / "results.json").write_text("{")
    assert "cannot be read as JSON" in str(check_submission(tmp_path / "results.json"))
    (tmp_path / "results.json").write_text("[]")
    assert "is no hand-in" in str(check_submission(tmp_path / "results.json"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b'{"format": "ker', r"cut off or was changed \(line 1, column 12\)"),
        (b"[" * 100_000, "is no JSON file"),
        ('{"author": "Ñ"}'.encode("latin-1"), "is no JSON file"),
        (b'{"cells": [], "nbformat": 4}', "is the notebook itself"),
        (b'{"author": "Ada"}', "is no hand-in"),
        (None, "is a folder without JSON files"),
    ],
)
def test_what_else_may_arrive_is_named(tmp_path, data, sentence):
    path = tmp_path / "results.json"
    path.mkdir() if data is None else path.write_bytes(data)
    (problem,) = check_submission(path).problems
    assert re.search(sentence, problem), problem


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_editor_may_have_saved_a_hand_in_in_another_encoding(lab, encoding):
    path = lab(author="Núñez")
    path.write_text(path.read_text("utf-8"), encoding)
    review = check_submission(path)
    assert review.complete and review.author == "Núñez"


@pytest.mark.parametrize("test", [[1], {"hyperband": 3}])
def test_test_scores_of_another_form_are_refused(lab, test):
    assert not check_submission(lab(lambda body: body.update(test=test))).accepted


def odd() -> exercises.Exercise:
    def find(studies: Any) -> float:
        raise ZeroDivisionError("no rows")

    def value(config: dict[str, Any], epoch: int) -> float:
        return float(config["x"])

    expected = Expected(recompute=value)
    return exercises.Exercise({"search": expected}, {"ratio": exercises.Number(find)})


def test_one_odd_hand_in_does_not_end_the_review_of_the_others(tmp_path, monkeypatch, lab):
    monkeypatch.setitem(exercises.EXERCISES, "odd", odd)
    for name in ("x", "other"):
        space = kt.Space({name: kt.space.uniform(0, 1)})
        search = kt.optimize(lambda c: sum(c.values()), space, max_trials=2, seed=1, verbose=0)
        write_submission(
            tmp_path / f"{name}.json", exercise="odd", author="Bo", parameters={"SEED": 1},
            answers={"ratio": 1}, studies={"search": search},
        )  # fmt: skip
    good, bad, ada = check_submissions([tmp_path / "x.json", tmp_path / "other.json", lab()])
    assert good.accepted and not good.complete and ada.complete
    assert good.wrong == (
        "The answer 'ratio' cannot be checked with your studies (ZeroDivisionError: no rows).",
    )
    assert "cannot be computed with its values {'other':" in bad.problems[0]


def test_a_study_that_no_check_can_read_is_refused(lab, monkeypatch):
    def fail(*given: Any) -> Any:
        raise IndexError("odd")

    monkeypatch.setattr("kerashpo.teaching.review.examine", fail)
    assert "'hyperband' cannot be checked (IndexError: odd)" in str(check_submission(lab()))


@pytest.mark.parametrize(("given", "right"), [("0,5", True), ("0.5", True), (10**400, False)])
def test_numbers_as_students_write_them(given, right):
    assert exercises.Number(lambda studies: 0.5).accepts(given, {}) is right


def test_a_long_answer_is_cut_in_its_sentence(lab):
    (sentence,) = check_submission(lab(answers={**ANSWERS, "stopped": 10**300})).wrong
    assert len(sentence) < 140


def test_spanish(lab):
    review = check_submission(lab(answers={**ANSWERS, "stopped": 99}), lang="es")
    assert "aceptado, 3 de 4 respuestas son correctas por ahora" in str(review)
    assert "no se deduce de su propia búsqueda" in str(review)
    review = check_submission(lab(lambda body: body.update(exercise="labo")), lang="es")
    assert "ejercicio 'labo'. ¿Quiso decir 'lab'? Se conocen" in str(review)


def test_every_sentence_is_said_by_something():
    """Sentences of the checks, all of them seen above or below."""
    keys = {"complete", "accepted", "refused", "wrong", "unanswered"}
    package = Path(exercises.__file__).parent
    code = "".join(path.read_text("utf-8") for path in package.glob("*.py"))
    for key in Texts("en").sentences["submission"]:
        assert f'"{key}"' in code, key
    assert keys <= set(Texts("en").sentences["submission"])


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
        path, exercise="rungs", author="Bo", parameters={"SEED": 0}, studies=studies, answers=found
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
    lie = edit(lambda line: line["metrics"].update(value=0.001), "asha", kind="report", trial=2)
    lie(body)
    path.write_text(json.dumps(body), "utf-8")
    assert "trial 2, epoch 1: the value is said to be 0.001" in str(check_submission(path))


def test_a_study_whose_space_grew_is_not_drawn_again(lab):
    def change(body):
        started(lambda config: config.update(rate=0.0123))(body)
        lines = body["studies"]["hyperband"]
        events = list(read_lines(lines))
        grown = kt.Space({"units": kt.space.integer(1, 500), "depth": kt.space.integer(1, 3)})
        events.insert(-1, SpaceGrown(0, (grown.to_json()["params"][1],), at=events[-1].at))
        body["studies"]["hyperband"] = lines_of(events)

    assert check_submission(lab(change)).accepted


def test_an_epoch_without_a_finite_score_is_written_and_read(lab):
    change = edit(lambda line: line["metrics"].update(val_loss="NaN"), kind="report", trial=0)
    review = check_submission(lab(change))
    assert review.accepted
    assert review.studies["hyperband"].curves()["value"].isna().sum() == 2


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


def read_table(path, delimiter=","):
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "Excel spoils accents without it"
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def test_the_teacher_s_command(lab, tmp_path, capsys):
    good, table = lab(), tmp_path / "grades.csv"
    absent = tmp_path / "absent.json"
    assert main([str(good)]) == 0
    assert main([str(good), str(absent), "--csv", str(table)]) == 1
    assert "There is no file" in capsys.readouterr().out
    first, second = read_table(table)
    assert (first["author"], first["accepted"], first["right answers"]) == ("Ada", "yes", "4")
    assert (first["SEED"], first["FAST"], first["EPOCHS"]) == ("3", "True", "9")
    assert first["conclusion"] == ANSWERS["conclusion"]
    assert second["accepted"] == "no" and "There is no file" in second["remarks"]
    assert second["SEED"] == "" and second["conclusion"] == ""


def test_the_teacher_s_table_in_spanish(lab, tmp_path):
    table = tmp_path / "notas.csv"
    assert main([str(lab()), "--csv", str(table), "--lang", "es"]) == 0
    (row,) = read_table(table, ";")
    assert (row["autor"], row["aceptado"], row["respuestas correctas"]) == ("Ada", "sí", "4")


def test_the_table_s_cells_are_values_never_formulas(lab, tmp_path):
    table, essay = tmp_path / "notas.csv", "=1+1 " * 40
    path = lab(lambda body: body["parameters"].update(RATE=0.5), answers={"conclusion": essay})
    main([str(path), "--csv", str(table), "--lang", "es"])
    (row,) = read_table(table, ";")
    assert row["RATE"] == "0,5"
    assert row["conclusion"] == "'" + essay


def test_a_table_that_cannot_be_written_is_an_error_of_one_line(lab, tmp_path, capsys):
    assert main([str(lab()), "--csv", str(tmp_path / "no" / "notas.csv"), "--lang", "es"]) == 2
    assert "no se puede escribir" in capsys.readouterr().err


def test_a_folder_stands_for_its_files(lab, tmp_path, capsys):
    for name in ("Ana García (1)", "José [2]", ".ipynb_checkpoints"):
        (tmp_path / "entregas" / name).mkdir(parents=True)
        (tmp_path / "entregas" / name / "results.json").write_bytes(lab().read_bytes())
    assert main([str(tmp_path / "entregas")]) == 0
    assert main([str(tmp_path / "entregas" / "*")]) == 0
    out = capsys.readouterr().out
    assert out.count("José [2]") == out.count("Ana García (1)") == 2
    assert "ipynb" not in out


def test_an_unprintable_name_does_not_end_the_command(lab, monkeypatch):
    """A console of Windows has 256 characters."""
    path = lab(author="Łukasz")
    screen = io.TextIOWrapper(io.BytesIO(), "cp1252")
    monkeypatch.setattr("sys.stdout", screen)
    assert main([str(path)]) == 0
    assert b"(?ukasz): accepted" in screen.buffer.getvalue()


def test_patterns_are_expanded_also_where_no_shell_does(lab, tmp_path, monkeypatch, capsys):
    good = lab()
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_bytes(good.read_bytes())
    good.unlink()
    monkeypatch.chdir(tmp_path)
    assert main(["*.json", "one.json"]) == 0
    assert capsys.readouterr().out.count("accepted") == 2
    assert main(["*.jsn"]) == 2
    assert "No file matches '*.jsn'" in capsys.readouterr().err
    assert main(["one.json", "--langg", "es"]) == 2
    assert "Did you mean '--lang'" in capsys.readouterr().err


def hand_in(path: Path, author: str, studies: dict[str, Results]) -> Path:
    write_submission(
        path, exercise="lab", author=author, parameters=PARAMETERS, studies=studies, test=TEST,
        answers=ANSWERS,
    )  # fmt: skip
    return path


def test_the_same_search_of_two_students_is_refused(tmp_path):
    own = {
        "hyperband": trained("Hyperband", "random", wall=1.7e9 + 0.25),
        "bayesian": trained("BayesianOptimization", "bayesian", wall=1.7e9 + 0.5),
    }
    files = [
        hand_in(tmp_path / "ada.json", "Ada", STUDIES),
        hand_in(tmp_path / "bo.json", "Bo", STUDIES),
        hand_in(tmp_path / "cy.json", "Cy", own),
        hand_in(tmp_path / "again.json", " adá", STUDIES),
    ]
    ada, bo, cy, again = check_submissions(files)
    assert cy.accepted and not (ada.accepted or bo.accepted or again.accepted)
    sentence = f"The study 'hyperband' is the very search that Bo hands in ({files[1]})."
    assert sentence in ada.problems and sentence in again.problems
    assert len(bo.problems) == 2 and "Ada" in bo.problems[0]
    assert "not accepted, 2 problems" in bo.summary
    # One student may hand in twice, and alone there is nothing to compare with.
    assert all(review.accepted for review in check_submissions([files[0], files[3]]))
    assert check_submission(files[1]).accepted


def test_another_date_does_not_hide_a_copy(tmp_path):
    ada = hand_in(tmp_path / "ada.json", "Ada", STUDIES)
    body = json.loads(ada.read_text("utf-8")) | {"author": "Bo"}
    for study in STUDIES:
        edit(lambda line: line.update(wall=1.8e9), study, kind="session")(body)
    (tmp_path / "bo.json").write_text(json.dumps(body), "utf-8")
    reviews = check_submissions([ada, tmp_path / "bo.json"])
    assert not any(review.accepted for review in reviews)


def test_equal_seeds_on_a_virtual_clock_are_no_copies(tmp_path):
    files = []
    for author in ("Ada", "Bo"):
        files.append(hand_in_rungs(tmp_path / f"{author}.json", simulated()))
        body = json.loads(files[-1].read_text("utf-8")) | {"author": author}
        files[-1].write_text(json.dumps(body), "utf-8")
    first, second = check_submissions(files)
    assert first.studies["asha"].curves().equals(second.studies["asha"].curves())
    assert first.accepted and second.accepted


OWN = """
from kerashpo.teaching import Exercise, Expected, Number


def parabola():
    value = Expected(trials=4, recompute=lambda config, epoch: (config["x"] - 1) ** 2)
    return Exercise({"search": value}, {"trials": Number(lambda studies: len(studies["search"]))})


def nothing():
    return 3
"""


def test_an_exercise_of_a_teacher_s_own(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(OWN)
    space = kt.Space({"x": kt.space.uniform(0, 3)})
    search = kt.optimize(lambda c: (c["x"] - 1) ** 2, space, max_trials=5, seed=2, verbose=0)
    path = tmp_path / "results.json"
    write_submission(
        path, exercise="parabola", author="Bo", parameters={"SEED": 2}, answers={"trials": 5},
        studies={"search": search},
    )  # fmt: skip
    assert "'parabola' is not known" in str(check_submission(path))
    assert check_submission(path, exercises=[f"{tmp_path / 'mine.py'}:parabola"]).complete
    assert main(["--exercise", f"{tmp_path / 'mine.py'}:parabola", str(path)]) == 0
    capsys.readouterr()
    for name, message in (
        ("nothing", "returns a kerashpo.teaching.Exercise"),
        ("no", "has no 'no'"),
    ):
        assert main([str(path), "--exercise", f"{tmp_path / 'mine.py'}:{name}"]) == 2
        assert message in capsys.readouterr().err


def test_a_study_in_a_folder_hands_in_its_journal_line_by_line(tmp_path):
    space = kt.Space({"x": kt.space.uniform(0, 1)})
    search = kt.optimize(
        lambda c: c["x"], space, max_trials=3, seed=0, directory=tmp_path / "study", verbose=0
    )
    path = tmp_path / "results.json"
    for results in (search, kt.open_study(tmp_path / "study").results):
        write_submission(
            path, exercise="lab", author="", parameters={}, answers={}, studies={"s": results}
        )
        lines = json.loads(path.read_text("utf-8"))["studies"]["s"]
        assert lines == (tmp_path / "study" / LOG_NAME).read_text("utf-8").splitlines()


def test_results_of_a_history_alone_cannot_be_handed_in(tmp_path):
    bare = Results(STUDIES["hyperband"].history)
    with pytest.raises(InvalidInput, match="created from a history without its log"):
        hand_in(tmp_path / "r.json", "Bo", {"hyperband": bare})


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
