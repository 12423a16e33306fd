"""Declared hyperparameters: builds a hypermodel with given values and records what it declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Config, Scalar
from kerashpo.space.discovery import Values
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.training.hyperparameters import AllDeclared, HyperParameters
from kerashpo.training.symbolic_build import bounded_build, symbolic_build

_GENUINE_ERRORS = 3

Build = Callable[[HyperParameters], object]
"""Builds a model with the given values, after setting how its declarations are interpreted."""


@final
class Declarations:
    """Builds models to find their hyperparameters, without allocating variables where possible.

    Build functions that train or read weights may fail without variables. A failed build is
    repeated with variables, up to `max_size`; after three builds that failed with variables too,
    the errors of builds without them are raised immediately.

    Args:
        build: builds a model.
        declared_before: hyperparameters that `hp` has before the model is built.
        max_size: the most weights of a model that is built with variables.

    Attributes:
        names: the names of the hyperparameters that the models have declared so far.
    """

    def __init__(self, build: Build, declared_before: Space, max_size: int | None = None) -> None:
        self._build, self._before, self._max_size = build, declared_before, max_size
        self.names: set[str] = set()
        self._symbolic = True
        self._genuine = 0

    def __call__(self, values: Values) -> Sequence[Param]:
        """Returns the hyperparameters declared for these values; missing values are defaults."""
        hp = self._parameters(values)
        if self._symbolic:
            try:
                with symbolic_build():
                    self._build(hp)
                return self._declared(hp)
            except InvalidSpace:
                raise
            except Exception:
                if self._genuine >= _GENUINE_ERRORS:
                    raise
        hp = self._parameters(values)
        try:
            with bounded_build(self._max_size if values else None):
                self._build(hp)
        except InvalidSpace:
            raise
        except Exception:
            self._genuine += 1
            raise
        if not values:
            self._symbolic = False  # every further build would also fail without variables
        return self._declared(hp)

    def project(self, config: Config, space: Space, dependent: frozenset[str]) -> Config:
        """Returns the configuration that is trained for a proposed one.

        A range or choice that depends on other values may not contain the proposed value; then
        the nearest allowed value is trained.

        Args:
            config: a proposed configuration.
            space: the search space.
            dependent: the hyperparameters whose range or choices depend on others.
        """
        hp = HyperParameters.with_values(space, config)
        hp.end_after(dependent & config.keys())
        try:
            with symbolic_build():
                self._build(hp)
        except AllDeclared:
            pass
        except Exception:
            return config  # the trial will fail with the same error
        changed = {name: value for name, value in hp.changed.items() if name in config}
        if not changed:
            return config
        values: dict[str, Scalar] = {**config, **changed}
        return {
            param.name: values.get(param.name, param.domain.default)
            for param in space.params
            if param.active(values)
        }

    def _parameters(self, values: Values) -> HyperParameters:
        config: dict[str, Scalar] = {}
        for param in self._before.params:
            if param.active(config):
                config[param.name] = values.get(param.name, param.domain.default)
        return HyperParameters.with_values(self._before, {**config, **values})

    def _declared(self, hp: HyperParameters) -> list[Param]:
        """Returns the declared hyperparameters, and those of `declared_before` that were read."""
        names = {param.name for param in hp.declared}
        self.names |= names
        read = [p for p in self._before.params if p.name in hp.read - names]
        return [*read, *hp.declared]
