"""`FunctionRunner`: one call is one epoch."""

from __future__ import annotations

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Reached, Reported
from kerashpo.core.records import Decision, Fork, Start
from kerashpo.executors.function import FunctionRunner
from kerashpo.executors.messages import Failed, WorkItem

TASK = WorkItem(Start(3, {"i": 1}, 1), {"i": 1}, 1)


def run(fn, metric="value"):
    said = []
    values = ["zero", "one"]
    runner = FunctionRunner(fn, [metric], lambda config: {"text": values[config["i"]]})

    def emit(message):
        said.append(message)
        return Decision.CONTINUE

    runner.train(TASK, emit)
    return said


def test_it_reports_one_epoch_and_reaches_its_end():
    first, second = run(lambda config: 2 * len(config["text"]))
    assert isinstance(first, Reported)
    assert (first.report.trial, first.report.epoch, first.report.metrics) == (3, 1, {"value": 6.0})
    assert first.report.seconds >= 0
    assert second == Reached(3)


def test_an_exception_is_a_failure_with_its_traceback():
    def fn(config):
        raise KeyError("missing")

    (failed,) = run(fn)
    assert isinstance(failed, Failed)
    assert (failed.failure.kind, failed.failure.message) == ("fit", "KeyError: 'missing'")
    assert "in fn" in failed.failure.traceback


def test_what_is_no_number_is_kept_and_fails():
    epoch, failed = run(lambda config: {"value": float("nan"), "size": 2})
    assert epoch.report.metrics["size"] == 2
    assert (failed.failure.kind, failed.failure.message) == ("nan", "value was nan")


def test_interrupts_of_the_user_are_not_failures():
    def fn(config):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(fn)


def test_a_missing_metric_names_what_came():
    with pytest.raises(InvalidInput, match="mapping with 'auc'. Received a mapping with: 'value'"):
        run(lambda config: {"value": 1.0}, metric="auc")


def test_a_function_has_no_state_to_fork():
    runner = FunctionRunner(lambda config: 1.0, ["value"], dict)
    with pytest.raises(InvalidInput, match="keeps no state.*fork of trial 2"):
        runner.train(WorkItem(Fork(3, 2, 1, {}, 2), {}, 2), lambda message: None)
