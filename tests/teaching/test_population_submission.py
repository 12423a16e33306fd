"""A hand-in of population-based training: copies are no faults, and its own answers are right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import kerashpo as kt
from kerashpo.core.events import Reported
from kerashpo.store.journal import lines_of, read_lines
from kerashpo.study.results import Results
from kerashpo.teaching import check_submission, write_submission
from kerashpo.teaching.exercises import population


class Descent:
    """Gradient descent on a parabola: an epoch depends on those before."""

    space = kt.Space({"rate": kt.space.loguniform(1e-3, 1.0)})
    direction, max_epochs = "min", 8

    def advance(self, state: Any, config: dict[str, Any]) -> tuple[float, float, float]:
        place = (1.0 if state is None else state) * (1 - config["rate"])
        return place, place**2, 1.0

    def evaluate(self, config: dict[str, Any], epoch: int) -> tuple[float, float]:
        return (1 - config["rate"]) ** (2 * epoch), float(epoch)


@pytest.fixture(scope="module")
def searched() -> Results:
    return kt.simulate(Descent(), tuner="pbt", population=8, interval=2, seed=0)


def hand_in(path: Path, results: Results) -> Any:
    answers = {
        name: one.find({"population": results}) for name, one in population().answers.items()
    }
    write_submission(
        path / "results.json",
        exercise="population",
        author="Ada",
        parameters={"SEED": 0},
        studies={"population": results},
        answers=answers,
    )
    return check_submission(path / "results.json")


def test_copies_are_accepted_with_the_answers_of_the_own_study(searched, tmp_path):
    assert searched.lineage()["parent"].notna().any()
    assert hand_in(tmp_path, searched).complete


def test_an_epoch_missing_from_a_copy_is_still_a_fault(searched, tmp_path):
    import json

    path = tmp_path / "results.json"
    hand_in(tmp_path, searched)
    body = json.loads(path.read_text("utf-8"))
    events = list(read_lines(body["studies"]["population"]))
    copy = max(searched.history.trials)
    first = searched.history.trials[copy].forked_at + 1
    place = next(
        number
        for number, event in enumerate(events)
        if isinstance(event, Reported) and (event.report.trial, event.report.epoch) == (copy, first)
    )
    events[place] = replace(events[place], report=replace(events[place].report, epoch=first + 9))
    body["studies"]["population"] = lines_of(events)
    path.write_text(json.dumps(body), "utf-8")
    assert not check_submission(path).accepted
