"""The file that keeps the features of a study's data beside its log."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput, StudyNotFound
from kerashpo.store.open import folder_of, has_log

NAME = "data_features.json"


def note(study: str | Path, features: Mapping[str, float]) -> None:
    """Writes the features of a study's data into its folder, see `data_features`.

    Raises:
        StudyNotFound: if the folder contains no study.
        InvalidInput: for features that are no finite numbers.
    """
    folder = folder_of(study)
    if not has_log(folder):
        raise StudyNotFound(f"There is no study in {str(folder)!r}, so its data are not noted.")
    body = json.dumps(check_features(features), indent=1)
    unfinished = folder / f"{NAME}.{os.getpid()}"
    unfinished.write_text(body + "\n", encoding="utf-8")
    unfinished.replace(folder / NAME)


def check_features(features: Mapping[str, Any]) -> dict[str, float]:
    """Returns features as floats.

    Raises:
        InvalidInput: for one that is no finite number.
    """
    for name, value in features.items():
        # numpy's integers are no `int`, its float32 is no `float`.
        if not isinstance(value, Real) or not _finite(float(value)):
            raise InvalidInput(
                f"Features must be finite numbers. Received: {{{str(name)!r}: {value!r}}}."
            )
    return {str(name): float(value) for name, value in features.items()}


def noted(study: str | Path) -> dict[str, float] | None:
    """Returns the features that were noted for a study's data; None if there are none.

    Raises:
        InvalidInput: for a file that cannot be read.
    """
    path = folder_of(study) / NAME
    if not path.exists():
        return None
    try:
        found = {str(k): float(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{str(path)!r} cannot be read as data features: {error!r}.") from error
    if not all(map(_finite, found.values())):
        raise InvalidInput(f"{str(path)!r} holds a feature that is no finite number.")
    return found


def _finite(value: float) -> bool:
    return math.isfinite(value)
