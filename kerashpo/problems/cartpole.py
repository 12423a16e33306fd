"""CartPole: a pole balanced on a cart by deep Q-learning.

The task is CartPole-v1 of the package gymnasium (MIT licence), after A. Barto, R. Sutton and
C. Anderson, "Neuronlike adaptive elements" (1983): push left or right; an episode ends when the
pole falls, the cart leaves, or after 500 steps, a reward of 1 each. Its constants are read from
the installed environment, and its equations are written here for many episodes at once; a test
compares them with the environment's own steps. The samples of a split are start states.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.core.records import Objective
from kerashpo.problems.packaged import how_to_install
from kerashpo.problems.splits import Array, Split
from kerashpo.problems.task import Task

STATE = 4
"""Position, speed, angle, angular speed."""
SCALES = [1 / 2.4, 1 / 2.0, 1 / 0.21, 1 / 2.0]
"""What a network multiplies a state with: an angle at which the pole falls is 0.21."""
EPISODES = {"train": 32, "validation": 20, "test": 100}
"""Start states of each part; those of training are the episodes of an epoch."""
START = 0.05
"""Start states are uniform between minus and plus this, as the environment's are."""


@dataclass(frozen=True, slots=True)
class Physics:
    """The constants of the environment, as gymnasium names them, in SI units and radians."""

    gravity: float
    masscart: float
    masspole: float
    length: float
    force_mag: float
    tau: float
    theta_threshold_radians: float
    x_threshold: float
    most_steps: int

    @classmethod
    def installed(cls) -> Physics:
        """Returns the constants of the installed CartPole-v1."""
        import gymnasium

        env = gymnasium.make("CartPole-v1")
        inner: Any = env.unwrapped
        names = [name for name in cls.__slots__ if name != "most_steps"]
        steps = env.spec.max_episode_steps if env.spec is not None else None
        return cls(**{name: float(getattr(inner, name)) for name in names}, most_steps=steps or 500)


def cartpole() -> Task:
    """Returns the task: the mean return of 20 episodes.

    Raises:
        MissingExtra: if the package gymnasium is not installed.
    """
    if find_spec("gymnasium") is None:
        raise MissingExtra(
            "The problem 'cartpole' is an environment of the package gymnasium, which is not "
            f"installed. {how_to_install('gymnasium')}"
        )
    return Task(
        name="cartpole",
        build=build_model,
        load=load,
        objective=Objective("val_mean_return", "max"),
        target=450.0,
        batch_size=8,
        title={"en": "CartPole", "es": "Péndulo en carro"},
        description={
            "en": "CartPole-v1 of gymnasium: keep a pole upright on a cart for 500 steps. Deep "
            "Q-learning; an epoch is 32 episodes and 1,000 gradient steps, and the mean return of "
            "20 episodes without exploration decides. The simple rival is the best of 100 random "
            "linear policies.",
            "es": "CartPole-v1 de gymnasium: mantener un palo en equilibrio sobre un carro durante "
            "500 pasos. Aprendizaje Q profundo; una época son 32 episodios y 1000 pasos de "
            "gradiente, y decide el retorno medio de 20 episodios sin exploración. El rival "
            "sencillo es la mejor de 100 políticas lineales al azar.",
        },
        constant=always_right,
        rival=random_policies,
        averages=False,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled `DQN`: exploration, discount, target updates and architecture.

    The four numbers of a state are divided by about their range. Its defaults: two layers of 128
    ReLU units, discount 0.99, random actions from 1 to 0.04 over 5,000 steps, double Q-learning, a
    copy to the target network every 20 gradient steps, Adam at 5e-4.

    Args:
        hp: a `HyperParameters`.

    Raises:
        InvalidInput: unless Keras runs on TensorFlow.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise InvalidInput(
            "The problem 'cartpole' trains with TensorFlow's gradients, but Keras runs on "
            f"{keras.backend.backend()}. Set KERAS_BACKEND=tensorflow."
        )
    from kerashpo.problems.dqn import DQN, QLearning

    units = hp.Int("units", 64, 256, step=64, default=128)
    network = keras.Sequential([keras.Input((STATE,)), keras.layers.Rescaling(SCALES)])
    for _ in range(hp.Int("layers", 1, 2, default=2)):
        network.add(keras.layers.Dense(units, activation="relu"))
    network.add(keras.layers.Dense(2))
    settings = QLearning(
        discount=hp.Choice("discount", [0.98, 0.99, 0.995], default=0.99),
        exploring=hp.Int("exploring", 1000, 10000, sampling="log", default=5000),
        exploration=hp.Float("exploration", 0.01, 0.1, sampling="log", default=0.04),
        target_every=hp.Int("target_every", 10, 200, sampling="log", default=20),
        double=hp.Boolean("double", default=True),
    )
    physics = Physics.installed()
    model = DQN(network, partial(step, physics), physics.most_steps, settings)
    rate = hp.Float("learning_rate", 1e-4, 5e-3, sampling="log", default=5e-4)
    model.compile(optimizer=keras.optimizers.Adam(rate))
    return model


def step(physics: Physics, ops: Any, states: Any, actions: Any) -> tuple[Any, Any]:
    """Returns the next states (n, 4), and which episodes ended there (n,), by Euler's method.

    Args:
        physics: the constants.
        ops: ``keras.ops`` or ``numpy``.
        states: (n, 4).
        actions: (n,): 0 pushes left, 1 right.
    """
    x, speed, angle, turn = (states[:, i] for i in range(STATE))
    force = ops.where(ops.equal(actions, 1), physics.force_mag, -physics.force_mag)
    sine, cosine = ops.sin(angle), ops.cos(angle)
    mass, half = physics.masscart + physics.masspole, physics.length
    push = (force + physics.masspole * half * turn**2 * sine) / mass
    down = half * (4.0 / 3.0 - physics.masspole * cosine**2 / mass)
    turning = (physics.gravity * sine - cosine * push) / down
    moving = push - physics.masspole * half * turning * cosine / mass
    tau = physics.tau
    x, angle = x + tau * speed, angle + tau * turn
    after = ops.stack([x, speed + tau * moving, angle, turn + tau * turning], axis=1)
    beside, fallen = (
        ops.abs(x) > physics.x_threshold,
        ops.abs(angle) > physics.theta_threshold_radians,
    )
    return after, ops.logical_or(beside, fallen)


def load(seed: int) -> Split:
    """Returns the start states (n, 4) of a seed's episodes; targets (n, 1) are zeros, unused."""
    rng = np.random.default_rng(seed)
    parts = []
    for count in EPISODES.values():
        starts = rng.uniform(-START, START, (count, STATE)).astype("float32")
        parts.append((starts, np.zeros((count, 1), "float32")))
    return Split(*parts)


def returns(physics: Physics, starts: Array, policies: Array) -> Array:
    """Returns the steps (policies, n) of episodes under linear policies, in numpy.

    Args:
        physics: the constants.
        starts: (n, 4).
        policies: weights (policies, 5): push right where weights · state + bias is above 0.
    """
    count, episodes = len(policies), len(starts)
    states = np.tile(starts.astype(float), (count, 1))
    weights = np.repeat(policies, episodes, axis=0)
    alive, steps = np.ones(len(states), bool), np.zeros(len(states))
    for _ in range(physics.most_steps):
        actions = (states * weights[:, :STATE]).sum(axis=1) + weights[:, STATE] > 0
        states, ended = step(physics, np, states, actions)
        steps += alive
        alive &= ~ended
        if not alive.any():
            break
    return steps.reshape(count, episodes)


def random_policies(split: Split) -> dict[str, float]:
    """Returns the mean returns of the linear policy that is best on the validation episodes.

    100 policies with normal weights are tried: random search solves CartPole often.
    """
    policies = np.random.default_rng(0).normal(size=(100, STATE + 1)) * [1, 1, 1, 1, 0]
    return _best_of(policies, split)


def always_right(split: Split) -> dict[str, float]:
    """Returns the mean returns of always pushing to the right."""
    return _best_of(np.eye(STATE + 1)[-1:], split)


def _best_of(policies: Array, split: Split) -> dict[str, float]:
    physics = Physics.installed()
    scores = returns(physics, split.validation[0], policies).mean(axis=1)
    best = int(scores.argmax())
    test = returns(physics, split.test[0], policies[best : best + 1]).mean()
    return {"val_mean_return": float(scores[best]), "test_mean_return": float(test)}
