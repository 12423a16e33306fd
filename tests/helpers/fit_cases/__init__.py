"""Cases of the exactness test: combinations of Keras features, compared with `fit`.

- `case`: what a case is, data and models that most share.
- `compiling`: losses, metrics, weights and optimizers.
- `layers`: layers, models and steps of the user's own.
- `callbacks`: callbacks of Keras's and of the user's own.
- `data`: kinds of data, and the arguments of `fit` that say how they are used.
"""

from tests.helpers.fit_cases import callbacks, compiling, data, layers
from tests.helpers.fit_cases.case import Case

CASES: dict[str, Case] = {
    **compiling.CASES,
    **layers.CASES,
    **callbacks.CASES,
    **data.CASES,
}

_SHORT_ON_JAX = {
    *compiling.CASES,
    "batch normalisation, dropout, noise",
    "a stateful recurrent layer",
    "a step of the user's own",
    "a layer with a seed generator and a counter",
    "no targets",
    "frozen layers",
    "TerminateOnNaN",
    "SwapEMAWeights for validations",
    "a mapping of inputs",
    "a dataset with weights and steps",
    "a generator",
    "validation after some epochs",
}
LONG_ON_JAX = frozenset(CASES) - _SHORT_ON_JAX
"""Cases that `make test-jax` leaves to `make test-jax-all`: each one compiles for seconds there."""

__all__ = ["CASES", "LONG_ON_JAX", "Case"]
