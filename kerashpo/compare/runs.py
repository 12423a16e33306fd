"""One tuner on one seed, and where its study and its row are kept."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kerashpo.analysis.anytime import Step
from kerashpo.compare.arguments import ComparisonOptions
from kerashpo.problems.task import Task

PROJECTS = {"hyperband": "hyperband_tuning", "bayesian": "bayesian_tuning"}
RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One cell of a comparison: who searches what with which seed, and where.

    Attributes:
        budget: what the search may spend, as the name of a folder.
    """

    problem: str
    tuner: str
    seed: int
    folder: Path
    budget: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from the others of a comparison."""
        return self.problem, self.tuner, self.seed

    @property
    def project(self) -> str:
        """The name of its study."""
        return PROJECTS.get(self.tuner, f"{self.tuner.replace('.', '_')}_tuning")

    @property
    def study(self) -> Path:
        """The folder of its study; a peer has none."""
        return self.folder / self.project

    @property
    def curves(self) -> Path:
        """Where a peer's epochs are kept."""
        return self.folder / f"{self.project}.curves.csv"

    @property
    def state(self) -> str:
        """``"finished"``, ``"begun"`` or ``"waiting"``."""
        if self.result is not None:
            return "finished"
        return "begun" if self.study.exists() else "waiting"

    @property
    def result(self) -> Result | None:
        """Its row, None before it has run; a damaged one counts as none."""
        try:
            return Result.read(json.loads((self.folder / f"{self.project}.{RESULT}").read_text()))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def keep(self, result: Result) -> None:
        """Writes the row down, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.project}.{RESULT}"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(result), indent=1))
        os.replace(temporary, path)


@dataclass(frozen=True, slots=True)
class Result:
    """A row of ``results.csv``, and what else is known of a run.

    Attributes:
        val_accuracy: NaN for a regression, as is test_accuracy.
        val_score: the objective at the winner's best epoch.
        test_score: the same metric on the test set.
        confusion: rows the truth, columns the answer (classes, classes); empty for none.
        steps: where the best validation value improved.
    """

    problem: str
    tuner: str
    seed: int
    trials: int
    epochs: int
    val_accuracy: float
    val_loss: float
    test_accuracy: float
    test_loss: float
    seconds: float
    best_config: dict[str, Any]
    val_score: float
    test_score: float
    confusion: list[list[int]] = field(default_factory=list)
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(
        cls,
        run: Run,
        task: Task,
        *,
        trials: int,
        epochs: int,
        seconds: float,
        validation: Mapping[str, float],
        test: Mapping[str, float],
        config: Mapping[str, Any],
        confusion: list[list[int]],
        steps: Sequence[Step],
    ) -> Result:
        """Returns the row of a run from the winner's metrics on both parts.

        Args:
            run: which cell.
            task: what was tuned.
            trials: configurations started.
            epochs: epochs trained.
            seconds: wall time of the search.
            validation: metrics of the best epoch, named ``val_...``.
            test: metrics on the test set.
            config: the winner's values.
            confusion: its confusion matrix.
            steps: where the best value improved.
        """
        return cls(
            *run.key,
            trials,
            epochs,
            val_accuracy=validation.get("val_accuracy", math.nan),
            val_loss=validation["val_loss"],
            test_accuracy=test.get("accuracy", math.nan),
            test_loss=test["loss"],
            seconds=seconds,
            best_config=dict(config),
            val_score=validation[task.objective.name],
            test_score=test[task.metric],
            confusion=confusion,
            steps=tuple(steps),
        )

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Result:
        """Returns the row that a file holds."""
        return cls(**{**body, "steps": tuple(Step(**step) for step in body["steps"])})

    def recall(self, positive: int | None) -> float:
        """Returns which share of a class was found, NaN where that is not asked."""
        if positive is None or not self.confusion:
            return math.nan
        row = self.confusion[positive]
        return row[positive] / sum(row) if sum(row) else math.nan


def plan_runs(options: ComparisonOptions, tasks: Mapping[str, Task]) -> list[Run]:
    """Returns the runs of a comparison, seed by seed, so that a part of it has whole seeds.

    Other budgets live in other folders, so that what has run is found again only where it
    is the same.
    """
    runs = []
    for seed in options.seeds:
        for problem, task in tasks.items():
            for tuner in (*options.tuners, "default", task.baseline):
                budget = _budget(tuner, options)
                folder = Path(options.out) / "runs" / problem / budget / f"seed-{seed}"
                runs.append(Run(problem, tuner, seed, folder, budget))
    return runs


def _budget(tuner: str, options: ComparisonOptions) -> str:
    parts = [f"epochs-{options.max_epochs}"]
    kind = tuner.removeprefix("keras_tuner.")
    if tuner in ("default", "majority", "mean"):
        return parts[0]
    if kind in ("hyperband", "bohb", "asha", "recommended"):
        parts.append(f"factor-{options.factor}")
    elif options.total is None:
        parts.append(f"trials-{options.max_trials}")
    if kind == "bayesian" or kind.startswith("optuna"):
        parts.append(f"initial-{options.initial_points}")
    if options.total is not None:
        parts.append(f"total-{options.total}")
    return "-".join(parts)
