"""Builds models from configurations, and discovers the search space of `build_model`."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, final

import keras
import keras_tuner

from kerashpo.core.errors import InvalidInput, InvalidSpace
from kerashpo.core.records import Config, Scalar
from kerashpo.core.rng import stream
from kerashpo.core.trial import Trial
from kerashpo.space.discovery import MAX_CALLS, MAX_SECONDS, Discovery
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key
from kerashpo.store.checkpoints import unpack_list, write_variables
from kerashpo.training.build import build_from_json
from kerashpo.training.captured_state import fingerprint
from kerashpo.training.declarations import Declarations
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.training.jax_initialisers import shared_initialiser_shapes
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.model_structure import structure_of
from kerashpo.training.outside_layers import OutsideLayers
from kerashpo.training.randomness import seeded_build
from kerashpo.training.validated_values import give_values

Form = Literal["compiled", "model", "anything"]


@final
@dataclass(frozen=True, slots=True)
class Recompile:
    """Compile arguments of a tuner (``optimizer=``, ...) that replace those of `build_model`."""

    optimizer: Any = None
    loss: Any = None
    metrics: Any = None

    def apply(self, model: keras.Model) -> None:
        """Compiles the model again, if there is an argument to replace."""
        if not (self.optimizer or self.loss or self.metrics):
            return
        optimizer = self.optimizer
        if optimizer is not None and not isinstance(optimizer, str):
            # Each model needs its own optimizer, which belongs to one set of variables.
            config = keras.optimizers.serialize(optimizer)
            optimizer = keras.optimizers.deserialize(config)
        current = model.get_compile_config() if model.compiled else {}
        model.compile(
            optimizer=optimizer or model.optimizer,
            loss=self.loss or getattr(model, "loss", None),
            metrics=self.metrics or current.get("metrics"),
        )


@final
class ModelBuilder:
    """Builds the models of a user's hypermodel, and discovers its search space.

    Args:
        hypermodel: a function of `hp`, or a `keras_tuner.HyperModel`; None if a tuner's own
            `run_trial` builds models.
        overrides: definitions that take precedence over the hypermodel's (``hyperparameters=``).
        tune_new: whether hyperparameters that are not among the overrides are tuned.
        allow_new: whether such hyperparameters are allowed.
        recompile: replaces the optimizer, loss or metrics.
        strategy: a `tf.distribute` strategy under whose scope models are built, or None.
        extra: hyperparameters that the model does not declare, e.g. arguments of `fit`.
        form: the required result of `build`: a ``"compiled"`` model, any ``"model"``, or
            ``"anything"``.
        strict: whether a questionable definition that KerasTuner accepts is an error.
        max_size: `max_model_size`, a limit for the models that discovery builds, too.

    Attributes:
        dependent: after `discover`, the hyperparameters whose range or choices depend on others.
        calls: after `discover`, how often the hypermodel was built.
        complete: after `discover`, whether it finished within its limits of calls and seconds.

    Raises:
        InvalidInput: if the hypermodel is neither a function nor a HyperModel.
    """

    def __init__(
        self,
        hypermodel: Any,
        overrides: Space | None = None,
        tune_new: bool = True,
        allow_new: bool = True,
        recompile: Recompile = Recompile(),
        strategy: Any = None,
        extra: Space | None = None,
        form: Form = "compiled",
        strict: bool = False,
        max_size: int | None = None,
    ) -> None:
        known = hypermodel is None or isinstance(hypermodel, keras_tuner.HyperModel)
        if (not known and not callable(hypermodel)) or (hypermodel is None and form != "anything"):
            raise InvalidInput(
                "The first argument must be a function build_model(hp) that returns a compiled "
                f"keras.Model, or a HyperModel. Received: {hypermodel!r}."
            )
        self.hypermodel = None if hypermodel is None else _as_hypermodel(hypermodel)
        self._overrides, self._recompile = overrides, recompile
        self._tune_new, self._allow_new = tune_new, allow_new
        self._strategy, self._extra, self.form = strategy, extra or Space.of([]), form
        self._strict, self._warned = strict, set[str]()
        before = [] if overrides is None else overrides.params
        self._declarations = Declarations(
            self._declare, Space.of([*before, *self._extra.params]), max_size
        )
        self.dependent: frozenset[str] = frozenset()
        self.calls, self.complete = 0, True
        #: The arguments of `compile` of the default model; empty where there are none.
        self.compiled: dict[str, Any] = {}
        #: The structures of the models that discovery built, the default one first.
        self.structures: list[list[tuple[str, dict[str, Any]]]] = []
        self._seed = 0
        self._outside = OutsideLayers()

    def discover(self, seed: int, max_calls: int | None = None) -> Space:
        """Discovers the search space: calls the hypermodel and records its declarations.

        Args:
            seed: seed of the builds.
            max_calls: the number of builds of an earlier discovery that reached the time limit,
                to find the same space again; None for the limits of `kerashpo.space.discovery`.

        Raises:
            InvalidSpace: if a definition contradicts itself.
            Exception: any exception that the hypermodel raises for its default values.
        """
        before = [] if self._overrides is None else self._overrides.params
        if self.hypermodel is None:
            return Space.of([*before, *self._extra.params])
        self._seed = seed
        self.structures.clear()
        bounds = (MAX_CALLS, MAX_SECONDS) if max_calls is None else (max_calls, None)
        discovery = Discovery(self._declarations, *bounds)
        found = discovery.run()
        self.dependent = frozenset(discovery.dependent)
        self.calls, self.complete = len(discovery.calls) + len(discovery.errors), discovery.complete
        for first, other in discovery.clashes:
            self._warn_or_raise(
                f"Parameter {first.name!r} is declared in two ways that cannot be joined: "
                f"{first.domain.to_json()} and {other.domain.to_json()}. The first one is tuned. "
                "Give one of them another name."
            )
        if not self.complete and max_calls is None:
            self._warn(
                f"build_model was called {self.calls} times to find its parameters, which is the "
                "limit of calls or seconds. Parameters that appear later join the space during "
                "the search."
            )
        return self._with_declared_before(found)

    def finds(self, name: str) -> bool:
        """Whether discovery found a hyperparameter; else only trials can show its range."""
        return name in self._declarations.names

    def project(self, config: Config, space: Space) -> Config:
        """Returns the configuration that is trained for a proposed one.

        See `Declarations.project`.
        """
        if not self.dependent & config.keys():
            return config
        return self._declarations.project(config, space, self.dependent)

    def parameters(self, config: Config, space: Space, seed: int, trial: int) -> HyperParameters:
        """Returns a trial's hyperparameters; values of undiscovered ones are sampled."""
        hp = HyperParameters.with_values(space, config)
        self._bind(hp, lambda param: _draw(param, seed, trial))
        return hp

    def make(
        self, config: Config, space: Space, seed: int, trial: int, run: int = 0
    ) -> tuple[keras.Model, HyperParameters]:
        """Builds the model of a trial; its initial weights depend on (seed, trial, run).

        Returns:
            the compiled model, and its hyperparameters; `HyperParameters.changed` has the values
            that differ from the configuration, or are missing in it.

        Raises:
            InvalidInput: if the hypermodel does not return a compiled `keras.Model`.
        """
        if self.hypermodel is None:
            raise InvalidInput("This tuner has no hypermodel, so it cannot build a model.")
        self._outside.restore()
        hp = self.parameters(config, space, seed, trial)
        model = self._build(hp, seed, trial, run)
        self._outside.note(model)
        return model, hp

    def readable(self) -> Any:
        """Returns a fingerprint of what `build_model` can read; a change outdates its models."""
        read = fingerprint(getattr(self.hypermodel, "build", None))
        return read, self._outside.generation

    @property
    def is_independent(self) -> bool:
        """Whether its models have no layers in common, and belong to no distribution strategy."""
        return self._strategy is None and not self._outside.generation

    def touch(self) -> None:
        """Outdates models that share layers made outside, which may have been changed."""
        self._outside.touch()

    def detached(self, model: keras.Model) -> keras.Model:
        """Returns a copy of a model that has layers made outside; others unchanged.

        The next model that is loaded gives these layers its own weights.
        """
        if not self._outside.generation:
            return model
        try:
            return copy.deepcopy(model)
        except Exception as error:  # saving may raise any exception, depending on the classes
            self._warn(
                "Models have layers in common that are made outside build_model, and cannot be "
                f"copied ({error}): a model that is loaded changes those loaded before."
            )
            return model

    def scope(self) -> AbstractContextManager[Any]:
        """Returns the scope for creating variables: that of the distribution strategy, if any."""
        return nullcontext() if self._strategy is None else self._strategy.scope()

    def _build(self, hp: HyperParameters, seed: int, trial: int, run: int) -> keras.Model:
        assert self.hypermodel is not None
        with seeded_build(seed, trial, run), shared_initialiser_shapes(), self.scope():
            model = self.hypermodel.build(hp)
            if self.form != "anything":
                compiles = self._recompile.optimizer is not None or self.form == "model"
                check_model(model, compiles)
                self._recompile.apply(model)
        return model

    def _declare(self, hp: HyperParameters) -> None:
        """Builds a model whose declarations `hp` records."""
        self._bind(hp, None)
        declare = getattr(self.hypermodel, "declare_hyperparameters", None)
        if declare is not None:
            declare(hp)
        model = self._build(hp, self._seed, 0, 0)
        self._outside.note(model)
        self.structures.append(structure_of(model))
        if not self.compiled and (found := getattr(model, "_compile_config", None)) is not None:
            self.compiled = dict(found.config)  # of the first call, with the default values

    def _bind(self, hp: HyperParameters, fill: Callable[[Param], Scalar] | None) -> None:
        new = (self._tune_new, self._allow_new)
        hp.bind(self._overrides, fill, *new, self._strict, self._warned)

    def _with_declared_before(self, space: Space) -> Space:
        """Adds the hyperparameters that only `overrides` or `extra` define.

        Raises:
            InvalidInput: if the model declares one of `extra`.
        """
        both = [name for name in self._extra.names if name in self._declarations.names]
        if both:
            raise InvalidInput(
                f"fit_hp and build_model both declare {both[0]!r}. Leave it out of one of them: "
                "in build_model, hp.get reads what fit_hp set."
            )
        before = () if self._overrides is None else self._overrides.params
        first = [param for param in before if param.name not in space.names]
        own = [param for param in space.params if param.name not in self._extra.names]
        return Space.of([*first, *own, *self._extra.params])

    def _warn_or_raise(self, text: str) -> None:
        if self._strict:
            raise InvalidSpace(text)
        self._warn(f"{text} strict=True makes this an error.")

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, stacklevel=4)


def check_model(model: Any, will_compile: bool = False) -> None:
    """Raises InvalidInput unless `model` is a compiled `keras.Model`."""
    if model is None:
        raise InvalidInput(
            "build_model returned None; it must return a compiled keras.Model. "
            "Did you forget `return model`?"
        )
    if not isinstance(model, keras.Model):
        raise InvalidInput(
            f"build_model must return a compiled keras.Model. Received: {model!r} of type "
            f"{type(model).__name__}."
        )
    if not model.compiled and not will_compile:
        raise InvalidInput(
            "build_model returned a model that is not compiled. Call "
            "model.compile(optimizer=..., loss=..., metrics=[...]) before returning it."
        )


def _draw(param: Param, seed: int, trial: int) -> Scalar:
    """Samples a value for a hyperparameter that discovery did not find."""
    name = int.from_bytes(param.name.encode()[-8:].rjust(8, b"\0"), "big")
    u = stream(seed, "grow", trial, name % 2**32, name >> 32).random()
    return param.domain.at(u if param.domain.levels != 1 else 0.5)


@final
class _FunctionModel(keras_tuner.HyperModel):  # type: ignore[misc]
    """A `build_model` function as a `HyperModel`."""

    def __init__(self, build: Callable[[Any], Any]) -> None:
        super().__init__()
        self.build = build


def _as_hypermodel(given: Any) -> keras_tuner.HyperModel:
    return given if isinstance(given, keras_tuner.HyperModel) else _FunctionModel(given)


def make_loops() -> dict[str, TrainingLoop]:
    """Returns the training loops by their kind, see `kerashpo.training.loops.base.choose`."""
    return {"plain": FitLoop(), "compiled": CompiledLoop()}


def load_model(
    builder: ModelBuilder,
    space: Space,
    seed: int,
    record: Trial,
    blobs: Blobs,
    run: int | None = None,
) -> keras.Model:
    """Returns a trial's model with the weights of its best epoch.

    Args:
        builder: builds the model.
        space: the study's search space.
        seed: the study's seed.
        record: the trial.
        blobs: storage of the weights.
        run: the run of the trial; None for the one with the best epoch.

    Raises:
        InvalidInput: if the weights were not kept.
    """
    trial, run = record.number, record.best_run if run is None else run
    data = blobs.get(best_key(trial, run))
    if data is None:
        raise InvalidInput(
            f"The weights of trial {trial} were not kept: the tuner's argument keep=... sets of "
            "how many trials they are. Train its configuration again: get_best_hyperparameters "
            "returns the values."
        )
    model, _ = builder.make(record.config, space, seed, trial, run)
    try:
        weights, about = unpack_list(data)
    except ValueError as error:
        raise InvalidInput(
            f"The weights of trial {trial} cannot be read: {error}. Train its configuration again: "
            "get_best_hyperparameters returns the values."
        ) from error
    with builder.scope():
        if len(model.weights) != len(weights):  # a model without keras.Input is not built yet
            build_from_json(model, about.get("inputs"))
        write_variables(model.weights, weights)
    model = builder.detached(model)
    give_values(model, about.get("validated"))
    return model
