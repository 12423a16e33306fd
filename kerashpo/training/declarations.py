"""What a hypermodel declares when it is built with some values."""

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
"""Builds a model with some values; sets first how declarations are interpreted."""


@final
class Declarations:
    """Builds models for what they declare, without allocating their variables where possible.

    Code that trains or reads weights while it builds may fail without variables. What fails is
    built again with them, but no larger than `max_size`; once three errors were genuine the
    others are believed.

    Args:
        build: builds a model.
        declared_before: parameters that `hp` holds before the model is built.
        max_size: most parameters of a model that is built with variables.

    Attributes:
        names: what was declared so far by the models themselves.
    """

    def __init__(self, build: Build, declared_before: Space, max_size: int | None = None) -> None:
        self._build, self._before, self._max_size = build, declared_before, max_size
        self.names: set[str] = set()
        self._symbolic = True
        self._genuine = 0

    def __call__(self, values: Values) -> Sequence[Param]:
        """Returns what is declared with these values; what they lack has its default."""
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
            self._symbolic = False  # So would every other build fail at first.
        return self._declared(hp)

    def project(self, config: Config, space: Space, dependent: frozenset[str]) -> Config:
        """Returns the configuration that is trained where this one is proposed.

        A range or choice that depends on other values may not hold the proposed value: the
        nearest one is trained.

        Args:
            config: a proposal.
            space: what it was proposed for.
            dependent: the parameters that may change.
        """
        hp = HyperParameters.with_values(space, config)
        hp.end_after(dependent & config.keys())
        try:
            with symbolic_build():
                self._build(hp)
        except AllDeclared:
            pass
        except Exception:
            return config  # The trial will fail with the same error.
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
        """Returns what was declared, and what was declared before and only read."""
        names = {param.name for param in hp.declared}
        self.names |= names
        read = [p for p in self._before.params if p.name in hp.read - names]
        return [*read, *hp.declared]
