"""Cases of the exactness test: combinations of Keras's features, each trained as `fit` trains it.

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

__all__ = ["CASES", "Case"]
