"""One tuner on one seed, and where its study and its row are kept."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kerashpo.compare.options import Options

PROJECTS = {"hyperband": "hyperband_tuning", "bayesian": "bayesian_tuning"}
RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One cell of a comparison: who searches what with which seed, and where."""

    problem: str
    tuner: str
    seed: int
    folder: Path

    @property
    def project(self) -> str:
        """The name of its study."""
        return PROJECTS.get(self.tuner, f"{self.tuner}_tuning")

    @property
    def state(self) -> str:
        """``"finished"``, ``"begun"`` or ``"waiting"``."""
        if self.result is not None:
            return "finished"
        return "begun" if (self.folder / self.project).exists() else "waiting"

    @property
    def result(self) -> Result | None:
        """Its row, None before it has run; a damaged one counts as none."""
        try:
            return Result(**json.loads((self.folder / f"{self.project}.{RESULT}").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
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
    """A row of ``results.csv``, and the winner's confusion matrix.

    Attributes:
        confusion: rows the truth, columns the answer (classes, classes); empty for none.
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
    confusion: list[list[int]] = field(default_factory=list)

    def recall(self, positive: int | None) -> float:
        """Returns which share of a class was found, NaN where that is not asked."""
        if positive is None or not self.confusion:
            return float("nan")
        row = self.confusion[positive]
        return row[positive] / sum(row) if sum(row) else float("nan")


def plan_runs(options: Options, names: tuple[str, ...]) -> list[Run]:
    """Returns the runs of a comparison, problem by problem and seed by seed.

    Other budgets live in other folders, so that what has run is found again only where it
    is the same.
    """
    runs = []
    for problem in options.problem:
        for seed in options.seeds:
            for tuner in names:
                folder = Path(options.out) / "runs" / problem / _budget(tuner, options)
                runs.append(Run(problem, tuner, seed, folder / f"seed-{seed}"))
    return runs


def _budget(tuner: str, options: Options) -> str:
    epochs = f"epochs-{options.max_epochs}"
    match tuner:
        case "hyperband":
            return f"{epochs}-factor-{options.factor}"
        case "bayesian":
            return f"{epochs}-trials-{options.max_trials}-initial-{options.initial_points}"
        case "random":
            return f"{epochs}-trials-{options.max_trials}"
        case _:
            return epochs
