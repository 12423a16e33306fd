"""`results.best`: the best trial of a search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

from kerashpo.analysis.expected_score import ExpectedScore, expected_score
from kerashpo.core.errors import NoResult
from kerashpo.core.history import History
from kerashpo.display.snapshot import plain
from kerashpo.display.text import score_notes
from kerashpo.i18n.texts import Texts
from kerashpo.space.space import Space


@final
@dataclass(frozen=True, slots=True)
class BestTrial:
    """The incumbent: the best trial so far.

    Attributes:
        trial: its number.
        score: the objective at its best epoch; of several objectives the first.
        epoch: that epoch, counted from 1.
        config: its values, as the model or function got them.
        metrics: every metric of that epoch.
        expected: the expected score on new data with its 95 % interval: ``value``, ``low`` and
            ``high``. `score` is too high, since it was chosen for being high. After a final round
            it is that of `final.model`, from the folds; without one that of this trial's model,
            estimated from the numbers of trials and validation rows. None where that is not
            possible: for metrics other than an accuracy, several objectives, and pipelines.
        note: what to expect on new data, and why the trial cannot be distinguished from others on
            so few validation rows, each on its line; empty where neither is known.
    """

    trial: int
    score: float
    epoch: int
    config: dict[str, Any]
    metrics: dict[str, float]
    expected: ExpectedScore | None = None
    note: str = field(default="", compare=False)

    def __repr__(self) -> str:
        parts = {
            "trial": self.trial,
            "score": float(f"{self.score:.6g}"),
            "epoch": self.epoch,
            "config": plain(self.config),
            "metrics": plain(self.metrics),
        }
        values = ", ".join(f"{name}={value!r}" for name, value in parts.items())
        return f"BestTrial({values})" + (f"\n{self.note}" if self.note else "")


def best_trial(history: History, space: Space, texts: Texts) -> BestTrial:
    """Returns the best trial with what to know of its score.

    Args:
        history: the study's history.
        space: its space.
        texts: the sentences of the note's language.

    Raises:
        NoResult: while no trial has a finite score.
    """
    trial = history.best
    if trial is None or trial.score is None or trial.best_epoch is None:
        within = " within the limits" if history.limits else ""
        raise NoResult(
            f"No trial has a finite {history.objective.name}{within} yet "
            f"({len(history.trials)} trials, {history.failed} failed). "
            "results.failures() lists why trials failed."
        )
    return BestTrial(
        trial.number,
        trial.score,
        trial.best_epoch,
        space.realise(trial.config),
        trial.metrics_at_best(),
        expected_score(history),
        "\n".join(score_notes(history, texts)),
    )
