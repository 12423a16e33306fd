"""`results.final`: the finalists of a final round, their fold scores and averaged models."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from kerashpo.core.errors import NoResult
from kerashpo.core.history import History
from kerashpo.core.objective import Best
from kerashpo.core.records import Config
from kerashpo.core.trial import Trial
from kerashpo.space.space import key
from kerashpo.study.result_models import Models

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("trial", "role", "score", "low", "high", "loss", "epochs", "folds", "error")


@final
@dataclass(frozen=True, slots=True)
class FoldScore:
    """An estimate of the score on new data: the mean over folds, with its interval.

    The interval is Student's with the variance corrected for the folds' shared training rows
    (Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003).

    Attributes:
        value: the mean over folds, each at its best epoch.
        low, high: its 95 % interval; NaN for fewer than two folds.
        folds: how many there are.
    """

    value: float
    low: float
    high: float
    folds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> FoldScore:
        """Returns the score of one model's folds, in the objective's own direction."""
        from scipy.special import stdtrit

        n, mean = len(values), statistics.fmean(values)
        if n < 2:
            return cls(mean, math.nan, math.nan, n)
        spread = statistics.stdev(values) * math.sqrt(1 / n + 1 / (n - 1))
        half = float(stdtrit(n - 1, 0.975)) * spread
        return cls(mean, mean - half, mean + half, n)

    def __str__(self) -> str:
        if math.isnan(self.low):
            return f"{self.value:.4g} (one fold)"
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g}, {self.folds} folds)"


@final
class FinalResults:
    """The finalists of a search, compared on all folds.

    The winner has the lowest mean loss over its folds (the best mean score if no loss is
    logged). Finalists whose folds did not all end with a finite score cannot win.

    Args:
        history: of the study.
        models: builds the models.
        default: the untuned configuration.

    Raises:
        NoResult: if the search had no final round, or no finalist has all its folds.
    """

    def __init__(self, history: History, models: Models, default: Config) -> None:
        self._history, self._models, self._default = history, models, key(default)
        self._finalists = [t for t in history.trials.values() if t.extra]
        if not self._finalists:
            raise NoResult(
                "This search has had no final round: call search(..., final_round=5). It trains "
                "the best trials and the default configuration on five folds."
            )

    @property
    def winner(self) -> int:
        """The trial with the lowest mean loss over all folds."""
        ranked = sorted(self._whole, key=self._rank)
        if not ranked:
            raise NoResult(
                "No finalist has a finite score on every fold yet. results.final.table shows how "
                "far each is, and why it failed."
            )
        return ranked[0].number

    @property
    def score(self) -> FoldScore:
        """The winner's mean score over its folds: an estimate of `model`'s score on new data."""
        return self._score(self._history.trials[self.winner])

    @cached_property
    def model(self) -> Any:
        """The winner's fold models averaged: one compiled model."""
        return self._models.average(self.members)

    @cached_property
    def model_all(self) -> Any:
        """All finalists' fold models averaged."""
        return self._models.average(self.members_all)

    @property
    def members(self) -> list[tuple[int, int]]:
        """Trial and run of each model that `model` averages."""
        return self._members(self.winner)

    @property
    def members_all(self) -> list[tuple[int, int]]:
        """Trial and run of each model that `model_all` averages, the winner's first."""
        _ = self.winner
        whole = sorted(self._whole, key=self._rank)
        return [pair for trial in whole for pair in self._members(trial.number)]

    @cached_property
    def single(self) -> Any:
        """One model of the winner's configuration, trained on training and validation rows.

        It is trained when this is first read, for the mean of its folds' best epochs: one
        further training, with the data of the last `search` in this process.
        """
        return self._models.single(self.winner, self.epochs)

    @property
    def epochs(self) -> int:
        """The mean of the best epochs of the winner's folds, rounded."""
        bests = self._bests(self._history.trials[self.winner])
        return max(1, round(statistics.fmean(best.epoch for best in bests)))

    @property
    def table(self) -> pd.DataFrame:
        """A row for each finalist, the winner first.

        Columns: trial, role (``"tuned"`` or ``"default"``), score (mean over folds), low, high
        (95 % interval), loss (mean over folds), epochs (mean best epoch), folds (those with a
        finite score), error.
        """
        import pandas as pd

        ranked = sorted(self._finalists, key=lambda t: (t not in self._whole, self._rank(t)))
        return pd.DataFrame([self._row(trial) for trial in ranked], columns=[*COLUMNS])

    def __repr__(self) -> str:
        name = self._history.objective.name
        try:
            return f"<FinalResults: trial {self.winner}, {name} {self.score}>"
        except NoResult:
            return f"<FinalResults: {len(self._finalists)} finalists, none whole>"

    def _repr_html_(self) -> str:
        html: str = self.table.to_html(index=False, na_rep="", float_format=lambda v: f"{v:.4g}")
        return html

    @property
    def _whole(self) -> list[Trial]:
        """The finalists with a finite score on every fold."""
        most = max(len(self._runs(trial)) for trial in self._finalists)
        return [
            trial
            for trial in self._finalists
            if len(self._runs(trial)) == most
            and trial.folds_done
            and all(best.finite for best in self._bests(trial))
        ]

    def _runs(self, trial: Trial) -> list[int]:
        return sorted({*range(trial.runs), *trial.extra})

    def _bests(self, trial: Trial) -> list[Best]:
        return [trial.best_of_run(run) for run in self._runs(trial)]

    def _score(self, trial: Trial) -> FoldScore:
        sign = 1 if self._history.objective.direction == "min" else -1
        return FoldScore.of([sign * best.cost for best in self._bests(trial) if best.finite])

    def _rank(self, trial: Trial) -> tuple[float, float, int]:
        bests = [best for best in self._bests(trial) if best.finite]
        if not bests:
            return (math.inf, math.inf, trial.number)
        loss = statistics.fmean(best.loss for best in bests)
        return (loss, statistics.fmean(best.cost for best in bests), trial.number)

    def _members(self, number: int) -> list[tuple[int, int]]:
        return [(number, run) for run in self._runs(self._history.trials[number])]

    def _row(self, trial: Trial) -> dict[str, Any]:
        bests = [best for best in self._bests(trial) if best.finite]
        score = self._score(trial) if bests else FoldScore(math.nan, math.nan, math.nan, 0)
        loss = statistics.fmean(best.loss for best in bests) if bests else math.nan
        return {
            "trial": trial.number,
            "role": "default" if key(trial.config) == self._default else "tuned",
            "score": score.value,
            "low": score.low,
            "high": score.high,
            "loss": loss if math.isfinite(loss) else math.nan,
            "epochs": statistics.fmean(best.epoch for best in bests) if bests else math.nan,
            "folds": len(bests),
            "error": trial.facts.get("final_round_failure"),
        }
