"""What `search` was given to train on, normalised once a study."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput, nearest

#: A nested structure (dict, list, tuple) of arrays whose first axis counts the samples.
Arrays = Any
#: (x, y, sample_weight), the last two possibly None.
Triple = tuple[Arrays, Arrays, Arrays]

#: The arguments of `fit` that belong to whoever decides how long to train, and who listens.
NOT_DATA = ("epochs", "initial_epoch", "callbacks")


def fit_arguments(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Names the positional arguments of a call to `keras.Model.fit`.

    Raises:
        InvalidInput: for an argument that `fit` does not have, or given twice.
    """
    names = [name for name in inspect.signature(keras.Model.fit).parameters if name != "self"]
    if len(args) > len(names):
        raise InvalidInput(
            f"Expected at most {len(names)} positional arguments, those of model.fit: "
            f"{', '.join(names)}. Received: {len(args)}."
        )
    named = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            raise InvalidInput(
                f"Unknown argument {name!r}.{nearest(name, names)} "
                f"Expected arguments of model.fit: {', '.join(names)}."
            )
        if name in named:
            raise InvalidInput(f"Argument {name!r} was given twice: by position and by name.")
        named[name] = value
    return named


@dataclass(frozen=True, slots=True, eq=False)
class FitData:
    """The data and the loop's settings, as `keras.Model.fit` understands them.

    Attributes:
        x: arrays (nested as the model's inputs), or an opaque pipeline: a `tf.data.Dataset`, a
            `keras.utils.PyDataset`, a generator, sparse or ragged tensors.
        y: targets, nested as the model's outputs; None for pipelines and models that need none.
        sample_weight: weights, one array or one an output; None for equal weights.
        validation: (x, y, sample_weight) as arrays, an opaque pipeline, or None.
        batch_size: samples a batch; None means Keras's default, 32, for arrays.
        validation_batch_size: the same for validation; None means `batch_size`.
        shuffle: whether batches are drawn in a fresh order each epoch; ``"batch"`` as in Keras.
        class_weight: class number -> weight, or None.
        validation_freq: validate every so many epochs, or the epochs (from 1) to validate after.
        steps_per_epoch: batches an epoch, for pipelines without an end.
        validation_steps: the same for validation.
        extra: further arguments of `fit`, e.g. ``verbose``.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    validation: Any = None
    batch_size: int | None = None
    validation_batch_size: int | None = None
    shuffle: bool | str = True
    class_weight: Mapping[int, float] | None = None
    validation_freq: Any = 1
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_fit(cls, *args: Any, **kwargs: Any) -> FitData:
        """Takes the arguments of `fit`, by position or by name, except `NOT_DATA`.

        `validation_split` takes the last fraction of the samples before any shuffling, as Keras
        does. Floating-point arrays are cast to `keras.config.floatx()`, as Keras does.

        Raises:
            InvalidInput: if arguments are unknown, contradict one another, or differ in length.
        """
        given = fit_arguments(*args, **kwargs)
        _refuse_schedule(given)
        split = given.pop("validation_split", 0.0) or 0.0
        x, y, weight = (_as_arrays(given.pop(name, None)) for name in ("x", "y", "sample_weight"))
        validation = _validation(given.pop("validation_data", None))
        arrays = _are_arrays((x, y, weight))
        _check(x, y, weight, arrays)
        if split and validation is None:
            (x, y, weight), validation = _split((x, y, weight), split, arrays)
        fields = {name: given.pop(name) for name in cls.__slots__ if name in given}
        given.setdefault("verbose", 0)
        return cls(x=x, y=y, sample_weight=weight, validation=validation, extra=given, **fields)

    @property
    def trains_on_arrays(self) -> bool:
        """Whether the training data are dense arrays, whatever the validation data are."""
        return _are_arrays((self.x, self.y, self.sample_weight))

    @property
    def is_arrays(self) -> bool:
        """Whether the training data, and the validation data if any, are dense arrays."""
        validation_ok = self.validation is None or isinstance(self.validation, tuple)
        return self.trains_on_arrays and validation_ok and _are_arrays(self.validation)

    @property
    def samples(self) -> int:
        """The number of training samples; arrays only."""
        return length(self.x)

    @property
    def batch(self) -> int:
        """Samples a training batch, with Keras's default."""
        return self.batch_size or 32

    @property
    def validation_batch(self) -> int:
        """Samples a validation batch, with Keras's default."""
        return self.validation_batch_size or self.batch

    @property
    def steps(self) -> int:
        """Training batches an epoch, the last one possibly partial; arrays only."""
        return -(-self.samples // self.batch)

    def weighted(self) -> Triple:
        """Returns (x, y, sample_weight) with `class_weight` turned into sample weights.

        One array of sample weights serves every output, as in Keras.
        """
        weight = self.sample_weight
        if self.class_weight is not None:
            weight = class_weights(self.y, self.class_weight)
        elif weight is not None and _nested(self.y) and not _nested(weight):
            weight = keras.tree.map_structure(lambda _: self.sample_weight, self.y)
        return self.x, self.y, weight

    def validates(self, epoch: int) -> bool:
        """Whether validation follows this epoch (counted from 1)."""
        if self.validation is None:
            return False
        if isinstance(self.validation_freq, int):
            return epoch % self.validation_freq == 0
        return epoch in self.validation_freq

    def sizes(self) -> dict[str, int]:
        """Returns how many samples there are, for a study's provenance; empty for pipelines."""
        if not self.is_arrays:
            return {}
        found = {"training_samples": self.samples}
        if self.validation is not None:
            found["validation_samples"] = length(self.validation[0])
        return found

    def fingerprint(self) -> str | None:
        """Returns a hash of all arrays (structure, shapes, types, bytes); None for pipelines."""
        if not self.is_arrays:
            return None
        return _digest((self.weighted(), self.validation))


def fingerprint_of(arguments: Any) -> str | None:
    """Returns a hash of the arrays among any arguments, None where there are none."""
    found = {
        repr(path): array
        for path, leaf in keras.tree.flatten_with_path(arguments)
        if isinstance(array := _as_array(leaf), np.ndarray) and _are_arrays(array)
    }
    return _digest(found) if found else None


def _digest(arrays: Any) -> str:
    digest = hashlib.sha256()
    for path, leaf in keras.tree.flatten_with_path(arrays):
        digest.update(repr(path).encode())
        if leaf is not None:
            digest.update(f"{leaf.dtype}{leaf.shape}".encode())
            digest.update(np.ascontiguousarray(leaf).data)
    return digest.hexdigest()


def length(arrays: Arrays) -> int:
    """Returns the number of samples of nested arrays."""
    return int(_leaves(arrays)[0].shape[0])


def class_weights(y: np.ndarray, weights: Mapping[int, float]) -> np.ndarray:
    """Returns one weight a sample, 1 for classes that `weights` does not name.

    Classes are the arg max of one-hot rows, else the rounded label, as in Keras.

    Args:
        y: shape (n,), (n, 1) or (n, classes).
        weights: class number -> weight.
    """
    if _nested(y):
        raise InvalidInput("class_weight expects a model with a single output. Use sample_weight.")
    if y.ndim > 1 and y.shape[-1] != 1:
        labels = np.argmax(y, axis=-1)
    else:
        labels = np.round(y.reshape(y.shape[0], -1)[:, 0]).astype("int64")
    out = np.ones(labels.shape, dtype=keras.config.floatx())
    for label, weight in weights.items():
        out[labels == int(label)] = weight
    return out


def _refuse_schedule(given: Mapping[str, Any]) -> None:
    for name in NOT_DATA:
        if name in given:
            raise InvalidInput(
                f"{name!r} does not describe data: pass it to search, which decides how long each "
                f"trial trains. Received: {name}={given[name]!r}."
            )


def _nested(value: object) -> bool:
    return isinstance(value, (dict, list, tuple))


def _leaves(arrays: Arrays) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(arrays) if leaf is not None]


def _as_arrays(value: Any) -> Any:
    """Turns every dense array-like leaf into a numpy array; leaves anything else as it came."""
    return keras.tree.map_structure(_as_array, value)


def _as_array(leaf: Any) -> Any:
    dense = hasattr(leaf, "__array__") and hasattr(leaf, "shape") and hasattr(leaf, "dtype")
    frame = type(leaf).__module__.partition(".")[0] == "pandas" and hasattr(leaf, "to_numpy")
    if not (dense or frame):
        return leaf
    array = leaf.to_numpy() if frame else np.asarray(leaf)
    if np.issubdtype(array.dtype, np.floating) and array.dtype != keras.config.floatx():
        array = array.astype(keras.config.floatx())
    return array


def _are_arrays(arrays: Arrays) -> bool:
    return all(
        isinstance(leaf, np.ndarray) and leaf.ndim > 0 and leaf.dtype.kind in "biufV"
        for leaf in _leaves(arrays)
    )


def _validation(given: Any) -> Any:
    if given is None or not isinstance(given, (tuple, list)):
        return _as_arrays(given)
    if not 1 <= len(given) <= 3:
        raise InvalidInput(
            "validation_data expects (x, y) or (x, y, sample_weight), or a dataset. "
            f"Received: {len(given)} elements."
        )
    triple = tuple(_as_arrays(part) for part in (*given, None, None)[:3])
    if _are_arrays(triple):
        _check_lengths("validation_data", triple)
    return triple


def _check(x: Any, y: Any, weight: Any, arrays: bool) -> None:
    if x is None:
        raise InvalidInput("Expected training data: search(x, y, ...). Received: x=None.")
    if arrays:
        _check_lengths("x, y and sample_weight", (x, y, weight))
    elif y is not None and not _leaves(x):
        raise InvalidInput("Expected at least one array in x. Received an empty structure.")


def _check_lengths(what: str, triple: Triple) -> None:
    lengths = {
        name: [len(leaf) for leaf in _leaves(part)]
        for name, part in zip(("x", "y", "sample_weight"), triple, strict=True)
    }
    known = {count for counts in lengths.values() for count in counts}
    if known == set() or len(known) > 1 or 0 in known:
        shown = ", ".join(f"{name}: {counts}" for name, counts in lengths.items() if counts)
        raise InvalidInput(
            f"{what} expects arrays with one and the same number of samples, at least 1. "
            f"Received lengths {shown or 'of nothing'}."
        )


def _split(triple: Triple, fraction: float, arrays: bool) -> tuple[Triple, Triple]:
    """Cuts off the last samples, as `keras` does: the training part has floor(n (1 - f))."""
    if not arrays:
        raise InvalidInput(
            "validation_split expects arrays. For a dataset or generator pass validation_data. "
            f"Received: x of type {type(triple[0]).__name__}."
        )
    count = length(triple[0])
    cut = int(count * (1.0 - fraction)) if 0 < fraction < 1 else 0
    if not 0 < cut < count:
        raise InvalidInput(
            f"validation_split expects a fraction that leaves samples on both sides of {count}. "
            f"Received: {fraction!r}."
        )

    def part(window: slice) -> Triple:
        return keras.tree.map_structure(  # type: ignore[no-any-return]
            lambda leaf: None if leaf is None else leaf[window], triple
        )

    return part(slice(None, cut)), part(slice(cut, None))
