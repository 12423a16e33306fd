"""Traces the TensorFlow graphs: a training epoch, an evaluation, the predictions of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from kerashpo.training.loops.base import logs_are_metrics

Concrete = Any
#: Types of the order of samples, and of the batch size.
_ORDERED = (tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32))


def trace_training(model: keras.Model, data: Any) -> Concrete:
    """Traces one epoch: ``(data, order, batch) -> logs``.

    The number of samples, their order and the batch size are inputs, so one trace serves all.

    Args:
        model: built and compiled; the graph reads and writes the variables it has now.
        data: nested tensors (x,), (x, y) or (x, y, sample_weight).
    """

    @tf.autograph.experimental.do_not_convert
    def epoch(data: Any, order: Any, batch: Any) -> Any:
        model.reset_metrics()
        steps, rows = _batches(order, batch)
        return _run_steps(
            model, lambda index: model.train_step(_gather(data, rows(index))), steps, "train_step"
        )

    return _concrete(epoch, specs(data), *_ORDERED)


def trace_training_until_nan(model: keras.Model, data: Any) -> Concrete:
    """Traces one epoch that ends when the loss is not finite: ``... -> (logs, batches)``.

    The inputs are those of `trace_training`. For models whose logs are metrics.
    """

    @tf.autograph.experimental.do_not_convert
    def epoch(data: Any, order: Any, batch: Any) -> Any:
        model.reset_metrics()
        steps, rows = _batches(order, batch)
        done = _loop(
            lambda index: model.train_step(_gather(data, rows(index))),
            steps,
            lambda: tf.math.is_finite(tf.convert_to_tensor(model._loss_tracker.result())),
        )
        return _tensors(model.get_metrics_result()), done

    return _concrete(epoch, specs(data), *_ORDERED)


def trace_testing(model: keras.Model, data: Any) -> Concrete:
    """Traces one pass of evaluation: ``(data, batch) -> logs``."""

    @tf.autograph.experimental.do_not_convert
    def whole(data: Any, batch: Any) -> Any:
        model.reset_metrics()
        count = tf.shape(next(leaf for leaf in tf.nest.flatten(data) if leaf is not None))[0]

        def step(index: Any) -> Any:
            start, stop = index * batch, tf.minimum((index + 1) * batch, count)
            return model.test_step(_map(lambda leaf: leaf[start:stop], data))

        return _run_steps(model, step, (count + batch - 1) // batch, "test_step")

    return _concrete(whole, specs(data), tf.TensorSpec([], tf.int32))


def trace_testing_rows(model: keras.Model, data: Any) -> Concrete:
    """Traces an evaluation of selected samples: ``(data, order, batch) -> logs``."""

    @tf.autograph.experimental.do_not_convert
    def part(data: Any, order: Any, batch: Any) -> Any:
        model.reset_metrics()
        steps, rows = _batches(order, batch)
        return _run_steps(
            model, lambda index: model.test_step(_gather(data, rows(index))), steps, "test_step"
        )

    return _concrete(part, specs(data), *_ORDERED)


def trace_predicting(model: keras.Model, data: Any) -> Concrete:
    """Traces ``data -> predictions`` for a batch of any size."""

    @tf.autograph.experimental.do_not_convert
    def predict(data: Any) -> Any:
        return model.predict_step(data)

    return _concrete(predict, specs(data))


def trace_training_stream(model: keras.Model, iterator: Any) -> Concrete:
    """Traces one epoch that reads its batches itself: ``(iterator, most) -> logs``.

    For models whose logs are metrics.

    Args:
        model: built and compiled.
        iterator: of a `tf.data` pipeline; the graph takes any of this type.
    """
    return _stream(model, iterator, lambda batch: model.train_step(batch))


def trace_testing_stream(model: keras.Model, iterator: Any) -> Concrete:
    """Traces an evaluation that reads its batches itself: ``(iterator, most) -> logs``."""
    return _stream(model, iterator, lambda batch: model.test_step(batch))


#: Traces whose graph calls further functions and waits for data: for the default executor alone.
STREAMS = (trace_training_stream, trace_testing_stream)


def _stream(model: keras.Model, iterator: Any, step: Callable[[Any], Any]) -> Concrete:
    @tf.autograph.experimental.do_not_convert
    def epoch(iterator: Any, most: Any) -> Any:
        model.reset_metrics()

        def condition(index: Any, more: Any) -> Any:
            return tf.logical_and(more, index < most)

        def body(index: Any, more: Any) -> Any:
            batch = iterator.get_next_as_optional()

            def run() -> Any:
                step(batch.get_value())
                return tf.constant(True)

            return index + 1, tf.cond(batch.has_value(), run, lambda: tf.constant(False))

        start = [tf.constant(0), tf.constant(True)]
        tf.while_loop(condition, body, start, parallel_iterations=1)
        return _tensors(model.get_metrics_result())

    return _concrete(epoch, iterator._type_spec, tf.TensorSpec([], tf.int32))


def specs(data: Any) -> Any:
    """Returns the nested `tf.TensorSpec` of data, with an unknown number of samples."""
    return _map(lambda leaf: tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype), data)


def _map(function: Callable[[Any], Any], data: Any) -> Any:
    """Applies a function to the tensors of nested data; None (no sample weights) stays None."""
    return tf.nest.map_structure(lambda leaf: None if leaf is None else function(leaf), data)


def _gather(data: Any, rows: Any) -> Any:
    return _map(lambda leaf: tf.gather(leaf, rows), data)


def _batches(order: Any, batch: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Returns the number of batches of an order, and a function from a batch to its rows."""
    count = tf.shape(order)[0]

    def rows(index: Any) -> Any:
        start = index * batch
        return tf.slice(order, [start], [tf.minimum(batch, count - start)])

    return (count + batch - 1) // batch, rows


def _concrete(function: Callable[..., Any], *signature: Any) -> Concrete:
    return tf.function(function).get_concrete_function(*signature)  # type: ignore[no-any-return]


def _run_steps(model: keras.Model, step: Callable[[Any], Any], steps: Any, name: str) -> Any:
    """Loops over batches and returns the logs that `fit` would read after the last one."""
    if not logs_are_metrics(model, name):
        # A user's step may log anything, so the logs of the last batch are returned.
        _loop(step, steps - 1)
        return _tensors(model._get_metrics_result_or_logs(step(steps - 1)))
    _loop(step, steps)
    return _tensors(model.get_metrics_result())


def _loop(
    step: Callable[[Any], Any], steps: Any, keep_going: Callable[[], Any] | None = None
) -> Any:
    """Runs a step for each index below `steps` while `keep_going()`; returns their number."""

    def condition(index: Any) -> Any:
        left = index < steps
        return left if keep_going is None else tf.logical_and(left, keep_going())

    def body(index: Any) -> Any:
        step(index)
        return index + 1

    return tf.while_loop(condition, body, [tf.constant(0)], parallel_iterations=1)[0]


def _tensors(logs: Any) -> Any:
    return tf.nest.map_structure(tf.convert_to_tensor, dict(logs))
