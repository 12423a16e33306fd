"""Peers behind one interface: a configuration out, a value (higher is better) in."""

from __future__ import annotations

import logging
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np

from kerashpo.space import Space
from kerashpo.space.domains import Boolean, Choice, Float, Integer
from kerashpo.space.params import Param


class Peer(ABC):
    """Suggests configurations one after another."""

    @abstractmethod
    def ask(self) -> dict[str, Any]:
        """Returns the next configuration."""

    @abstractmethod
    def tell(self, config: Mapping[str, Any], value: float) -> None:
        """Records the value of the last configuration."""


def _ordinal(param: Param) -> bool:
    return isinstance(param.domain, Choice) and param.domain.ordered


@final
class Random(Peer):
    """Independent draws."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space, self._rng = space, np.random.default_rng(seed)

    def ask(self) -> dict[str, Any]:
        return dict(self._space.sample(self._rng))

    def tell(self, config: Mapping[str, Any], value: float) -> None:
        return


@final
class Sobol(Peer):
    """Scrambled Sobol points."""

    def __init__(self, space: Space, seed: int) -> None:
        from scipy.stats import qmc

        from kerashpo.space.cube import Cube

        self._cube = Cube(space)
        rows = qmc.Sobol(self._cube.dim, scramble=True, rng=np.random.default_rng(seed))
        self._rows = iter(self._cube.snap(rows.random(1024)))

    def ask(self) -> dict[str, Any]:
        return dict(self._cube.decode(next(self._rows)))

    def tell(self, config: Mapping[str, Any], value: float) -> None:
        return


@final
class Optuna(Peer):
    """Optuna 5: ordered grids as integers, so that its samplers know their order."""

    def __init__(self, space: Space, seed: int, sampler: Callable[[int], Any]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # samplers announce that they are experimental
            self._study = optuna.create_study(direction="maximize", sampler=sampler(seed))
        self._distributions = {p.name: _optuna_distribution(p) for p in space.free}

    def ask(self) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._trial = self._study.ask(self._distributions)
        values = dict(self._trial.params)
        for param in self._space.free:
            if isinstance(param.domain, Choice) and param.domain.ordered:
                values[param.name] = param.domain.values[values[param.name]]
        return values

    def tell(self, config: Mapping[str, Any], value: float) -> None:
        self._study.tell(self._trial, value)

    def add(self, config: Mapping[str, Any], value: float) -> None:
        """Adds a trial that this method did not suggest."""
        import optuna

        self._study.add_trial(
            optuna.trial.create_trial(
                params=dict(config), distributions=self._distributions, value=value
            )
        )


def _optuna_distribution(param: Param) -> Any:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    match param.domain:
        case Float(low, high, _, scale):
            return FloatDistribution(low, high, log=scale == "log")
        case Integer(low, high, _, scale):
            return IntDistribution(low, high, log=scale == "log")
        case Choice(values, ordered):
            return (  # an ordered grid by position
                IntDistribution(0, len(values) - 1) if ordered else CategoricalDistribution(values)
            )
        case Boolean():
            return CategoricalDistribution([False, True])
    raise TypeError(f"no Optuna distribution for {param}")


def tpe(space: Space, seed: int) -> Peer:
    """Optuna's multivariate TPE."""
    import optuna

    return Optuna(space, seed, lambda s: optuna.samplers.TPESampler(seed=s, multivariate=True))


def gpsampler(space: Space, seed: int) -> Peer:
    """Optuna's Gaussian process with its defaults."""
    import optuna

    return Optuna(space, seed, lambda s: optuna.samplers.GPSampler(seed=s))


@final
class Hyperopt(Peer):
    """hyperopt's TPE, driven one trial at a time."""

    def __init__(self, space: Space, seed: int) -> None:
        import hyperopt

        logging.getLogger("hyperopt").setLevel(logging.ERROR)
        self._hyperopt, self._space = hyperopt, space
        self._rng = np.random.default_rng(seed)
        labels = {p.name: _hyperopt_label(p) for p in space.free}
        self._domain = hyperopt.base.Domain(lambda config: 0.0, labels)
        self._trials = hyperopt.Trials()

    def ask(self) -> dict[str, Any]:
        ids = self._trials.new_trial_ids(1)
        self._trials.refresh()
        seed = int(self._rng.integers(2**31 - 1))
        self._new = self._hyperopt.tpe.suggest(ids, self._domain, self._trials, seed)
        raw = {name: vals[0] for name, vals in self._new[0]["misc"]["vals"].items()}
        return {p.name: _from_hyperopt(p, raw[p.name]) for p in self._space.free}

    def tell(self, config: Mapping[str, Any], value: float) -> None:
        document = self._new[0]
        document["state"] = self._hyperopt.JOB_STATE_DONE
        document["result"] = {"loss": -value, "status": self._hyperopt.STATUS_OK}
        self._trials.insert_trial_docs([document])
        self._trials.refresh()


def _hyperopt_label(param: Param) -> Any:
    from hyperopt import hp

    match param.domain:
        case Float(low, high, _, "log"):
            return hp.loguniform(param.name, np.log(low), np.log(high))
        case Float(low, high):
            return hp.uniform(param.name, low, high)
        case Integer(low, high, _, "log"):
            return hp.qloguniform(param.name, np.log(low), np.log(high), 1)
        case Integer(low, high):
            return hp.quniform(param.name, low, high, 1)
        case Choice(values, True):
            return hp.quniform(param.name, 0, len(values) - 1, 1)
        case Choice(values):
            return hp.choice(param.name, list(range(len(values))))
    raise TypeError(f"no hyperopt expression for {param}")


def _from_hyperopt(param: Param, raw: Any) -> Any:
    match param.domain:
        case Integer(low, high):
            return min(max(round(raw), low), high)
        case Choice(values):
            return values[int(raw)]
    return float(raw)


@final
class KerasTuner(Peer):
    """KerasTuner 1.4.8's Bayesian oracle with its defaults."""

    def __init__(self, space: Space, seed: int, trials: int = 1000) -> None:
        import keras_tuner

        self._kt, self._space = keras_tuner, space
        hp = keras_tuner.HyperParameters()
        for param in space.free:
            _declare(hp, param)
        self._oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            objective=keras_tuner.Objective("value", "max"),
            max_trials=trials,
            seed=seed + 1,  # its seed 0 means random
            hyperparameters=hp,
        )
        self._folder = tempfile.TemporaryDirectory()
        self._oracle._set_project_dir(self._folder.name, "study")

    def ask(self) -> dict[str, Any]:
        self._trial = self._oracle.create_trial("tuner0")
        values = dict(self._trial.hyperparameters.values)
        return {
            p.name: p.domain.values[values[p.name]] if _ordinal(p) else values[p.name]  # type: ignore[attr-defined]
            for p in self._space.free
        }

    def tell(self, config: Mapping[str, Any], value: float) -> None:
        self._oracle.update_trial(self._trial.trial_id, {"value": value})
        self._trial.status = "COMPLETED"
        self._oracle.end_trial(self._trial)


def _declare(hp: Any, param: Param) -> None:
    match param.domain:
        case Float(low, high, _, scale):
            hp.Float(param.name, low, high, sampling=scale)
        case Integer(low, high, _, scale):
            hp.Int(param.name, low, high, sampling=scale)
        case Choice(values, True):
            hp.Int(param.name, 0, len(values) - 1)
        case Choice(values):
            hp.Choice(param.name, list(values))


PEERS: dict[str, Callable[[Space, int], Peer]] = {
    "random": Random,
    "sobol": Sobol,
    "optuna_tpe": tpe,
    "optuna_gp": gpsampler,
    "hyperopt": Hyperopt,
    "kerastuner": KerasTuner,
}
