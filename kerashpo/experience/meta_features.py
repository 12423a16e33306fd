"""Meta-features: numbers that describe a data set, for comparing it with others."""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis, skew
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from kerashpo.core.errors import InvalidInput
from kerashpo.experience.distance import Features

Table: TypeAlias = "NDArray[np.float64]"

ROWS, COLUMNS, FOLDS = 1000, 100, 3
"""Statistics and landmarkers look at this many rows and columns at most, drawn by a fixed seed."""
_MANY_CLASSES = 100


def data_features(X: Any, y: Any) -> Features:
    """Returns the meta-features of a supervised data set, all of them finite.

    Statistics are those of at most 1,000 rows. Sizes (natural logarithms of rows, columns and rows
    per column), the shares of numeric columns and of missing values, classes (0 for regression),
    the normalised entropy of the classes and the majority's share, mean absolute skewness and mean
    excess kurtosis (their signed logarithms), mean absolute correlation of columns, the share of
    principal components that hold 95 % of the variance, and landmarkers: the cross-validated score
    (accuracy, R2 cut at -1) of nearest neighbour, linear model, stump and tree, less that of a
    constant prediction (Pfahringer, Bensusan and Giraud-Carrier, ICML 2000).

    Args:
        X: (n, ...): an array or data frame; further axes are flattened.
        y: (n,) or (n, 1) labels or numbers; (n, k) one-hot rows are read as labels.

    Raises:
        InvalidInput: for fewer than four rows, or rows that do not correspond.
    """
    n = len(X)
    if n != len(y) or n < 4:
        raise InvalidInput(
            f"Data features need at least four rows of X and as many of y. Received: {n} and "
            f"{len(y)}."
        )
    target, classes = _as_target(y)
    rows = np.sort(np.random.default_rng(0).permutation(n)[:ROWS])
    table, numeric, missing = _as_table(X, rows)
    d = table.shape[1]
    counts = np.unique(target, return_counts=True)[1] / n if classes else np.ones(1)
    entropy = float(-(counts * np.log(counts)).sum())
    columns = np.sort(np.random.default_rng(1).permutation(d)[:COLUMNS])
    some, labels = StandardScaler().fit_transform(table[:, columns]), target[rows]
    return {
        "log_rows": float(np.log(n)),
        "log_columns": float(np.log(d)),
        "log_rows_per_column": float(np.log(n / d)),
        "numeric_share": numeric,
        "missing_share": missing,
        "classes": float(classes),
        "class_entropy": float(entropy / np.log(classes)) if classes > 1 else 0.0,
        "majority_share": float(counts.max()) if classes else 0.0,
        **_shape(some),
        **_landmarkers(some, labels, classes > 0),
    }


def _as_table(X: Any, rows: NDArray[np.int64]) -> tuple[Table, float, float]:
    """Returns some rows as numbers (n, d) without gaps, and shares: of numeric columns, of gaps."""
    if hasattr(X, "select_dtypes"):
        import pandas as pd

        X = X.iloc[rows]
        numbers = set(X.select_dtypes("number").columns)
        coded = [X[c] if c in numbers else pd.factorize(X[c])[0] for c in X.columns]
        missing = float(X.isna().to_numpy().mean())
        values = np.column_stack([np.asarray(c, dtype=float) for c in coded])
        return _filled(values), len(numbers) / max(1, X.shape[1]), missing
    values = np.asarray(X)[rows]
    try:
        values = values.reshape(len(values), -1).astype(float)
    except (TypeError, ValueError):
        raise InvalidInput(
            "Data features need numbers, or a data frame whose columns have types. Received: an "
            f"array of {values.dtype}."
        ) from None
    return _filled(values), 1.0, float(np.isnan(values).mean())


def _filled(values: Table) -> Table:
    """Returns values with each gap replaced by the median of its column."""
    values = np.where(np.isfinite(values), values, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value
        middle = np.nan_to_num(np.nanmedian(values, axis=0))
    return np.where(np.isnan(values), middle, values)


def _as_target(y: Any) -> tuple[NDArray[Any], int]:
    """Returns labels or numbers (n,), and the number of classes: 0 for regression."""
    target = np.asarray(y)
    if target.ndim == 2 and target.shape[1] > 1:
        one_hot = bool(np.isin(target, (0, 1)).all() and (target.sum(axis=1) == 1).all())
        target = target.argmax(axis=1) if one_hot else target.mean(axis=1)
    target = target.reshape(len(target), -1)[:, 0]
    known, coded = np.unique(target, return_inverse=True)
    real = np.issubdtype(target.dtype, np.floating) and not (target == np.round(target)).all()
    if not real and (target.dtype.kind not in "if" or len(known) <= _MANY_CLASSES):
        return coded, len(known)
    return target.astype(float), 0


def _shape(table: Table) -> Features:
    """Returns features of the columns' distributions; the columns are standardised."""
    varying = table[:, table.std(axis=0) > 0]
    if not varying.shape[1]:
        return {"skewness": 0.0, "kurtosis": 0.0, "correlation": 0.0, "components": 0.0}
    tails = float(np.mean(kurtosis(varying, axis=0)))
    matrix = np.corrcoef(varying, rowvar=False).reshape(varying.shape[1], -1)
    pairs = np.abs(matrix[np.triu_indices(len(matrix), 1)])
    spread = np.linalg.svd(varying, compute_uv=False) ** 2
    needed = int(np.searchsorted(np.cumsum(spread) / spread.sum(), 0.95)) + 1
    return {
        "skewness": float(np.log1p(np.abs(skew(varying, axis=0)).mean())),
        "kurtosis": float(np.sign(tails) * np.log1p(abs(tails))),
        "correlation": float(pairs.mean()) if len(pairs) else 0.0,
        "components": min(needed, len(spread)) / len(spread),
    }


def _landmarkers(table: Table, target: NDArray[Any], classify: bool) -> Features:
    """Returns what simple models are better than a constant, cross-validated."""
    if classify:
        models: dict[str, Any] = {
            "nearest": KNeighborsClassifier(1),
            "linear": LogisticRegression(max_iter=200),
            "stump": DecisionTreeClassifier(max_depth=1, random_state=0),
            "tree": DecisionTreeClassifier(max_depth=8, random_state=0),
        }
        constant: Any = DummyClassifier()
    else:
        models = {
            "nearest": KNeighborsRegressor(1),
            "linear": Ridge(),
            "stump": DecisionTreeRegressor(max_depth=1, random_state=0),
            "tree": DecisionTreeRegressor(max_depth=8, random_state=0),
        }
        constant = DummyRegressor()
    if classify and len(np.unique(target)) == 1:
        return dict.fromkeys((f"landmark_{name}" for name in models), 0.0)
    level = _score(constant, table, target, classify)
    return {
        f"landmark_{name}": _score(model, table, target, classify) - level
        for name, model in models.items()
    }


def _score(model: Any, table: Table, target: NDArray[Any], classify: bool) -> float:
    fewest = int(np.unique(target, return_counts=True)[1].min()) if classify else 0
    # Classes of one or two rows cannot be in every fold.
    kind = StratifiedKFold if fewest >= FOLDS else KFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no convergence, a fold with one class
        folds = kind(FOLDS, shuffle=True, random_state=0)
        scores = cross_val_score(model, table, target, cv=folds, error_score=0.0)
    return float(np.clip(np.nan_to_num(scores), -1.0, 1.0).mean())
