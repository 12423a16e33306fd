"""Preprocessing of tables: imputation, one-hot encoding and scaling, by the type of a column."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from kerashpo.core.records import Scalar

SCALERS = ("standard", "robust", "quantile", "power")
"""How columns of numbers may be scaled."""
_RARE = 0.01
_QUANTILES = 100


def preprocessor(scaler: Scalar | None, seed: int) -> ColumnTransformer:
    """Returns the transformer in front of an estimator; its output is dense.

    Numbers: missing values become the median, with an indicator column where there are any, then
    they are scaled. Other columns (text, categories, booleans): a column for each category,
    missing values among them; those of less than 1 % of the rows share one, and so do
    categories that appear only after `fit`.

    Args:
        scaler: one of `SCALERS`; None leaves numbers as they are.
        seed: of the scalers that draw.
    """
    numbers: list[Any] = [SimpleImputer(strategy="median", add_indicator=True)]
    if scaler is not None:
        numbers.append(_scaler(str(scaler), seed))
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=_RARE, sparse_output=False
    )
    parts = [("numbers", make_pipeline(*numbers), numeric), ("categories", categories, other)]
    return ColumnTransformer(parts, sparse_threshold=0.0)


def numeric(table: Any) -> list[Any]:
    """Returns the columns of numbers of an array (n, d) or a data frame."""
    if hasattr(table, "select_dtypes"):
        return list(table.select_dtypes("number").columns)
    return [j for j in range(table.shape[1]) if _holds_numbers(table, j)]


def other(table: Any) -> list[Any]:
    """Returns the columns that do not hold numbers."""
    every = table.columns if hasattr(table, "columns") else range(table.shape[1])
    numbers = set(numeric(table))
    return [column for column in every if column not in numbers]


def _holds_numbers(table: Any, column: int) -> bool:
    if table.dtype != object:
        return bool(np.issubdtype(table.dtype, np.number))
    try:
        np.asarray(table[:, column], dtype=float)
    except (TypeError, ValueError):
        return False
    return True


def _scaler(name: str, seed: int) -> BaseEstimator:
    match name:
        case "robust":
            return RobustScaler()
        case "quantile":
            # Fewer quantiles than rows, whatever the folds: more is a warning.
            return _Quantiles(output_distribution="normal", random_state=seed)
        case "power":
            return PowerTransformer()
    return StandardScaler()


class _Quantiles(QuantileTransformer):  # type: ignore[misc]
    """A quantile transform with at most as many quantiles as there are rows."""

    def fit(self, X: Any, y: Any = None) -> Any:
        self.n_quantiles = min(_QUANTILES, X.shape[0])
        return super().fit(X, y)
