"""Conformance suites: the contracts of algorithms, schedulers, stores and executors as tests.

Each suite is a function that takes a factory of the part, and raises `NotConforming`,
an `AssertionError` that says which check failed. No test framework is needed:

===============================  ==================================================
``check_algorithm(case)``        bounds, conditions, exhaustion, no repeats, seeds,
                                 resume, shuffled reports, failures, NaN, duplicates
``check_scheduler(case)``        plan, resume from any cut of the log, order of
                                 reports, failures, NaN, ties, small spaces
``check_store(make, folder)``    append, read, reopen, damaged files
``check_executor(make)``         order of messages, decisions, failures, forks
===============================  ==================================================

Example:
    >>> from kerashpo.algorithms.random import RandomSearch
    >>> from kerashpo.testing import AlgorithmCase, check_algorithm
    >>> check_algorithm(AlgorithmCase(RandomSearch))

Under pytest, parametrise over the checks, so that a failure names its check::

    @pytest.mark.parametrize("check", algorithms.CHECKS, ids=lambda check: check.__name__)
    def test_mine(check):
        check(AlgorithmCase(MyAlgorithm))

The parts of the suites are useful in other tests: `CurveRunner` "trains" a function of
configuration and epoch (``curve_runner``), `InterleavedExecutor` simulates several workers whose
reports arrive in any order, and `CurveStudy` (``curve_study``) runs a whole study on them, from
the start or from any prefix of a log; `CurveTable` makes a search of a table of curves, for
schedulers; `AlgorithmDriver` (``algorithm_driver``) runs an algorithm step by step. ``cases`` has
the spaces of the suites.

To add a check: a function of the case whose name states what holds, and a line in the
module's ``CHECKS``. To add a case: a line in its ``CASES``. Open ``algorithms.py`` first.
"""

from kerashpo.testing.algorithms import AlgorithmCase, check_algorithm
from kerashpo.testing.cases import NotConforming
from kerashpo.testing.curve_runner import CurveRunner, InterleavedExecutor
from kerashpo.testing.curve_study import CurveStudy, CurveTable
from kerashpo.testing.executors import check_executor
from kerashpo.testing.schedulers import SchedulerCase, check_scheduler
from kerashpo.testing.stores import check_store

__all__ = [
    "AlgorithmCase",
    "CurveRunner",
    "CurveStudy",
    "CurveTable",
    "InterleavedExecutor",
    "NotConforming",
    "SchedulerCase",
    "check_algorithm",
    "check_executor",
    "check_scheduler",
    "check_store",
]
