"""Functions that JAX compiles: a training epoch, an evaluation, predictions.

Each takes and returns the values of a model's variables; the model object is only used while
they are traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import jax
import jax.numpy as jnp
import keras

from kerashpo.training.loops.compiled.jax.lifting import GraphInputs, Lift, seeds_of

#: Values of (trainable, non-trainable, optimizer, metrics) variables.
State = tuple[list[Any], list[Any], list[Any], list[Any]]
Step = Callable[[Any, Any, Any], tuple[dict[str, Any], Any]]
Variables = tuple[list[Any], list[Any], list[Any], list[Any]]


def variables_of(model: keras.Model, *, lifted: bool) -> Variables:
    """Returns the Keras variables whose values make a `State`.

    Args:
        model: a built model.
        lifted: whether to leave out the seeds of dropout layers, which are then `GraphInputs`.
    """
    seeds = _seed_ids(model) if lifted else set()
    optimizer = [] if model.optimizer is None else model.optimizer.variables
    return (
        list(model.trainable_variables),
        [variable for variable in model.non_trainable_variables if id(variable) not in seeds],
        list(optimizer),
        list(model.metrics_variables),
    )


@final
class Graphs:
    """Functions to trace for one model.

    Args:
        model: built and compiled.
        lift: replaces its rates and seeds by inputs; None to leave them to Keras.
    """

    def __init__(self, model: keras.Model, lift: Lift | None) -> None:
        self._model, self._lift = model, lift
        seeds = set() if lift is None else _seed_ids(model)
        self._seeded = [id(variable) in seeds for variable in model.non_trainable_variables]

    def training(self, batch: int) -> Callable[..., tuple[dict[str, Any], State]]:
        """Returns ``(state, inputs, data, order) -> (logs, state)`` for one epoch.

        Args:
            batch: samples per step; the last step may have fewer.
        """

        def epoch(
            state: State, inputs: GraphInputs, data: Any, order: Any
        ) -> tuple[dict[str, Any], State]:
            start = (*state[:3], self._reset_metrics(state[3]))
            logs, state = _all_steps(self._train_step(inputs, data), start, order, batch)
            return self._logs(logs, state[3]), state

        return epoch

    def training_until_nan(self, batch: int) -> Callable[..., tuple[dict[str, Any], State, Any]]:
        """Returns ``(state, inputs, data, order) -> (logs, state, batches)``.

        The epoch ends when the loss is not finite. For models whose logs are metrics.

        Args:
            batch: as for `training`.
        """

        def epoch(
            state: State, inputs: GraphInputs, data: Any, order: Any
        ) -> tuple[dict[str, Any], State, Any]:
            step = self._train_step(inputs, data)
            start = (*state[:3], self._reset_metrics(state[3]))
            finite = lambda after: jnp.isfinite(self._metrics(after[3])["loss"])
            done, state = _steps_while(finite, step, start, order, batch)
            return self._metrics(state[3]), state, done

        return epoch

    def _train_step(self, inputs: GraphInputs, data: Any) -> Step:
        def step(carry: Any, rows: Any, number: Any) -> tuple[dict[str, Any], Any]:
            self._set(inputs, number)
            trainable, fixed, optimizer, metrics = carry
            logs, after = self._model.train_step(
                (trainable, self._with_seeds(fixed), optimizer, metrics), _rows(data, rows)
            )
            trainable, fixed, optimizer, metrics = after
            return logs, (trainable, self._without_seeds(fixed), optimizer, metrics)

        return step

    def testing(self, batch: int) -> Callable[..., tuple[dict[str, Any], list[Any]]]:
        """Returns ``(state, inputs, data, order) -> (logs, metrics)``, one pass of evaluation."""

        def whole(
            state: State, inputs: GraphInputs, data: Any, order: Any
        ) -> tuple[dict[str, Any], list[Any]]:
            def step(carry: Any, rows: Any, number: Any) -> tuple[dict[str, Any], Any]:
                self._set(inputs, number)
                trainable, fixed, metrics = carry
                logs, (trainable, fixed, metrics) = self._model.test_step(
                    (trainable, self._with_seeds(fixed), metrics), _rows(data, rows)
                )
                return logs, (trainable, self._without_seeds(fixed), metrics)

            start = (*state[:2], self._reset_metrics(state[3]))
            logs, after = _all_steps(step, start, order, batch)
            return self._logs(logs, after[2]), after[2]

        return whole

    def predicting(self, batch: int) -> Callable[..., Any]:
        """Returns ``(state, inputs, data) -> predictions``."""

        def predict(state: State, inputs: GraphInputs, data: Any) -> Any:
            self._set(inputs, None)
            trainable, fixed = state[0], self._with_seeds(state[1])
            return self._model.predict_step((trainable, fixed), data)[0]

        return predict

    def _set(self, inputs: GraphInputs, number: Any) -> None:
        if self._lift is not None:
            self._lift.set(inputs, number)

    def _with_seeds(self, fixed: list[Any]) -> list[Any]:
        """Inserts placeholders where Keras expects the traced model's seeds; they are not read."""
        values = iter(fixed)
        return [jnp.zeros(2, jnp.uint32) if seed else next(values) for seed in self._seeded]

    def _without_seeds(self, fixed: list[Any]) -> list[Any]:
        return [value for value, seed in zip(fixed, self._seeded, strict=True) if not seed]

    def _reset_metrics(self, values: list[Any]) -> list[Any]:
        variables = self._model.metrics_variables
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            self._model.reset_metrics()
        return [scope.get_current_value(variable) for variable in variables]

    def _logs(self, logs: dict[str, Any], values: list[Any]) -> dict[str, Any]:
        """Returns the logs of `fit`: the metrics, or the step's logs if these have other names."""
        mapping = list(zip(self._model.metrics_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return dict(self._model._get_metrics_result_or_logs(logs))

    def _metrics(self, values: list[Any]) -> dict[str, Any]:
        mapping = list(zip(self._model.metrics_variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return dict(self._model.get_metrics_result())


def _seed_ids(model: keras.Model) -> set[int]:
    return {id(seed) for seed in seeds_of(model) if seed is not None}


def _rows(data: Any, rows: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.take(leaf, rows, axis=0), data)


def _all_steps(step: Step, start: Any, order: Any, batch: int) -> tuple[dict[str, Any], Any]:
    """Runs full batches under `lax.scan`, then the partial one; returns the last step's logs."""
    count = order.shape[0]
    full = count // batch
    logs: dict[str, Any] = {}
    state = start
    if full:

        def body(carry: Any, inputs: Any) -> tuple[Any, dict[str, Any]]:
            logs, carry = step(carry, *inputs)
            return carry, logs

        numbers = jnp.arange(full, dtype=jnp.uint32)
        batches = (order[: full * batch].reshape(full, batch), numbers)
        state, stacked = jax.lax.scan(body, start, batches)
        logs = jax.tree.map(lambda leaf: leaf[-1], stacked)
    if count > full * batch:
        logs, state = step(state, order[full * batch :], jnp.uint32(full))
    return logs, state


def _steps_while(
    finite: Callable[[Any], Any], step: Step, start: Any, order: Any, batch: int
) -> tuple[Any, Any]:
    """Runs batches while the state is finite; returns the number of batches, and the state."""
    count = order.shape[0]
    full = count // batch

    def keep_going(carry: Any) -> Any:
        return (carry[0] < full) & finite(carry[1])

    def body(carry: Any) -> Any:
        number, state = carry
        rows = jax.lax.dynamic_slice_in_dim(order, number * batch, batch)
        return number + 1, step(state, rows, number.astype(jnp.uint32))[1]

    done, state = jax.lax.while_loop(keep_going, body, (jnp.int32(0), start))
    if count == full * batch:
        return done, state
    whole = finite(state)
    rest = lambda state: step(state, order[full * batch :], jnp.uint32(full))[1]
    return done + whole, jax.lax.cond(whole, rest, lambda state: state, state)
