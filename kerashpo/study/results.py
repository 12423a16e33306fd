"""`Results`: what a search found. The same for tuners, `optimize`, `simulate` and folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kerashpo.analysis.tables import (
    CURVE_COLUMNS,
    TRIAL_COLUMNS,
    curve_rows,
    failure_rows,
    trial_rows,
)
from kerashpo.core.errors import NoResult
from kerashpo.core.history import History
from kerashpo.core.records import Status
from kerashpo.space.space import Space

if TYPE_CHECKING:
    import pandas as pd

    from kerashpo.plots.menu import Plots


@final
@dataclass(frozen=True, slots=True)
class BestTrial:
    """The incumbent.

    Attributes:
        trial: its number.
        score: the objective at its best epoch.
        epoch: that epoch, counted from 1.
        config: its values, as the model or function got them.
        metrics: every metric of that epoch.
    """

    trial: int
    score: float
    epoch: int
    config: dict[str, Any]
    metrics: dict[str, float]


@final
class Results:
    """Answers about a finished or running search.

    Args:
        history: the study's history; answers follow it while it grows.
        space: the space whose values trials hold; None to read it from the history.
    """

    def __init__(self, history: History, space: Space | None = None) -> None:
        self.history = history
        self._space = space

    @property
    def space(self) -> Space:
        """The space as it is now."""
        known = self.history.space
        if self._space is None or self._space.to_json() != known:
            return Space.from_json(known)
        return self._space

    @property
    def best(self) -> BestTrial:
        """The best trial: the best epoch of any trial that did not fail.

        Raises:
            NoResult: while no trial has a finite score.
        """
        trial = self.history.best
        if trial is None or trial.score is None or trial.best_epoch is None:
            raise NoResult(
                f"No trial has a finite {self.history.objective.name} yet "
                f"({len(self.history.trials)} trials, {self.history.failed} failed). "
                "results.failures() tells why trials failed."
            )
        report = trial.best_report
        metrics = dict(report.metrics) if report else {}
        config = self.space.realise(trial.config)
        return BestTrial(trial.number, trial.score, trial.best_epoch, config, metrics)

    @property
    def seed(self) -> int:
        """The seed of the search, drawn where none was given."""
        return self.history.seed

    @property
    def seconds(self) -> float:
        """Wall time of the search, summed over its interruptions."""
        return self.history.now

    @property
    def epochs(self) -> int:
        """Epochs trained, over all trials."""
        return self.history.epochs

    @property
    def stopped(self) -> str | None:
        """Why the search ended, e.g. ``"space exhausted"``; None while it goes on."""
        return self.history.stopped

    def __len__(self) -> int:
        return len(self.history.trials)

    def trials(self) -> pd.DataFrame:
        """Returns a row for each trial: status, score, epochs, seconds, error, parameters."""
        import pandas as pd

        columns = [*TRIAL_COLUMNS, *(f"param_{name}" for name in self.space.names)]
        frame = pd.DataFrame(trial_rows(self.history, self.space), columns=columns)
        return frame.astype({"score": float, "seconds": float, "best_epoch": "Int64"})

    def curves(self) -> pd.DataFrame:
        """Returns a row for each metric of each epoch of each trial.

        Columns: trial, epoch, metric, value, seconds (the trial's own training time so
        far), elapsed (since the study's start), and run where a trial has several.
        """
        import pandas as pd

        rows = list(curve_rows(self.history))
        frame = pd.DataFrame(rows, columns=[*CURVE_COLUMNS, "run"])
        return frame if frame["run"].any() else frame.drop(columns="run")

    def failures(self) -> pd.DataFrame:
        """Returns kind, message, traceback and output of the trials that failed."""
        import pandas as pd

        columns = ["trial", "kind", "message", "traceback", "output"]
        return pd.DataFrame(failure_rows(self.history), columns=columns)

    def to_csv(self, folder: str | Path) -> None:
        """Writes ``trials.csv`` and ``curves.csv`` into a folder."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        self.trials().to_csv(target / "trials.csv", index=False)
        self.curves().to_csv(target / "curves.csv", index=False)

    @cached_property
    def plot(self) -> Plots:
        """The figures, e.g. ``results.plot.history()``; each returns matplotlib Axes."""
        from kerashpo.plots.menu import Plots

        return Plots(self.history, lambda: self.space)

    def __repr__(self) -> str:
        return f"<Results: {self._summary(str)}>"

    def _repr_html_(self) -> str:
        return f"<p>{self._summary(escape)}</p>{self.trials().to_html()}"

    def _summary(self, clean: Callable[[str], str]) -> str:
        history = self.history
        counts = dict.fromkeys(Status, 0)
        for trial in history.trials.values():
            counts[trial.status] += 1
        told = ", ".join(f"{n} {status.value.lower()}" for status, n in counts.items() if n)
        text = f"{len(history.trials)} trials ({told or 'none yet'}), {history.epochs} epochs"
        if history.best is not None:
            best = self.best
            text += f", best {history.objective.name} {best.score:.6g} by trial {best.trial}"
        return clean(text)
