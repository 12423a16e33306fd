"""JAX engine: executables by signature and shapes; variables are their arguments and results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kerashpo.training.arrays import Triple, length
from kerashpo.training.data import FitData
from kerashpo.training.loops.compiled.engine import (
    CompiledSession,
    Engine,
    Logs,
    packed,
    to_numbers,
)
from kerashpo.training.loops.compiled.jax.executables import Compiled, Executables, Kind, Values
from kerashpo.training.loops.compiled.jax.lifting import can_be_lifted, lifted_activations_of
from kerashpo.training.loops.compiled.jax.padding import NONE, Padding, padding_of
from kerashpo.training.loops.compiled.jax.population import JaxPopulationSession
from kerashpo.training.loops.compiled.programs import ProgramCache
from kerashpo.training.loops.compiled.signature import structure_of


@final
class JaxEngine(Engine[Executables]):
    """Engine for compiled epochs on JAX: executables by signature and shapes.

    XLA compiles for exact shapes. Small models are padded, so that those of one signature have
    equal shapes (`padding`); otherwise only models of equal widths share an executable.
    """

    def open(self, model: keras.Model, data: FitData) -> CompiledSession:
        """See `Engine.open`."""
        padding = padding_of(model, data.steps, data.batch)
        training, validation = self._on_device(data)
        return JaxSession(
            self.executables(model, padding), model, padding, data, training, validation
        )

    def population_key(self, model: keras.Model, data: FitData) -> Hashable | None:
        """See `Engine.population_key`; models of one key have equal shapes and equal data."""
        lifted = can_be_lifted(model)
        key = structure_of(model, free=False, lifted=lifted).key
        return None if key is None else (key, lifted, id(data))

    def open_population(
        self,
        models: Sequence[keras.Model],
        size: int,
        data: FitData,
        cache: ProgramCache | None = None,
    ) -> JaxPopulationSession:
        """See `Engine.open_population`."""
        shared = self.executables(models[0], NONE)
        return JaxPopulationSession(shared, models, size, data, *self._on_device(data), cache)

    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """See `Engine.evaluate`."""
        data, (shared, padding, values) = self._to_device(packed(triple)), self._whole(model)
        order = jnp.arange(length(triple[0]), dtype=jnp.int32)
        arguments = (values.state(), values.graph_inputs(), data, order)
        logs, _ = shared.compiled("testing", model, padding, batch, *arguments)(*arguments)
        return to_numbers(jax.device_get(dict(logs)))

    @contextlib.contextmanager
    def predictor(self, model: keras.Model) -> Iterator[Callable[[Any], Any]]:
        """See `Engine.predictor`."""
        shared, padding, values = self._whole(model)
        state, inputs = values.state(), values.graph_inputs()

        def predict(part: Any) -> Any:
            arguments = (state, inputs, part)
            return shared.compiled("predicting", model, padding, 0, *arguments)(*arguments)

        yield predict

    def to_tensor(self, array: np.ndarray) -> Any:
        """See `Engine.to_tensor`."""
        return jnp.asarray(array)

    def executables(self, model: keras.Model, padding: Padding) -> Executables:
        """Returns the executables for a model with this padding, which compile lazily."""
        lifted = can_be_lifted(model)
        activations = lifted_activations_of(model) if padding.shared and lifted else []
        structure = structure_of(model, free=padding.shared, lifted=lifted, activations=activations)
        if structure.key is None:
            # `compile` creates new ones.
            made = (model.optimizer, model._compile_loss, model._compile_metrics)
            return self._of_model(
                model,
                lambda held: all(old is new for old, new in zip(held.keep, made, strict=True)),
                lambda: Executables(made, lifted=False),
            )
        return self._of_signature((structure.key, lifted), lambda: Executables(lifted=lifted))

    def _whole(self, model: keras.Model) -> tuple[Executables, Padding, Values]:
        padding = padding_of(model, 1, 32)
        shared = self.executables(model, padding)
        return shared, padding, Values(model, padding, lifted=shared.lifted)


@final
class JaxSession(CompiledSession):
    """Session that passes a model's values through an executable once per epoch."""

    def __init__(
        self,
        shared: Executables,
        model: keras.Model,
        padding: Padding,
        data: FitData,
        training: Any,
        validation: Any,
    ) -> None:
        self._shared, self._model, self._padding = shared, model, padding
        self._data, self._training, self._validation = data, training, validation
        self._values = Values(model, padding, lifted=shared.lifted)
        self._validation_order: Any = None
        if data.validation is not None:
            order = data.validation_order(model.steps_per_execution)
            whole = np.arange(length(data.validation[0]), dtype=np.int32)
            self._validation_order = jnp.asarray(whole if order is None else order)
        self._train: dict[tuple[Kind, int], Compiled] = {}
        self._test: Compiled | None = None

    def train_epoch(self, order: np.ndarray | None) -> Logs:
        """See `CompiledSession.train_epoch`."""
        assert order is not None, "pipelines are not compiled on JAX"
        logs, state = self._run("training", order)
        self._values.set(state)
        self._values.advance_seeds(-(-len(order) // self._data.batch))
        return to_numbers(jax.device_get(dict(logs)))

    def train_until_nan(self, order: np.ndarray) -> tuple[Logs, int]:
        """See `CompiledSession.train_until_nan`."""
        logs, state, batches = self._run("training_until_nan", order)
        self._values.set(state)
        self._values.advance_seeds(int(batches))
        return to_numbers(jax.device_get(dict(logs))), int(batches)

    def _run(self, kind: Kind, order: np.ndarray) -> Any:
        """Runs an epoch's executable; with `steps_per_epoch` epochs may differ in length."""
        values, batch = self._values, self._data.batch
        arguments = (values.state(), values.graph_inputs(), self._training, jnp.asarray(order))
        if (kind, len(order)) not in self._train:
            self._train[kind, len(order)] = self._shared.compiled(
                kind, self._model, self._padding, batch, *arguments
            )
        return self._train[kind, len(order)](*arguments)

    def test_epoch(self) -> Logs:
        """See `CompiledSession.test_epoch`."""
        values, batch = self._values, self._data.validation_batch
        order = self._validation_order
        arguments = (values.state(), values.graph_inputs(), self._validation, order)
        if self._test is None:
            self._test = self._shared.compiled(
                "testing", self._model, self._padding, batch, *arguments
            )
        logs, metrics = self._test(*arguments)
        values.set_metrics(metrics)
        return to_numbers(jax.device_get(dict(logs)))

    def set_seed(self, variable: Any, state: np.ndarray) -> None:
        """Sets a seed without the checks of `Variable.assign`."""
        variable._value = jnp.asarray(state.astype(variable.dtype))

    def close(self) -> None:
        """Does nothing: the model's variables hold the values after each epoch."""

    def reopen(self) -> bool:
        """See `CompiledSession.reopen`; executables of a single model are opened anew."""
        if self._shared.keep:
            return False
        self._values = Values(self._model, self._padding, lifted=self._shared.lifted)
        return True
