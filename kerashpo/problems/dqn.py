"""`DQN`: deep Q-learning as a Keras model, whose samples are the start states of episodes.

V. Mnih et al., "Human-level control through deep reinforcement learning", Nature 518 (2015), with
H. van Hasselt, A. Guez and D. Silver, "Deep reinforcement learning with double Q-learning" (2016)
as an option. A training batch holds the start states of episodes that are played side by side, and
is followed by a fixed number of gradient steps: an epoch of ``fit`` is a number of episodes and of
gradient steps, data stay arrays, and whole epochs run within one graph. On TensorFlow.

An action's value is the discounted cost of a fall, minus the discount to the power of the steps
until then: 0 is never, -1 now. It orders policies as the discounted return does, for a reward of 1
a step is (1 + value) / (1 - discount). But a network starts near the values of long episodes, and
values that are too high are seen: nothing is above 0, where targets are cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import keras
import tensorflow as tf
from keras import ops

STATE = 4
"""Numbers in a state."""
_ROW = 2 * STATE + 2
"""A remembered transition: state, next state, action, whether it ended there."""


@dataclass(frozen=True, slots=True)
class QLearning:
    """The settings of deep Q-learning.

    Attributes:
        discount: of the next state's value.
        exploring: steps over which the share of random actions falls from 1 to `exploration`.
        exploration: the share of random actions after that.
        target_every: gradient steps between two copies to the target network.
        double: whether the network chooses the next action that the target network values.
        capacity: transitions that are remembered.
        first: transitions before the first gradient step.
        batch: transitions of a gradient step.
        updates: gradient steps after each batch of episodes.
    """

    discount: float
    exploring: int
    exploration: float
    target_every: int
    double: bool
    capacity: int = 50_000
    first: int = 500
    batch: int = 64
    updates: int = 250


@final
class Memory:
    """Replay memory, target network and counters: state of training, no weights of the model."""

    def __init__(self, network: keras.Model, capacity: int) -> None:
        self.target = keras.models.clone_model(network)
        self.target.trainable = False
        # The last row takes what is not kept: steps of episodes that are over.
        self.rows = self._zeros((capacity + 1, _ROW), "transitions")
        self.count = self._zeros((), "count", "int32")
        self.updates = self._zeros((), "updates", "int32")
        self.fresh = self._zeros((), "copied", "bool")

    @staticmethod
    def _zeros(shape: tuple[int, ...], name: str, dtype: str = "float32") -> keras.Variable:
        return keras.Variable(
            keras.initializers.Zeros(), shape, dtype, trainable=False, autocast=False, name=name
        )


@final
@keras.saving.register_keras_serializable(package="kerashpo")
class DQN(keras.Model):  # type: ignore[misc]
    """A network of action values (n, actions) that learns by playing from start states (n, 4).

    Its metric is ``mean_return``, the mean steps of an episode: with random actions among them in
    training, always the most valued action in ``evaluate``.

    Args:
        network: from states (n, 4) to action values (n, 2).
        step: ``step(ops, states, actions)`` returns the next states (n, 4) and whether each episode
            ended there (n,).
        most_steps: steps after which an episode ends anyway.
        settings: see `QLearning`.
        **kwargs: as for any Keras model.
    """

    def __init__(
        self,
        network: keras.Model,
        step: Callable[[Any, Any, Any], tuple[Any, Any]],
        most_steps: int,
        settings: QLearning,
        **kwargs: Any,
    ) -> None:
        super().__init__(network.inputs, network.outputs, **kwargs)
        self._network, self._step, self._most = network, step, most_steps
        self._settings = settings
        self._memory = Memory(network, settings.capacity)
        self._random = keras.random.SeedGenerator()
        self._mean_return = keras.metrics.Mean(name="mean_return")
        self._mean_loss = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self._mean_loss, self._mean_return]

    def train_step(self, data: Any) -> dict[str, Any]:
        """Plays a batch of episodes, all of them remembered, then makes its gradient steps."""
        starts, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self._copy_at_first()

        def turn(states: Any, alive: Any, steps: Any) -> tuple[Any, Any, Any]:
            actions = self._explore(states)
            after, ended = self._step(ops, states, actions)
            self._remember(states, actions, after, ended, alive)
            return after, ops.logical_and(alive, ops.logical_not(ended)), steps + _count(alive)

        self._mean_return.update_state(self._play(starts, turn))
        self._learn()
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Any]:
        """Plays a batch of episodes with the most valued actions."""
        starts, _, _ = keras.utils.unpack_x_y_sample_weight(data)

        def turn(states: Any, alive: Any, steps: Any) -> tuple[Any, Any, Any]:
            after, ended = self._step(ops, states, ops.argmax(self._network(states), axis=-1))
            return after, ops.logical_and(alive, ops.logical_not(ended)), steps + _count(alive)

        self._mean_return.update_state(self._play(starts, turn))
        return self.get_metrics_result()

    def _play(self, starts: Any, turn: Callable[..., Any]) -> Any:
        """Returns the steps (n,) of episodes: one reward each."""
        alive = ops.ones_like(starts[:, 0], dtype="bool")
        _, _, steps = ops.while_loop(
            lambda states, alive, steps: ops.any(alive),
            turn,
            (starts, alive, ops.zeros_like(starts[:, 0])),
            maximum_iterations=self._most,
        )
        return steps

    def _explore(self, states: Any) -> Any:
        """Returns actions (n,): random ones at a share that falls with the steps remembered."""
        settings = self._settings
        passed = ops.cast(self._memory.count, "float32") / settings.exploring
        share = ops.maximum(1.0 - (1.0 - settings.exploration) * passed, settings.exploration)
        best = ops.argmax(self._network(states), axis=-1)
        shape = ops.shape(best)
        drawn = keras.random.uniform(shape, seed=self._random)
        other = keras.random.uniform(shape, seed=self._random) < 0.5
        return ops.where(drawn < share, ops.cast(other, best.dtype), best)

    def _remember(self, states: Any, actions: Any, after: Any, ended: Any, alive: Any) -> None:
        memory, capacity = self._memory, self._settings.capacity
        rows = ops.concatenate(
            [states, after, ops.cast(actions, "float32")[:, None], _count(ended)[:, None]], axis=1
        )
        living = ops.cast(alive, "int32")
        places = (memory.count + ops.cumsum(living) - 1) % capacity
        places = ops.where(alive, places, capacity)
        # In place: `scatter_update` and `assign` would copy the whole memory at each step.
        memory.rows.value.scatter_nd_update(places[:, None], rows)
        memory.count.assign_add(ops.sum(living))

    def _learn(self) -> None:
        """Makes the gradient steps of a batch, none before there are enough transitions."""
        settings = self._settings
        count = ops.where(self._memory.count >= settings.first, settings.updates, 0)

        def one(done: Any) -> tuple[Any]:
            self._update()
            return (done + 1,)

        ops.while_loop(lambda done: done < count, one, (ops.zeros((), "int32"),))

    def _update(self) -> None:
        """Makes a gradient step on remembered transitions."""
        memory, settings = self._memory, self._settings
        known = ops.cast(ops.clip(memory.count, 1, settings.capacity), "float32")
        drawn = keras.random.uniform((settings.batch,), seed=self._random)
        rows = ops.take(memory.rows, ops.cast(ops.floor(drawn * known), "int32"), axis=0)
        states, after = rows[:, :STATE], rows[:, STATE : 2 * STATE]
        actions, ended = ops.cast(rows[:, -2], "int32"), rows[:, -1]
        values = memory.target(after)
        chosen = ops.argmax(self._network(after) if settings.double else values, axis=-1)
        wanted = settings.discount * (1.0 - ended) * _taken(values, chosen) - ended
        wanted = ops.stop_gradient(ops.clip(wanted, -1.0, 0.0))
        weights = self._network.trainable_variables
        with tf.GradientTape() as tape:
            error = wanted - _taken(self._network(states), actions)
            huber = ops.where(ops.abs(error) < 1, 0.5 * error**2, ops.abs(error) - 0.5)
            loss = ops.mean(huber)
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self._mean_loss.update_state(loss)
        memory.updates.assign_add(1)
        self._copy(ops.equal(memory.updates % settings.target_every, 0))

    def _copy(self, when: Any) -> None:
        """Copies the network's weights to the target network where `when` is true."""
        for mine, target in zip(self._network.variables, self._memory.target.variables):
            target.assign(ops.where(when, mine, target))

    def _copy_at_first(self) -> None:
        self._copy(ops.logical_not(self._memory.fresh))
        self._memory.fresh.assign(True)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("A DQN is not saved whole: save its network, model.network.")

    @property
    def network(self) -> keras.Model:
        """The network of action values, which predicts and saves like any Keras model."""
        return self._network


def _count(flags: Any) -> Any:
    return ops.cast(flags, "float32")


def _taken(values: Any, actions: Any) -> Any:
    """Returns the values (n,) of the actions that were taken, of values (n, actions)."""
    return ops.take_along_axis(values, ops.cast(actions, "int32")[:, None], axis=1)[:, 0]
