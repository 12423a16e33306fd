"""The runner of `optimize`: one call of a Python function is a trial of one epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Configured, Reached, Reported
from kerashpo.core.records import Config, Failure, Report, Scalar
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.capture import OutputCapture
from kerashpo.executors.failures import classify
from kerashpo.executors.messages import Failed, WorkItem


@final
class FunctionRunner(Runner):
    """Calls ``fn(config)`` once per trial.

    Args:
        fn: returns a number, or a mapping of metrics that contains all of `names`.
        names: the names of the objectives; a bare number is reported under the only one.
        realise: converts a stored configuration to the argument of `fn`.
        limited: further metrics that must be there, because they are limited.
        compute: returns the values of a configuration that are still to be computed; None if
            there are none.
    """

    def __init__(
        self,
        fn: Callable[[dict[str, Any]], Any],
        names: Sequence[str],
        realise: Callable[[Config], dict[str, Any]],
        limited: Sequence[str] = (),
        compute: Callable[[Config], dict[str, Scalar]] | None = None,
    ) -> None:
        self._compute = compute
        self._fn, self._names, self._realise = fn, tuple(names), realise
        self._required = tuple(dict.fromkeys([*names, *limited]))
        self._tail = OutputCapture()

    def train(self, item: WorkItem, emit: Emit) -> None:
        if item.origin is not None:
            raise InvalidInput(
                "A function of a configuration keeps no state that another trial could start "
                f"from. Received: a fork of trial {item.origin[0]}. Use a tuner, whose models "
                "have checkpoints."
            )
        began = time.perf_counter()
        try:
            with self._tail.capturing():
                config = self._complete(item, emit)
                found = self._fn(self._realise(config))
        except Exception as error:  # any exception of the user's function fails its trial
            failure = replace(classify("fit", error), output=self._tail.text)
            emit(Failed(item.trial, failure))
            return
        metrics = self._metrics(found)
        emit(Reported(Report(item.trial, 0, 1, metrics, time.perf_counter() - began)))
        bad = next((name for name in self._names if not math.isfinite(metrics[name])), None)
        if bad is None:
            emit(Reached(item.trial))
        else:
            emit(Failed(item.trial, Failure("nan", f"{bad} was {metrics[bad]}")))

    def free(self, trial: int) -> None:
        return

    def drop(self, trial: int) -> None:
        return

    def _complete(self, item: WorkItem, emit: Emit) -> Config:
        """Returns the configuration with its computed values, which are recorded."""
        values = {} if self._compute is None else self._compute(item.config)
        if values:
            emit(Configured(item.trial, values))
        return {**item.config, **values}

    def _metrics(self, result: Any) -> dict[str, float]:
        first, *others = self._required
        wanted = f"a mapping with {', '.join(map(repr, self._required))}"
        if not isinstance(result, Mapping):
            if others:
                raise InvalidInput(f"The function must return {wanted}. Received: {result!r}.")
            result = {first: result}
        if any(name not in result for name in self._required):
            choice = wanted if others else f"a number or {wanted}"
            raise InvalidInput(
                f"The function must return {choice}. "
                f"Received a mapping with: {', '.join(map(repr, result)) or 'nothing'}."
            )
        try:
            return {name: float(value) for name, value in result.items()}
        except (TypeError, ValueError):
            raise InvalidInput(
                "The function must return a number or a mapping of numbers. "
                f"Received: {dict(result) if others else result.get(first)!r}."
            ) from None
