"""`Experience`: the studies below a folder, and what worked on similar data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kerashpo.core.errors import InvalidInput, KerashpoError, StudyNotFound
from kerashpo.core.history import History
from kerashpo.experience.distance import distances
from kerashpo.experience.meta_features import data_features
from kerashpo.experience.notes import noted
from kerashpo.study.study import open_study, studies_below

if TYPE_CHECKING:
    import pandas as pd


@final
class Experience:
    """The studies in and below a folder: what worked on data like these?

    A study counts once the features of its data are noted beside its log: a tuner with
    ``context="auto"`` does so, and `note` with `data_features` for any other study. Studies that
    cannot be read are skipped with a warning that names them.

    Args:
        folder: the folder.

    Raises:
        StudyNotFound: if the folder does not exist.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise StudyNotFound(f"There is no folder {str(folder)!r}.")

    def studies(self) -> pd.DataFrame:
        """Returns a row for each study: objective, trials, the best score, and data features."""
        import pandas as pd

        rows = []
        for path, history, features in self._read():
            best = history.best
            objective = history.objective
            rows.append(
                {
                    "study": str(path),
                    "objective": objective.name,
                    "direction": objective.direction,
                    "trials": len(history.trials),
                    "score": None if best is None else best.score,
                    **(features or {}),
                }
            )
        return pd.DataFrame(rows)

    def like(
        self, X: Any = None, y: Any = None, *, features: Mapping[str, float] | None = None
    ) -> pd.DataFrame:
        """Returns the best configuration of each study, that of the most similar data first.

        Columns: study, distance, objective, direction, score, config. Studies without data
        features or without a score are left out.

        Args:
            X: samples by features, see `data_features`.
            y: targets.
            features: instead of the data their features.
        """
        import pandas as pd

        here = self._features(X, y, features)
        found = [(p, h, f) for p, h, f in self._read() if f is not None and h.best is not None]
        apart = distances(here, [f for _, _, f in found if f is not None])
        rows = []
        for distance, (path, history, _) in sorted(zip(apart, found), key=lambda pair: pair[0]):
            best = history.best
            assert best is not None
            rows.append(
                {
                    "study": str(path),
                    "distance": float(distance),
                    "objective": history.objective.name,
                    "direction": history.objective.direction,
                    "score": best.score,
                    "config": dict(best.config),
                }
            )
        return pd.DataFrame(rows)

    def nearest(
        self,
        X: Any = None,
        y: Any = None,
        *,
        features: Mapping[str, float] | None = None,
        count: int = 3,
    ) -> list[str]:
        """Returns the folders of the studies of the most similar data, for ``warm_start=``."""
        found = self.like(X, y, features=features)
        return [] if found.empty else found["study"].tolist()[:count]

    def _features(
        self, X: Any, y: Any, features: Mapping[str, float] | None
    ) -> Mapping[str, float]:
        if (features is None) == (X is None):
            raise InvalidInput("Pass either the data (X, y) or features=.")
        return data_features(X, y) if features is None else features

    def _read(self) -> list[tuple[Path, History, dict[str, float] | None]]:
        found = []
        for path in studies_below(self.folder):
            try:
                found.append((path, open_study(path).results.history, noted(path)))
            except KerashpoError as error:
                warnings.warn(f"{str(path)!r} is skipped: {error}", stacklevel=4)
        return found

    def __repr__(self) -> str:
        return f"<Experience {str(self.folder)!r}: {len(studies_below(self.folder))} studies>"
