"""The training data and settings of `search`, as `keras.Model.fit` understands them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.training.arrays import (
    Triple,
    are_arrays,
    as_arrays,
    can_take,
    check_lengths,
    digest,
    leaves,
    length,
    take,
)
from kerashpo.training.recorded_batches import recorded, recorded_validation

#: The arguments of `fit` that are not data: how long to train, callbacks, output.
NOT_DATA = ("epochs", "initial_epoch", "callbacks")
#: Attribute of a trial's own `PyDataset`: its number of batches before the first epoch.
FIRST_BATCHES = "_kerashpo_batches"


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
    """The data and settings of one call of `keras.Model.fit`.

    Attributes:
        x: arrays (nested as the model's inputs), or a pipeline: a `tf.data.Dataset`, a
            `keras.utils.PyDataset`, a generator, large sparse matrices or ragged tensors.
        y: targets, nested as the model's outputs; None for pipelines and models that need none.
        sample_weight: weights, one array or one an output; None for equal weights.
        validation: (x, y, sample_weight) as arrays, a pipeline, or None.
        batch_size: samples a batch; None means Keras's default for arrays.
        validation_batch_size: the same for validation; None means `batch_size`.
        shuffle: whether samples are shuffled in each epoch; ``"batch"`` as in Keras.
        class_weight: class number -> weight, or None.
        validation_freq: validate every n epochs, or the epochs (from 1) to validate after.
        steps_per_epoch: batches per epoch; the next epoch continues where this one ended.
        validation_steps: batches of a validation, from the first one.
        extra: further arguments of `fit`, e.g. ``verbose``.
        rows: in cross-validation, the training rows of the arrays; None for all.
        validation_rows: the same for the arrays of `validation`.
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
    rows: np.ndarray | None = None
    validation_rows: np.ndarray | None = None

    @classmethod
    def from_fit(cls, *args: Any, **kwargs: Any) -> FitData:
        """Makes data from the arguments of `fit`, by position or by name, except `NOT_DATA`.

        `validation_split` takes the last fraction of the samples before any shuffling, as Keras
        does. Array-likes become numpy arrays, see `kerashpo.training.arrays`.

        Raises:
            InvalidInput: if arguments are unknown, contradict one another, or differ in length.
        """
        given = fit_arguments(*args, **kwargs)
        _refuse_schedule(given)
        split = given.pop("validation_split", 0.0) or 0.0
        x, y, weight = (as_arrays(given.pop(name, None)) for name in ("x", "y", "sample_weight"))
        validation = _validation(given.pop("validation_data", None))
        _check(x, y, weight, are_arrays((x, y, weight)))
        if split and validation is None:
            (x, y, weight), validation = _split((x, y, weight), split)
        x = recorded(x, given.get("steps_per_epoch"))
        validation = recorded_validation(validation, given.get("validation_steps"))
        fields = {name: given.pop(name) for name in _GIVEN if name in given}
        given.setdefault("verbose", 0)
        data = cls(x=x, y=y, sample_weight=weight, validation=validation, extra=given, **fields)
        check_weights(data)
        return data

    @property
    def trains_on_arrays(self) -> bool:
        """Whether the training data are dense arrays, regardless of the validation data."""
        return are_arrays((self.x, self.y, self.sample_weight))

    @property
    def validates_on_arrays(self) -> bool:
        """Whether there are validation data, and they are dense arrays."""
        return isinstance(self.validation, tuple) and are_arrays(self.validation)

    @property
    def is_arrays(self) -> bool:
        """Whether the training data, and the validation data if any, are dense arrays."""
        return self.trains_on_arrays and (self.validation is None or self.validates_on_arrays)

    @property
    def has_rows(self) -> bool:
        """Whether samples can be selected by index: arrays, large sparse and ragged ones too."""
        return can_take((self.x, self.y, self.sample_weight))

    @property
    def samples(self) -> int:
        """The number of training samples; arrays only."""
        return length(self.x) if self.rows is None else len(self.rows)

    @property
    def batch(self) -> int:
        """Samples per training batch, with Keras's default; only used for arrays."""
        return self.batch_size or (
            -(-self.samples // self.steps_per_epoch) if self.steps_per_epoch else 32
        )

    @property
    def validation_batch(self) -> int:
        """Samples a validation batch, with Keras's default."""
        given = self.validation_batch_size or self.batch_size
        if given or not self.validation_steps:
            return given or 32
        return -(-length(self.validation[0]) // self.validation_steps)

    @property
    def batches(self) -> int | None:
        """Batches of one pass over the training data; None if infinite or unknown."""
        if isinstance(self.x, keras.utils.PyDataset):
            now, first = self.x.num_batches, vars(self.x).get(FIRST_BATCHES)
            return now if now is None or first is None else min(now, first)
        return -(-self.samples // self.batch) if self.has_rows else None

    @property
    def steps(self) -> int:
        """Training batches of the first epoch; arrays only."""
        _, batches = self.batches_of(1)
        return len(batches)

    def batches_of(self, epoch: int, per_execution: int = 1) -> tuple[int, range]:
        """Returns the pass over the data that an epoch belongs to, and its batches within the pass.

        With `steps_per_epoch`, epochs share a pass until its batches are used up, as in Keras.
        Arrays and `PyDataset`s only.

        Args:
            epoch: counted from 1.
            per_execution: the model's `steps_per_execution`; Keras trains multiples of it.

        Returns:
            the pass, counted from 1, and a range of batches, counted from 0.
        """
        whole = self.batches
        if not self.steps_per_epoch:
            return epoch, range(whole or 0)
        steps = -(-self.steps_per_epoch // per_execution) * per_execution
        if whole is None:
            return 1, range((epoch - 1) * steps, epoch * steps)
        passes, place = divmod(epoch - 1, -(-whole // steps))
        return passes + 1, range(place * steps, min((place + 1) * steps, whole))

    def validation_order(self, per_execution: int = 1) -> np.ndarray | None:
        """Returns the rows of the validation arrays to evaluate on, int32; None for all."""
        rows = self.validation_rows
        if not self.validation_steps:
            return rows
        steps = -(-self.validation_steps // per_execution) * per_execution
        whole = np.arange(length(self.validation[0]), dtype=np.int32) if rows is None else rows
        return whole[: steps * self.validation_batch]

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

    def first_batch(self) -> Triple:
        """Returns the first batch without shuffling; arrays only."""
        rows = slice(0, self.batch) if self.rows is None else self.rows[: self.batch]
        x, y, weight = take(self.weighted(), rows)
        return x, y, weight

    def validates(self, epoch: int) -> bool:
        """Whether validation follows this epoch (counted from 1)."""
        if self.validation is None:
            return False
        if isinstance(self.validation_freq, int):
            return epoch % self.validation_freq == 0
        return epoch in self.validation_freq

    def sizes(self) -> dict[str, int]:
        """Returns the numbers of samples, for a study's provenance; empty for pipelines."""
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
        return digest((self.weighted(), self.validation))


#: The arguments of `fit` that become attributes of the same name.
_GIVEN = (
    "batch_size",
    "validation_batch_size",
    "shuffle",
    "class_weight",
    "validation_freq",
    "steps_per_epoch",
    "validation_steps",
)


def fingerprint_of(arguments: Any) -> str | None:
    """Returns a hash of the arrays among any arguments, None if there are none."""
    found = {
        repr(path): array
        for path, leaf in keras.tree.flatten_with_path(arguments)
        if isinstance(array := as_arrays(leaf), np.ndarray) and are_arrays(array)
    }
    return digest(found) if found else None


def check_weights(data: FitData) -> None:
    """Raises InvalidInput for both sample weights and class weights, as Keras does."""
    if data.class_weight is not None and data.sample_weight is not None:
        raise InvalidInput(
            "sample_weight and class_weight cannot be given together, as in Keras: multiply the "
            "sample weights by the class weights and pass them as sample_weight alone."
        )


def class_weights(y: np.ndarray, weights: Mapping[int, float]) -> np.ndarray:
    """Returns one weight per sample, 1 for classes without an entry in `weights`.

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


def _validation(given: Any) -> Any:
    if given is None or not isinstance(given, (tuple, list)):
        return as_arrays(given)
    if not 1 <= len(given) <= 3:
        raise InvalidInput(
            "validation_data expects (x, y) or (x, y, sample_weight), or a dataset. "
            f"Received: {len(given)} elements."
        )
    triple = tuple(as_arrays(part) for part in (*given, None, None)[:3])
    if are_arrays(triple):
        check_lengths("validation_data", triple)
    return triple


def _check(x: Any, y: Any, weight: Any, arrays: bool) -> None:
    if x is None:
        raise InvalidInput("Expected training data: search(x, y, ...). Received: x=None.")
    if arrays:
        check_lengths("x, y and sample_weight", (x, y, weight))
    elif y is not None and not leaves(x):
        raise InvalidInput("Expected at least one array in x. Received an empty structure.")


def _split(triple: Triple, fraction: float) -> tuple[Triple, Triple]:
    """Splits off the last samples for validation, as Keras does: floor(n (1 - f)) stay training."""
    if not can_take(triple):
        raise InvalidInput(
            "validation_split expects arrays. For a dataset or generator pass validation_data, of "
            f"a lazy frame its collect(). Received: x of type {type(triple[0]).__name__}."
        )
    count = length(triple[0])
    cut = int(count * (1.0 - fraction)) if 0 < fraction < 1 else 0
    if not 0 < cut < count:
        raise InvalidInput(
            f"validation_split expects a fraction that leaves samples on both sides of {count}. "
            f"Received: {fraction!r}."
        )
    training, validation = take(triple, slice(0, cut)), take(triple, slice(cut, count))
    return tuple(training), tuple(validation)  # type: ignore[return-value]
