"""Converts array-likes (frames, tensors, sparse matrices, strings) to numpy, by Keras's rules."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import keras
import numpy as np
import scipy.sparse
from keras.src.trainers.data_adapters import array_slicing

from kerashpo.core.errors import InvalidInput

#: A nested structure (dict, list, tuple) of arrays whose first axis counts the samples.
Arrays = Any
#: (x, y, sample_weight), the last two possibly None.
Triple = tuple[Arrays, Arrays, Arrays]

#: Sparse matrices up to this many bytes are made dense, so that epochs can be compiled.
MAX_DENSE_BYTES = 2**30


def as_arrays(value: Any) -> Any:
    """Returns nested data with every array-like leaf as a numpy array, other leaves as they are.

    Floating-point arrays get Keras's floatx, pandas series a last axis of size 1, as in Keras.
    Arrays of Python objects become numbers or strings where all their elements are such.
    """
    return keras.tree.map_structure(_as_array, value)


def are_arrays(arrays: Arrays) -> bool:
    """Whether all leaves are dense numpy arrays of numbers or strings with a sample axis."""
    return all(
        isinstance(leaf, np.ndarray) and leaf.ndim > 0 and _is_number_or_string(leaf)
        for leaf in leaves(arrays)
    )


def are_numbers(arrays: Arrays) -> bool:
    """Whether none of the arrays contains strings: only TensorFlow has string tensors."""
    return not any(_holds_strings(leaf) for leaf in leaves(arrays))


def leaves(arrays: Arrays) -> list[Any]:
    """Returns the arrays of a nested structure, without the missing ones."""
    return [leaf for leaf in keras.tree.flatten(arrays) if leaf is not None]


def length(arrays: Arrays) -> int:
    """Returns the number of samples of nested arrays."""
    return int(leaves(arrays)[0].shape[0])


def can_take(arrays: Arrays) -> bool:
    """Whether `take` can select rows: of arrays, large sparse matrices and ragged tensors."""
    found = leaves(arrays)
    return bool(found) and all(_has_rows(leaf) for leaf in found)


def take(arrays: Arrays, rows: Any) -> Arrays:
    """Returns the given rows (a slice, or indices) of nested arrays; None stays None."""

    def part(leaf: Any) -> Any:
        if leaf is None or isinstance(leaf, np.ndarray):
            return None if leaf is None else leaf[rows]
        return array_slicing.convert_to_sliceable(leaf)[rows]

    return keras.tree.map_structure(part, arrays)


def check_lengths(what: str, triple: Triple) -> None:
    """Raises InvalidInput unless all arrays have the same number of samples, at least one."""
    lengths = {
        name: [int(leaf.shape[0]) for leaf in leaves(part)]
        for name, part in zip(("x", "y", "sample_weight"), triple, strict=True)
    }
    known = {count for counts in lengths.values() for count in counts}
    if known == set() or len(known) > 1 or 0 in known:
        shown = ", ".join(f"{name}: {counts}" for name, counts in lengths.items() if counts)
        raise InvalidInput(
            f"{what} expects arrays with the same number of samples, at least 1. "
            f"Received lengths {shown or 'of nothing'}."
        )


def digest(arrays: Any) -> str:
    """Returns a hash of nested arrays: structure, shapes, types and values."""
    whole = hashlib.sha256()
    for path, leaf in keras.tree.flatten_with_path(arrays):
        whole.update(repr(path).encode())
        if leaf is not None:
            whole.update(f"{leaf.dtype}{leaf.shape}".encode())
            plain = leaf.astype(str) if leaf.dtype.hasobject else leaf
            whole.update(np.ascontiguousarray(plain).reshape(-1).view(np.uint8).data)
    return whole.hexdigest()


def _as_array(leaf: Any) -> Any:
    if scipy.sparse.issparse(leaf):
        rows = leaf.tocsr()  # the only sparse format that Keras can slice
        dense = int(np.prod(rows.shape)) * 4 <= MAX_DENSE_BYTES
        return _in_floatx(rows.toarray() if dense else rows)
    if type(leaf).__name__ in ("SparseTensor", "BCOO"):  # TensorFlow's and JAX's
        small = int(np.prod(leaf.shape)) * 4 <= MAX_DENSE_BYTES
        return _in_floatx(np.asarray(keras.ops.convert_to_numpy(leaf))) if small else leaf
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(leaf, (pandas.Series, pandas.DataFrame)):
        return _in_floatx(_from_pandas(leaf))
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(leaf, polars.DataFrame):  # it has no single dtype
        return _in_floatx(_without_objects(leaf.to_numpy()))
    if hasattr(leaf, "__array__") and hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
        return _in_floatx(_without_objects(np.asarray(leaf)))
    return leaf


def _from_pandas(leaf: Any) -> np.ndarray:
    if leaf.ndim == 1:
        return np.expand_dims(_without_objects(leaf.to_numpy()), -1)
    kinds = {getattr(dtype, "kind", "O") for dtype in leaf.dtypes}
    if len(kinds) > 1 and kinds <= set("biuf"):
        return leaf.to_numpy(dtype=_floatx(), na_value=np.nan)  # type: ignore[no-any-return]
    return _without_objects(leaf.to_numpy())


def _without_objects(array: np.ndarray) -> np.ndarray:
    """Returns Python numbers as floats and strings as Python strings; other objects stay."""
    if array.dtype.kind == "T":
        return array.astype(object)  # numpy's StringDType, which no backend reads
    if array.dtype != object or _holds_strings(array):
        return array
    try:
        return array.astype(_floatx())
    except (TypeError, ValueError):
        return array  # Keras raises its own error for such objects


def _in_floatx(array: Any) -> Any:
    return array.astype(_floatx()) if _is_float(array) and array.dtype != _floatx() else array


def _is_float(array: Any) -> bool:
    plain = array.dtype.kind in "fV" and array.dtype.names is None
    return plain and keras.backend.is_float_dtype(array.dtype)


def _floatx() -> np.dtype:
    """Returns Keras's floatx as a numpy dtype; bfloat16 needs `ml_dtypes`."""
    if keras.config.floatx() == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(keras.config.floatx())


def _has_rows(leaf: Any) -> bool:
    return bool(getattr(leaf, "shape", ())) and array_slicing.can_slice_array(leaf)


def _is_number_or_string(array: np.ndarray) -> bool:
    return array.dtype.kind in "biu" or _is_float(array) or _holds_strings(array)


def _holds_strings(array: np.ndarray) -> bool:
    if array.dtype == object:
        return array.size > 0 and all(isinstance(item, (str, bytes)) for item in array.flat)
    return array.dtype.kind in "SU"
