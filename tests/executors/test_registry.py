"""Executors by name, and what ``workers=`` and ``executor=`` mean together."""

from __future__ import annotations

from functools import partial

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.executors import registry
from kerashpo.executors.auto import AutoExecutor
from kerashpo.executors.factories import (
    Auto,
    ExecutorFactory,
    ExecutorRequest,
    Processes,
    Serial,
)
from kerashpo.executors.pool.worker_pool import WorkerPool
from kerashpo.executors.registry import build_executor, executor_factory, executor_names
from kerashpo.executors.serial import SerialExecutor
from kerashpo.testing.curve_runner import CurveRunner


@pytest.mark.parametrize(
    ("arguments", "factory", "count"),
    [
        ((1,), Serial(), 1),
        ((3,), Processes(), 3),
        (("auto",), Auto(), None),
        (("serial",), Serial(), None),
        (("processes",), Processes(), None),
        ((1, "processes"), Processes(), 1),
        ((4, "processes"), Processes(), 4),
        ((1, "auto"), Auto(), None),
        ((4, "auto"), Auto(), 4),
        (("auto", "auto"), Auto(), None),
        ((1, Processes(5)), Processes(5), None),
        ((1, None, True), Processes(), 1),
        (("auto", None, True), Processes(), None),
        ((1, Auto(3), True), Processes(3), None),
    ],
)
def test_workers_and_executor_choose_together(arguments, factory, count):
    assert executor_factory(*arguments) == (factory, count)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "workers must be a whole number of at least 1"),
        ((1.5,), "workers must be a whole number.*1.5"),
        (
            ("many",),
            "name of an executor.*: serial, processes, auto, ray, dial, simulated",
        ),
        (("proceses",), "Did you mean 'processes'"),
        ((1, "simulated"), r"plays recorded learning curves.*kt.simulate\(problem\)"),
        (("auto", "serial"), "workers must be.*Received: 'auto'"),
        ((1, 7), "executor must be one of the names.*Received: 7"),
        ((1, SerialExecutor(CurveRunner())), "builds an executor for each search"),
        ((1, "serial", True), "need trials in worker processes.*'serial'"),
    ],
)
def test_invalid_values_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        executor_factory(*arguments)


def test_a_further_executor_is_a_line_in_the_registry(monkeypatch):
    monkeypatch.setitem(registry.EXECUTORS, "another", Serial)
    assert executor_factory("another") == (Serial(), None)
    assert "another" in executor_names()


REQUEST = ExecutorRequest(lambda workers: partial(CurveRunner))


@pytest.mark.parametrize(
    ("arguments", "kind", "workers"),
    [
        ((1,), SerialExecutor, 1),
        ((2,), WorkerPool, 2),
        ((1, Processes(3)), WorkerPool, 3),
        ((1, Auto(2)), AutoExecutor, 1),
    ],
)
def test_executors_are_built_with_their_number_of_workers(arguments, kind, workers):
    executor, count, _ = build_executor(REQUEST, *arguments)
    assert isinstance(executor, kind) and count == workers
    assert executor.free() == count
    executor.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, "serial"), "one trial at a time: workers must be 1.*workers=2"),
        ((2, Processes(3)), "given twice: workers=2 and 3 in executor="),
        ((2, Auto(3)), "given twice"),
    ],
)
def test_two_numbers_of_workers_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        build_executor(REQUEST, *arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Processes(0), "workers must be a whole number of at least 1"),
        (lambda: Processes(start_limit=0), "start_limit must be a finite number above 0"),
        (lambda: Auto(1), "workers must be a whole number of at least 2"),
    ],
)
def test_factories_check_their_numbers(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_the_public_names_are_the_factories():
    assert kt.executors.Processes is Processes
    assert {kt.executors.Serial, kt.executors.Auto, kt.executors.ExecutorFactory} == {
        Serial,
        Auto,
        ExecutorFactory,
    }
    with pytest.raises(AttributeError, match="no attribute 'Rays'"):
        _ = kt.executors.Rays


class Counted(ExecutorFactory):
    """An executor of a user's own: this process, counted."""

    built = 0

    def build(self, request):
        type(self).built += 1
        return SerialExecutor(request.make(1)()), 1, ("my own",)


def test_a_factory_of_ones_own_is_used_by_optimize():
    space = {"x": kt.space.uniform(0, 1)}
    results = kt.optimize(
        lambda c: c["x"], space, algorithm="random", max_trials=3, seed=0, executor=Counted()
    )
    assert Counted.built == 1 and results.epochs == 3


def test_optimize_starts_workers_on_its_own_where_that_pays():
    """Here it does not: the workers are not even started, and the results are the same."""
    space = {"x": kt.space.uniform(0, 1)}

    def run(**arguments):
        return kt.optimize(
            lambda c: c["x"], space, algorithm="random", max_trials=3, seed=0, **arguments
        )

    assert run(workers="auto").best == run().best
