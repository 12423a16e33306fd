"""`ResultTables`: the tables of a search's results, as pandas DataFrames."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerashpo.analysis.cv_results import cv_results
from kerashpo.analysis.json_tables import study_json
from kerashpo.analysis.lineage import (
    LINEAGE_COLUMNS,
    SCHEDULE_COLUMNS,
    lineage_rows,
    schedule_rows,
)
from kerashpo.analysis.pareto import hypervolume_trace, objective_named, tradeoff
from kerashpo.analysis.tables import (
    CURVE_COLUMNS,
    FAILURE_COLUMNS,
    TRIAL_COLUMNS,
    curve_rows,
    failure_rows,
    objective_columns,
    trial_rows,
)
from kerashpo.core.history import History
from kerashpo.core.records import Objective
from kerashpo.core.requirements import packages_required
from kerashpo.space.space import Space

if TYPE_CHECKING:
    import pandas as pd


_SCORE = TRIAL_COLUMNS.index("score") + 1
"""Where the columns of several objectives stand."""


class ResultTables(ABC):
    """The tables of a search's results.

    Attributes:
        history: the study's history.
    """

    history: History

    @property
    @abstractmethod
    def space(self) -> Space:
        """The current space."""

    @packages_required()
    def trials(self) -> pd.DataFrame:
        """Returns a row for each trial: status, score, epochs, seconds, error, parameters.

        With several objectives, or a weighted sum of some, each has a column after ``score``: its
        value at the epoch of the score. If trials have several runs, ``spread`` is the standard
        deviation of their scores; if the search has limits, ``feasible`` says whether a trial
        keeps them.
        """
        import pandas as pd

        before, after = TRIAL_COLUMNS[:_SCORE], TRIAL_COLUMNS[_SCORE:]
        measured = [*objective_columns(self.history).values()]
        parameters = (f"param_{name}" for name in self.space.names)
        frame = pd.DataFrame(
            trial_rows(self.history, self.space),
            columns=[*before, *measured, *after, *parameters],
        )
        numbers = dict.fromkeys(["score", "spread", "seconds", *measured], float)
        frame = frame.astype({**numbers, "best_epoch": "Int64"})
        several = any(
            trial.runs > 1 or len(trial.reports) > 1 for trial in self.history.trials.values()
        )
        unused = [] if several else ["spread"]
        return frame.drop(columns=unused if self.history.limits else [*unused, "feasible"])

    @packages_required()
    def curves(self) -> pd.DataFrame:
        """Returns a row for each metric of each epoch of each trial.

        Columns: trial, epoch, metric, value, seconds (the trial's own training time so
        far), elapsed (since the study's start), and run where a trial has several.
        """
        import pandas as pd

        rows = list(curve_rows(self.history))
        frame = pd.DataFrame(rows, columns=[*CURVE_COLUMNS, "run"])
        return frame if frame["run"].any() else frame.drop(columns="run")

    @property
    def cv_results_(self) -> dict[str, Any]:
        """The trials in the format of scikit-learn's searches, see `cv_results`.

        A dict of columns; ``iter`` and ``n_resources`` as in ``HalvingSearchCV``.
        """
        return cv_results(self.history, self.space)

    def pareto(self, *objectives: str | Objective) -> pd.DataFrame:
        """Returns the Pareto front: the trials that no other trial dominates.

        Columns: trial, one for each objective, and ``param_<name>``; sorted by the first objective.

        Args:
            *objectives: logged metrics, or ``"seconds"`` of training; none for the
                study's objectives (and the seconds, if there is only one).

        Raises:
            InvalidInput: for a metric that was not logged, or whose direction is unknown.
        """
        chosen = tuple(
            o if isinstance(o, Objective) else objective_named(self.history, o) for o in objectives
        )
        found = tradeoff(self.history, chosen or None)
        columns = {o.name: found.values[found.front, i] for i, o in enumerate(found.objectives)}
        frame = self.trials().set_index("trial").loc[found.trials[found.front]].reset_index()
        frame = frame[["trial", *(c for c in frame.columns if c.startswith("param_"))]]
        for place, (name, values) in enumerate(columns.items(), start=1):
            frame.insert(place, name, values)
        first = found.objectives[0]
        return frame.sort_values(first.name, ascending=first.direction == "min", ignore_index=True)

    @packages_required()
    def hypervolume(self, reference: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Returns the hypervolume of the study's objectives after each trial that has a score.

        Columns: trial, in the order of their ends, and hypervolume.

        Args:
            reference: for each objective a value worse than all that count; needed to compare
                searches. None takes the worst value of any trial.

        Raises:
            InvalidInput: for a single objective, or a reference that names other objectives.
        """
        import pandas as pd

        found = hypervolume_trace(self.history, reference)
        return pd.DataFrame({"trial": found.trials, "hypervolume": found.values})

    @packages_required()
    def lineage(self) -> pd.DataFrame:
        """Returns a row for each trial of population-based training, with its parent.

        Columns: trial, parent (NA for a trial that started from scratch), forked_at (the parent's
        epoch from which it was copied), last_epoch, status, score, best_epoch, and in_best: whether
        it is the best trial or an ancestor of it.
        """
        import pandas as pd

        frame = pd.DataFrame(lineage_rows(self.history), columns=[*LINEAGE_COLUMNS])
        return frame.astype({"parent": "Int64", "best_epoch": "Int64", "score": float})

    @packages_required()
    def schedule(self, trial: int | None = None) -> pd.DataFrame:
        """Returns the values of each epoch, from the first ancestor of the best trial to itself.

        Columns: epoch, trial (which of the ancestors trained it), parameter, value. It ends at the
        trial's best epoch.

        Args:
            trial: a trial other than the best.

        Raises:
            NoResult: while no trial has a finite score.
        """
        import pandas as pd

        rows = list(schedule_rows(self.history, self.space, trial))
        return pd.DataFrame(rows, columns=[*SCHEDULE_COLUMNS])

    @packages_required()
    def failures(self) -> pd.DataFrame:
        """Returns a row for each trial that failed.

        Columns: trial, kind (``"build"``, ``"fit"``, ``"nan"``, ``"memory"``, ``"killed"``,
        ``"timeout"`` or ``"refused"``, see `Failure`), message, epochs, retries, config, traceback,
        and output: the last lines that it printed.
        """
        import pandas as pd

        rows = failure_rows(self.history, self.space)
        return pd.DataFrame(rows, columns=[*FAILURE_COLUMNS])

    def to_csv(self, folder: str | Path) -> None:
        """Writes ``trials.csv``, ``curves.csv`` and ``failures.csv`` into a folder."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        self.trials().to_csv(target / "trials.csv", index=False)
        self.curves().to_csv(target / "curves.csv", index=False)
        self.failures().to_csv(target / "failures.csv", index=False)

    @packages_required()
    def to_json(self, path: str | Path) -> None:
        """Writes settings, space, every trial and every epoch as one JSON file.

        Folders of its path that do not exist are created.
        """
        text = json.dumps(study_json(self.history, self.space), indent=1, allow_nan=False)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n", "utf-8")
