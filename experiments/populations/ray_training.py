"""Ray Tune's own PBT on the networks of `networks`: the peer in `training`.

Ray's scheduler decides: who is copied by whom, and with which values. Its trials are trained here,
in one process by turns, because Ray's actors took eight minutes for one seed on two cores. The
networks, bounds and epochs are those of the other methods; Keras trains. Dropout and penalty are
variables of the model here, so that it is compiled once and a changed value costs nothing. Every
epoch yields the validation loss, by which Ray decides and the model is chosen, and figures on test
rows, which are only written down.
"""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import numpy as np

from experiments.populations.networks import BOUNDS, MEMBERS, PROBLEMS, Problem


def search(name: str, seed: int) -> tuple[float, float]:
    """Returns log loss and accuracy on test rows, of the epoch with the lowest validation loss."""
    from ray import tune
    from ray.tune.schedulers import PopulationBasedTraining

    problem, bounds = PROBLEMS[name], BOUNDS[name]
    space = {
        "rate": tune.loguniform(*bounds["rate"]),
        "dropout": tune.uniform(*bounds["dropout"]),
        "l2": tune.loguniform(*bounds["l2"]),
    }
    np.random.seed(seed)  # noqa: NPY002  # Ray draws from the global generators
    random.seed(seed)
    scheduler = PopulationBasedTraining(
        time_attr="training_iteration",
        metric="val_loss",
        mode="min",
        perturbation_interval=problem.interval,
        hyperparam_mutations=space,
        synch=True,
        log_config=False,
    )
    network = Network(problem, seed)
    draws = [{n: float(domain.sample()) for n, domain in space.items()} for _ in range(MEMBERS)]
    members = [Member(str(i), config, network.fresh()) for i, config in enumerate(draws)]
    controller = SimpleNamespace(
        search_alg=None, get_trials=lambda: members, get_live_trials=lambda: members
    )
    for member in members:
        scheduler.on_trial_add(controller, member)
    found = []
    for epoch in range(1, problem.epochs + 1):
        for member in members:
            result = network.train(member) | {"training_iteration": epoch}
            member.last_result = result
            found.append(result)
        if epoch < problem.epochs:
            for member in members:
                scheduler.on_trial_result(controller, member, member.last_result)
    best = min(found, key=lambda result: result["val_loss"])
    return best["test_loss"], best["test_accuracy"]


class Member:
    """A paused trial, as far as Ray's scheduler looks at one."""

    def __init__(self, number: str, config: dict[str, float], state: State) -> None:
        self.trial_id = self.experiment_tag = number
        self.config, self.status = config, "PAUSED"
        self.last_result: dict[str, float] = {}
        self.evaluated_params: dict[str, float] = {}
        self.temporary_state = SimpleNamespace(saving_to=None)
        settings = SimpleNamespace(num_to_keep=None)
        kept = SimpleNamespace(checkpoint=state)
        self.run_metadata = SimpleNamespace(
            checkpoint_manager=SimpleNamespace(
                checkpoint_config=settings, _latest_checkpoint_result=kept
            )
        )

    @property
    def checkpoint(self) -> State:
        """The state that this member has reached, or that it takes over."""
        found: State = self.run_metadata.checkpoint_manager._latest_checkpoint_result.checkpoint
        return found

    @checkpoint.setter
    def checkpoint(self, state: State) -> None:
        kept = SimpleNamespace(checkpoint=state)
        self.run_metadata.checkpoint_manager._latest_checkpoint_result = kept

    def is_finished(self) -> bool:
        """Whether it is over; never before the last epoch."""
        return False

    def set_experiment_tag(self, tag: str) -> None:
        """Takes the name of its new values."""
        self.experiment_tag = tag

    def set_config(self, config: dict[str, float]) -> None:
        """Takes new values."""
        self.config = config


class State:
    """Weights of a network, and its optimizer's variables."""

    def __init__(self, weights: list[np.ndarray], moments: list[np.ndarray]) -> None:
        self.weights, self.moments = weights, moments


class Network:
    """One compiled model that trains all members by turns."""

    def __init__(self, problem: Problem, seed: int) -> None:
        import keras

        keras.utils.set_random_seed(seed)
        self._problem = problem
        self._fit, self._check, self._test = problem.load(seed)
        hidden = tunable_layers()
        self._values, self._model = hidden[1], problem.compiled(hidden, 1e-3)
        self._model.optimizer.build(self._model.trainable_variables)
        self._start = [np.array(v) for v in self._model.optimizer.variables]

    def fresh(self) -> State:
        """Returns the state of a member that has not begun."""
        model = self._problem.compiled(tunable_layers(), 1e-3)
        return State(model.get_weights(), self._start)

    def train(self, member: Member) -> dict[str, float]:
        """Trains a member for an epoch from its state; returns its figures."""
        from experiments.populations.training import tested

        model, config = self._model, member.config
        model.set_weights(member.checkpoint.weights)
        variables = model.optimizer.variables
        for variable, value in zip(variables, member.checkpoint.moments, strict=True):
            variable.assign(value)
        model.optimizer.learning_rate.assign(config["rate"])
        self._values.rate.assign(config["dropout"])
        self._values.l2.assign(config["l2"])
        model.fit(*self._fit, batch_size=self._problem.batch_size, epochs=1, verbose=0)
        member.checkpoint = State(model.get_weights(), [np.array(v) for v in variables])
        loss = float(model.evaluate(*self._check, batch_size=500, verbose=0))
        test_loss, accuracy = tested(model, *self._test)
        return {"val_loss": loss, "test_loss": test_loss, "test_accuracy": accuracy}


def tunable_layers() -> list[Any]:
    """Returns a hidden layer and its dropout, whose rate and L2 penalty are variables."""
    import keras
    from keras import ops

    hidden = keras.layers.Dense(64, "relu")

    class Values(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rate = self.add_weight(shape=(), trainable=False, initializer="zeros")
            self.l2 = self.add_weight(shape=(), trainable=False, initializer="zeros")
            self.draws = keras.random.SeedGenerator(0)

        def call(self, x: Any, training: bool = False) -> Any:
            self.add_loss(self.l2 * ops.sum(ops.square(hidden.kernel)))
            if not training:
                return x
            kept = keras.random.uniform(ops.shape(x), seed=self.draws) >= self.rate
            return ops.where(kept, x / (1 - self.rate), 0.0)

    return [hidden, Values()]
