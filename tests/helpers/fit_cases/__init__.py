"""Cases of the exactness test: combinations of Keras features, compared with `fit`.

- `case`: what a case is, data and models that most share.
- `compiling`: losses, metrics, weights and optimizers.
- `layers`: layers, models and steps of the user's own.
- `callbacks`: callbacks of Keras's and of the user's own.
- `python_values`: numbers in Python that callbacks change.
- `data`: kinds of data, and the arguments of `fit` that say how they are used.
"""

from tests.helpers.fit_cases import callbacks, compiling, data, layers, python_values
from tests.helpers.fit_cases.case import Case

CASES: dict[str, Case] = {
    **compiling.CASES,
    **layers.CASES,
    **callbacks.CASES,
    **python_values.CASES,
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
    "a dict, halved at the start",
    "a dict, halved, by XLA",
    "a dict, other in each validation",
    "an attribute of a layer, halved",
    "SwapEMAWeights for validations",
    "a mapping of inputs",
    "a dataset with weights and steps",
    "a generator",
    "validation after some epochs",
}
LONG_ON_JAX = frozenset(CASES) - _SHORT_ON_JAX
"""Cases that `make test-jax` leaves to `make test-jax-all`: each one compiles for seconds there."""

_QUICK = frozenset(
    {
        # Losses, metrics, weights, penalties, constraints.
        "binary cross-entropy with label smoothing, AUC, class weights",
        "binary cross-entropy from logits, precision and recall at thresholds",
        "sparse cross-entropy from logits, top k, decay without biases",
        "a class as loss, stateful metrics, Ftrl",
        "Poisson, L1, L2 and orthogonal penalties",
        "cosine similarity and constraints",
        "two outputs as a dict, loss weights, weights for each",
        # Optimizers and their schedules.
        "averages that overwrite within epochs",
        "accumulated gradients",
        "clipped by the global norm, cosine decay with a warm-up",
        "scaled losses",
        # Layers, models, steps.
        "batch normalisation, dropout, noise",
        "convolutions, pooling, spatial dropout",
        "augmentation of places",
        "a stateful recurrent layer",
        "attention",
        "a shared layer and its penalty",
        "a step of the user's own",
        "a layer with a seed generator and a counter",
        "no targets",
        "frozen layers",
        "adapted normalisation",
        "sequential without an input",
        "half precision",
        # Callbacks.
        "EarlyStopping that restores the best weights",
        "ReduceLROnPlateau with a cooldown",
        "ModelCheckpoint, CSVLogger, LambdaCallback",
        "SwapEMAWeights for validations",
        "BackupAndRestore",
        "a callback that remembers",
        "a callback that reads the history",
        "callbacks that set weights",
        "a callback that listens to batches",
        "a layer frozen before the first batch",
        "a layer frozen in the middle",
        "compiled again in the middle",
        "several at once",
        # Numbers in Python that callbacks change.
        "a dict, halved at the start",
        "a dict, other in validations, not compiled epochs",
        "a list that grows",
        "an attribute of a layer, halved",
        "the momentum, changed",
        "a dict, halved, eagerly",
        # Data and the arguments of fit.
        "a data frame and a series",
        "a mapping of inputs",
        "a sparse matrix",
        "strings",
        "half floats and whole numbers",
        "a dataset with weights and steps",
        "a PyDataset that shuffles its rows",
        "a generator",
        "steps of arrays that are not compiled",
        "weighted validation in batches of its own",
        "validation after some epochs",
        "steps that continue in the next epoch",
        "several steps an execution",
        "targets and weights of two axes",
    }
)
assert frozenset(CASES) >= _QUICK, _QUICK - frozenset(CASES)
SLOW = frozenset(CASES) - _QUICK
"""Cases that `make test` leaves to `make test-slow`: a quick one is of the same kind."""

__all__ = ["CASES", "LONG_ON_JAX", "SLOW", "Case"]
