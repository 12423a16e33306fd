"""The functions that are compiled: an epoch of training, a pass of evaluation, predictions.

Each takes and returns the values of a model's variables; the model itself is only looked at
while they are traced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras

#: Values of (trainable, non-trainable, optimizer, metrics) variables.
State = tuple[list[Any], list[Any], list[Any], list[Any]]
Step = Callable[[Any, Any], tuple[dict[str, Any], Any]]


def variables_of(model: keras.Model) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Returns the Keras variables whose values make a `State`."""
    optimizer = [] if model.optimizer is None else model.optimizer.variables
    return (
        list(model.trainable_variables),
        list(model.non_trainable_variables),
        list(optimizer),
        list(model.metrics_variables),
    )


def training(model: keras.Model, batch: int) -> Callable[..., tuple[dict[str, Any], State]]:
    """Returns ``(state, data, order) -> (logs, state)`` for one epoch.

    Args:
        model: built and compiled.
        batch: samples a batch; the last may hold fewer.
    """

    def epoch(state: State, data: Any, order: Any) -> tuple[dict[str, Any], State]:
        def step(carry: Any, rows: Any) -> tuple[dict[str, Any], Any]:
            return model.train_step(  # type: ignore[no-any-return]
                carry, jax.tree.map(lambda leaf: jnp.take(leaf, rows, axis=0), data)
            )

        start = (*state[:3], _reset_metrics(model, state[3]))
        logs, state = _all_steps(step, start, order, batch)
        return _logs(model, logs, state[3]), state

    return epoch


def testing(model: keras.Model, batch: int) -> Callable[..., tuple[dict[str, Any], list[Any]]]:
    """Returns ``(state, data) -> (logs, metrics variables)`` for one pass of evaluation."""

    def whole(state: State, data: Any) -> tuple[dict[str, Any], list[Any]]:
        def step(carry: Any, rows: Any) -> tuple[dict[str, Any], Any]:
            return model.test_step(  # type: ignore[no-any-return]
                carry, jax.tree.map(lambda leaf: jnp.take(leaf, rows, axis=0), data)
            )

        order = jnp.arange(jax.tree.leaves(data)[0].shape[0])
        start = (*state[:2], _reset_metrics(model, state[3]))
        logs, after = _all_steps(step, start, order, batch)
        return _logs(model, logs, after[2]), after[2]

    return whole


def predicting(model: keras.Model) -> Callable[..., Any]:
    """Returns ``(state, data) -> predictions``."""

    def predict(state: State, data: Any) -> Any:
        return model.predict_step(state[:2], data)[0]

    return predict


def _all_steps(step: Step, start: Any, order: Any, batch: int) -> tuple[dict[str, Any], Any]:
    """Runs full batches under `lax.scan`, then the rest; returns the last step's logs."""
    count = order.shape[0]
    full = count // batch
    logs: dict[str, Any] = {}
    state = start
    if full:

        def body(carry: Any, rows: Any) -> tuple[Any, dict[str, Any]]:
            logs, carry = step(carry, rows)
            return carry, logs

        state, stacked = jax.lax.scan(body, start, order[: full * batch].reshape(full, batch))
        logs = jax.tree.map(lambda leaf: leaf[-1], stacked)
    if count > full * batch:
        logs, state = step(state, order[full * batch :])
    return logs, state


def _reset_metrics(model: keras.Model, values: list[Any]) -> list[Any]:
    variables = model.metrics_variables
    mapping = list(zip(variables, values, strict=True))
    with keras.StatelessScope(state_mapping=mapping) as scope:
        model.reset_metrics()
    return [scope.get_current_value(variable) for variable in variables]


def _logs(model: keras.Model, logs: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """Returns what `fit` logs: the metrics, unless the step logs other names than theirs."""
    mapping = list(zip(model.metrics_variables, values, strict=True))
    with keras.StatelessScope(state_mapping=mapping):
        return dict(model._get_metrics_result_or_logs(logs))
