"""The keyword arguments that all oracles share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypedDict

from kerashpo.oracles.base import FixedOracle

P = ParamSpec("P")


class OracleOptions(TypedDict, total=False):
    """Keyword arguments of every oracle, in KerasTuner's order; see `FixedOracle`."""

    seed: int | None
    hyperparameters: Any
    allow_new_entries: bool
    tune_new_entries: bool
    max_retries_per_trial: int
    max_consecutive_failed_trials: int | None


def with_shared_options(init: Callable[P, None]) -> Callable[P, None]:
    """Decorator that adds the shared arguments to the signature of a ``**shared`` constructor.

    They can then be passed by position after the oracle's own arguments, as in KerasTuner;
    help, notebooks and editors show them with their defaults.
    """
    defaults = inspect.signature(FixedOracle).parameters
    shared = [defaults[name] for name in OracleOptions.__annotations__]
    own = [p for p in inspect.signature(init).parameters.values() if p.name != "shared"]
    first = [p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
    signature = inspect.Signature([*first, *shared, *(p for p in own if p not in first)])

    @functools.wraps(init)
    def construct(*args: P.args, **kwargs: P.kwargs) -> None:
        given = signature.bind(*args, **kwargs).arguments
        init(**given)  # type: ignore[call-arg]

    construct.__signature__ = signature  # type: ignore[attr-defined]
    return construct
