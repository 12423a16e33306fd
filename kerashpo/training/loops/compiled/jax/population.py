"""Session that trains several models of one signature together, vectorised over models (`vmap`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kerashpo.training.arrays import length
from kerashpo.training.data import FitData
from kerashpo.training.loops.compiled.engine import Logs, PopulationSession, to_numbers
from kerashpo.training.loops.compiled.jax.executables import Compiled, Executables, Kind, Values
from kerashpo.training.loops.compiled.jax.graphs import State, variables_of
from kerashpo.training.loops.compiled.jax.lifting import GraphInputs, seeds_of
from kerashpo.training.loops.compiled.jax.padding import NONE
from kerashpo.training.loops.compiled.programs import ProgramCache
from kerashpo.training.randomness import seed_variables

#: Which arguments differ between models: state and inputs; data and the order of an evaluation
#: are common to all.
_TRAINING, _TESTING = (0, 0, None, 0), (0, 0, None, None)


@final
class JaxPopulationSession(PopulationSession):
    """Session that holds the values of several models in stacked arrays, on the device.

    The program always has `size` places; places without a model repeat the first one. XLA may
    order sums differently for another number of places, but never by what is in the other ones,
    so a model's values do not depend on how many models are trained with it.

    Args:
        shared: the executables of the models' signature.
        models: built models of this signature, at most `size`.
        size: the number of places.
        data: the training data.
        training: the training data on the device.
        validation: the validation data on the device.
        cache: where programs are kept; None for nowhere.
    """

    def __init__(
        self,
        shared: Executables,
        models: Sequence[keras.Model],
        size: int,
        data: FitData,
        training: Any,
        validation: Any,
        cache: ProgramCache | None = None,
    ) -> None:
        self._shared, self._model, self._data = shared, models[0], data
        self._cache = cache
        self._training, self._validation = training, validation
        self._values = [Values(model, NONE, lifted=shared.lifted) for model in models]
        self._places = [*range(len(models)), *[0] * (size - len(models))]
        self._seeds = [_Seeds(model, lifted=shared.lifted) for model in models]
        self._kept_weights = [_weight_places(model, lifted=shared.lifted) for model in models]
        self._state: State = self._stack([values.state() for values in self._values])
        self._inputs: GraphInputs = self._stack([values.graph_inputs() for values in self._values])
        self._best: Any = self._state[:2]
        self._on_host: tuple[Any, Any] | None = None
        self._best_on_host: tuple[Any, Any] | None = None
        self._validation_order: Any = None
        if data.validation is not None:
            order = data.validation_order(self._model.steps_per_execution)
            whole = np.arange(length(data.validation[0]), dtype=np.int32)
            self._validation_order = jnp.asarray(whole if order is None else order)
        self._compiled: dict[tuple[Kind, int], Compiled] = {}

    def run_epoch(
        self, orders: Sequence[np.ndarray], states: Sequence[np.ndarray], validate: bool
    ) -> tuple[list[Logs], list[Logs]]:
        """See `PopulationSession.run_epoch`."""
        inputs, start = self._seeded(states)
        order = jnp.asarray(np.stack([orders[place] for place in self._places]))
        arguments = (start, inputs, self._training, order)
        run = self._executable("training", self._data.batch, order.shape[1], arguments, _TRAINING)
        logs, state = run(*arguments)
        tested: Any = None
        if validate:
            given = (state, inputs, self._validation, self._validation_order)
            test = self._executable("testing", self._data.validation_batch, 0, given, _TESTING)
            tested, metrics = test(*given)
            state = (*state[:3], metrics)
        found = self._apart(logs), [] if tested is None else self._apart(tested)
        self._state = state
        return found

    def keep(self, models: Sequence[int]) -> None:
        """See `PopulationSession.keep`."""
        mask = np.isin(self._places, list(models))
        if mask.all():
            self._best = self._state[:2]
        elif mask.any():
            self._best = _where(mask, self._state[:2], self._best)

    def best(self, model: int) -> list[np.ndarray]:
        """See `PopulationSession.best`."""
        if self._best_on_host is None or self._best_on_host[0] is not self._best:
            self._best_on_host = self._best, jax.device_get(self._best)
        trainable, fixed = self._best_on_host[1]
        groups = (trainable, fixed)
        return [np.array(groups[g][i][model]) for g, i in self._kept_weights[model]]

    def restore(self, model: int) -> None:
        """See `PopulationSession.restore`."""
        if self._on_host is None or self._on_host[0] is not self._state:
            self._on_host = self._state, jax.device_get(self._state)
        mine = jax.tree.map(lambda leaf: jnp.asarray(leaf[model]), self._on_host[1])
        self._values[model].set(mine)

    def _executable(
        self, kind: Kind, batch: int, rows: int, arguments: Any, axes: tuple[int | None, ...]
    ) -> Compiled:
        if (kind, rows) not in self._compiled:
            self._compiled[kind, rows] = self._shared.compiled(
                kind, self._model, NONE, batch, *arguments, axes=axes, cache=self._cache
            )
        return self._compiled[kind, rows]

    def _stack(self, trees: Sequence[Any]) -> Any:
        """Returns the models' values stacked by place."""
        host = jax.device_get(list(trees))
        chosen = [host[place] for place in self._places]
        return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *chosen)

    def _seeded(self, states: Sequence[np.ndarray]) -> tuple[GraphInputs, State]:
        """Returns inputs and state with all seed generators at the start of an epoch."""
        found = [seeds.arrange(state) for seeds, state in zip(self._seeds, states, strict=True)]
        lifted, others = zip(*(found[place] for place in self._places))
        inputs, state = self._inputs, self._state
        if self._shared.lifted:
            inputs = inputs._replace(seeds=tuple(np.stack(parts) for parts in zip(*lifted)))
        fixed = list(state[1])
        for index in others[0]:
            fixed[index] = jnp.asarray(np.stack([other[index] for other in others]))
        return inputs, (state[0], fixed, *state[2:])

    def _apart(self, logs: Any) -> list[Logs]:
        """Returns the logs of each model."""
        leaves, structure = jax.tree.flatten(jax.device_get(dict(logs)))
        return [
            to_numbers(jax.tree.unflatten(structure, [leaf[model] for leaf in leaves]))
            for model in range(len(self._values))
        ]


@final
class _Seeds:
    """Where the states of a model's seed generators go: to graph inputs or to its variables.

    Args:
        model: a built model.
        lifted: whether the seeds of dropout layers are graph inputs.
    """

    def __init__(self, model: keras.Model, *, lifted: bool) -> None:
        numbers = {id(variable): i for i, variable in enumerate(seed_variables(model))}
        layers = seeds_of(model) if lifted else []
        self._inputs = [None if seed is None else numbers[id(seed)] for seed in layers]
        fixed = variables_of(model, lifted=lifted)[1]
        self._fixed = {
            index: (numbers[id(variable)], variable.dtype)
            for index, variable in enumerate(fixed)
            if id(variable) in numbers
        }

    def arrange(self, states: np.ndarray) -> tuple[list[np.ndarray], dict[int, np.ndarray]]:
        """Returns the seeds that are graph inputs, and by index those that are variables."""
        none = np.zeros(2, np.uint32)
        inputs = [none if i is None else states[i].astype(np.uint32) for i in self._inputs]
        return inputs, {i: states[n].astype(kind) for i, (n, kind) in self._fixed.items()}


def _weight_places(model: keras.Model, *, lifted: bool) -> list[tuple[int, int]]:
    """Returns for each of `model.weights` its group in a `State` and its index there."""
    places = {
        id(variable): (group, index)
        for group, variables in enumerate(variables_of(model, lifted=lifted)[:2])
        for index, variable in enumerate(variables)
    }
    return [places[id(variable)] for variable in model.weights]


@jax.jit
def _where(mask: Any, new: Any, old: Any) -> Any:
    """Returns the values of `new` in the places of the mask, elsewhere those of `old`."""

    def choose(one: Any, other: Any) -> Any:
        return jnp.where(mask.reshape(-1, *[1] * (one.ndim - 1)), one, other)

    return jax.tree.map(choose, new, old)
