"""Runs the cells of a comparison on our executors: in this process, or in worker processes."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, final

from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.run_one import load_keras, needs_keras, run_one
from kerashpo.compare.runs import Result, Run
from kerashpo.core.errors import KerashpoError
from kerashpo.core.events import Reached
from kerashpo.core.records import Failure, Start
from kerashpo.core.requirements import packages_required
from kerashpo.executors.base import Executor
from kerashpo.executors.factories import ExecutorRequest
from kerashpo.executors.function import FunctionRunner
from kerashpo.executors.messages import Failed, Message, WorkItem
from kerashpo.executors.registry import build_executor
from kerashpo.study.signals import Interrupt

_PATIENCE = 0.2
"""Seconds between looks at whether the user interrupted."""
_INTERRUPTED = math.nan
"""What a cell returns instead of 1 where the user interrupted its search."""


def run_cells(
    todo: Sequence[Run],
    options: ComparisonOptions,
    begins: Callable[[Run], None],
    loading: Callable[[], None],
) -> Iterator[tuple[Run, Result]]:
    """Yields each run with its result as it ends, until all have or the user interrupts.

    With worker processes, Ctrl-C and SIGTERM end them: each search loses at most the epoch that it
    is training, and resumes from its log when the comparison is run again. A worker that dies is
    replaced, and its run resumes from its log too.

    Args:
        todo: the runs that are not finished.
        options: the comparison.
        begins: called with each run that is submitted.
        loading: called before Keras is imported in this process.

    Raises:
        KerashpoError: if a run fails, with its name.
    """
    several = options.workers != 1 and len(todo) > 0
    executor = _executor(todo, options, loading, several)
    cells = _Cells(todo, executor, begins)
    try:
        # In this process the search handles Ctrl-C; code outside a search is interrupted.
        with Interrupt() if several else nullcontext() as interrupt:
            while cells.left and not (interrupt is not None and interrupt.asked):
                cells.give_out()
                executor.poll(cells.handle, _PATIENCE)
                yield from cells.finished()
                if cells.interrupted:
                    return
    except KeyboardInterrupt:
        return
    finally:
        executor.close()


def _executor(
    todo: Sequence[Run], options: ComparisonOptions, loading: Callable[[], None], several: bool
) -> Executor:
    if several:
        options, loading = dataclasses.replace(options, quiet=True), _silent
        # A worker on another machine has another working folder.
        todo = [dataclasses.replace(run, folder=run.folder.absolute()) for run in todo]
    runner = partial(_runner, tuple(todo), options, loading)
    executor, _, _ = build_executor(
        ExecutorRequest(lambda _: runner, jobs=lambda: len(todo)),
        options.workers if several else 1,
    )
    return executor


def _silent() -> None:
    """Prints nothing while Keras is imported in a worker."""


def _runner(
    runs: tuple[Run, ...], options: ComparisonOptions, loading: Callable[[], None]
) -> FunctionRunner:
    return FunctionRunner(partial(_run_cell, runs, options, loading), ["done"], dict)


def _run_cell(
    runs: tuple[Run, ...],
    options: ComparisonOptions,
    loading: Callable[[], None],
    config: Mapping[str, Any],
) -> float:
    """Runs one cell, which writes its result; returns 1, or `_INTERRUPTED`."""
    run = runs[config["run"]]
    try:
        with packages_required():
            if needs_keras(run):
                loading()
                load_keras()
            return 1.0 if run_one(run, options) is not None else _INTERRUPTED
    except KerashpoError as error:
        # A failure keeps the first line of its error's text.
        raise KerashpoError(" ".join(str(error).split())) from error


@final
class _Cells:
    """The waiting, running and finished cells of a comparison."""

    def __init__(
        self, runs: Sequence[Run], executor: Executor, begins: Callable[[Run], None]
    ) -> None:
        self._runs, self._executor, self._begins = runs, executor, begins
        self._waiting = deque(range(len(runs)))
        self._ended: deque[int] = deque()
        self._failed: tuple[int, Failure] | None = None
        self.left = len(runs)
        self.interrupted = False

    def give_out(self) -> None:
        """Submits as many waiting runs as the executor has free workers."""
        while self._waiting and self._executor.free() > 0:
            number = self._waiting.popleft()
            self._begins(self._runs[number])
            config = {"run": number}
            self._executor.submit([WorkItem(Start(number, config, 1), config, 1)])

    def handle(self, message: Message) -> None:
        """Handles a message of the executor."""
        match message:
            case Reached(trial):
                self._ended.append(trial)
            case Failed(trial, Failure(kind="nan")):
                self.interrupted = True
            case Failed(trial, failure):
                self._failed = self._failed or (trial, failure)
            case _:
                return

    def finished(self) -> Iterator[tuple[Run, Result]]:
        """Yields the runs that have ended since the last call, then raises if one has failed."""
        while self._ended:
            run = self._runs[self._ended.popleft()]
            result = run.result
            if result is None:
                raise KerashpoError(
                    f"{run.label}: its result cannot be read from {run.path}. On a cluster the "
                    "folder must be one that all nodes share: --out."
                )
            self.left -= 1
            yield run, result
        if self._failed is not None:
            number, failure = self._failed
            raise KerashpoError(_explain(self._runs[number], failure))


def _explain(run: Run, failure: Failure) -> str:
    what = failure.message.removeprefix(f"{KerashpoError.__name__}: ")
    if failure.kind in ("killed", "timeout"):
        return (
            f"{run.label}: {what}. What has finished is kept. Try fewer --workers, or more memory."
        )
    if failure.message.startswith(KerashpoError.__name__):
        return f"{run.label}: {what}"
    return f"{run.label}: {what}\n{failure.traceback}"
