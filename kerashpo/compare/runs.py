"""`Run`, one cell (problem, tuner, seed) of a comparison, and `Result`, its metrics."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kerashpo.analysis.anytime import Step
from kerashpo.analysis.fronts import FrontPoint, FrontStep
from kerashpo.analysis.saturation import Saturation
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.models import ModelScore
from kerashpo.compare.tuners import BASELINES, INITIAL_POINTS, OURS, TUNERS, has_rungs, name_of
from kerashpo.core.import_string import code_hash, is_import_string
from kerashpo.problems.registry import make_task
from kerashpo.problems.task import Task
from kerashpo.store.open import folder_of

PROJECTS = {"hyperband": "hyperband_tuning", "bayesian": "bayesian_tuning"}
_ACCURACIES = (
    "accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
)  # fmt: skip
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Run:
    """One cell of a comparison, and the folder that keeps its study and its result.

    Attributes:
        problem: the task's name.
        tuner: the tuner's name in tables.
        seed: the seed of the split and of the search.
        folder: the folder of its study and its ``result.json``.
        budget: the budget of the search as the name of a folder.
        source: the problem's name or import string; empty for `problem`.
        maker: the tuner's name or import string; empty for `tuner`.
        objective: replaces the task's objectives; empty for its own.
    """

    problem: str
    tuner: str
    seed: int
    folder: Path
    budget: str = ""
    source: str = ""
    maker: str = ""
    objective: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Identifies the run among the cells of a comparison."""
        return self.problem, self.tuner, self.seed

    @property
    def label(self) -> str:
        """The name of the run in messages."""
        return f"{self.tuner} on {self.problem}, seed {self.seed}"

    @property
    def own_tuner(self) -> bool:
        """Whether its tuner is made by a user's function, given as an import string."""
        return is_import_string(self.maker)

    @property
    def project(self) -> str:
        """The name of its study."""
        return PROJECTS.get(self.tuner, f"{self.tuner.replace('.', '_')}_tuning")

    @property
    def study(self) -> Path:
        """The folder of its study; a search by another library has none."""
        return self.folder / self.project

    @property
    def curves(self) -> Path:
        """The file with the epochs of a search by another library."""
        return self.folder / f"{self.project}.curves.json"

    @property
    def path(self) -> Path:
        """The file of its result."""
        return self.folder / f"{self.project}.result.json"

    @property
    def state(self) -> str:
        """``"finished"``, ``"begun"`` or ``"waiting"``."""
        if self.result is not None:
            return "finished"
        return "begun" if self.study.exists() else "waiting"

    @property
    def result(self) -> Result | None:
        """Its result, None before it has run; a damaged file counts as none."""
        try:
            return Result.read(json.loads(self.path.read_text("utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def task(self) -> Task:
        """Returns its problem."""
        task = make_task(self.source or self.problem)
        return task.with_objectives(self.objective) if self.objective else task

    def keep(self, result: Result) -> None:
        """Writes its result, atomically."""
        write_json(self.path, asdict(result))


def write_json(path: Path, body: Any) -> None:
    """Writes a JSON file atomically, and its folder where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    os.replace(temporary, path)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run: a row of ``results.csv``, and what the other files hold of it.

    Attributes:
        val_accuracy: NaN where the model logs no accuracy, as is test_accuracy.
        val_score: the objective at the winner's best epoch.
        test_score: the same metric on the test set.
        confusion: rows the truth, columns the answer (classes, classes); empty for none.
        steps: the improvements of the best validation value.
        saturation: how many trials tie on the validation rows, None where that is not known.
        models: the scores of the winner and of further models of the search on the test set.
        front: with several objectives the models of the Pareto front, its knee first: the winner
            that the other attributes describe. Empty with one objective.
        front_steps: with several objectives the changes of the trials' values.
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
    saturation: Saturation | None = None
    models: tuple[ModelScore, ...] = ()
    front: tuple[FrontPoint, ...] = ()
    front_steps: tuple[FrontStep, ...] = ()

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
        saturation: Saturation | None = None,
        models: Sequence[ModelScore] = (),
        front: Sequence[FrontPoint] = (),
        front_steps: Sequence[FrontStep] = (),
    ) -> Result:
        """Returns the result of a run from the winner's metrics on both parts.

        Args:
            run: the cell.
            task: the task whose hypermodel is tuned.
            trials: configurations started.
            epochs: epochs trained.
            seconds: wall time of the search.
            validation: metrics of the best epoch, named ``val_...``.
            test: metrics on the test set; NaN for those that could not be measured.
            config: the winner's values.
            confusion: its confusion matrix.
            steps: the improvements of the best value.
            saturation: how many trials tie on the validation rows, None where that is not known.
            models: the models that the search returns, its winner first.
            front: the Pareto front, its knee first.
            front_steps: the changes of the trials' values.
        """
        return cls(
            *run.key,
            trials,
            epochs,
            val_accuracy=_accuracy(validation, "val_"),
            val_loss=validation.get("val_loss", math.nan),
            test_accuracy=_accuracy(test, ""),
            test_loss=test.get("loss", math.nan),
            seconds=seconds,
            best_config=dict(config),
            val_score=validation.get(task.objective.name, math.nan),
            test_score=test.get(task.metric, math.nan),
            confusion=confusion,
            steps=tuple(steps),
            saturation=saturation,
            models=tuple(models),
            front=tuple(front),
            front_steps=tuple(front_steps),
        )

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Result:
        """Returns the result that a file holds."""
        steps = tuple(Step(**step) for step in body["steps"])
        ties = body.get("saturation")
        models = tuple(ModelScore(**model) for model in body.get("models", ()))
        read = {
            "steps": steps,
            "saturation": ties and Saturation(**ties),
            "models": models,
            "front": tuple(FrontPoint(**point) for point in body.get("front", ())),
            "front_steps": tuple(_front_step(step) for step in body.get("front_steps", ())),
        }
        return cls(**{**body, **read})

    def recall(self, positive: int | None) -> float:
        """Returns the recall of a class, NaN where none is asked for."""
        if positive is None or not self.confusion:
            return math.nan
        row = self.confusion[positive]
        return row[positive] / sum(row) if sum(row) else math.nan


def _front_step(body: Mapping[str, Any]) -> FrontStep:
    return FrontStep(**{**body, "values": tuple(body["values"])})


def _accuracy(metrics: Mapping[str, float], prefix: str) -> float:
    return next(
        (metrics[f"{prefix}{n}"] for n in _ACCURACIES if f"{prefix}{n}" in metrics), math.nan
    )


def plan_runs(options: ComparisonOptions, tasks: Mapping[str, Task]) -> list[Run]:
    """Returns the runs of a comparison, seed by seed, so that a part of it has whole seeds.

    Other budgets, and other code of problems and tuners from outside, use other folders, so
    that a result is used again only where it is the same.

    Args:
        options: the comparison.
        tasks: its problems by name, in the order of ``options.problem``.
    """
    runs = []
    for seed in options.seeds:
        for source, (problem, task) in zip(options.problem, tasks.items(), strict=True):
            place = folder_of(options.out) / "runs" / f"{problem}{_code(source)}"
            # An answer without a network has no size and no latency.
            rival = () if task.rival is None else ("rival",)
            others = () if task.further else (*rival, task.baseline)
            for maker in (*options.tuners, "default", *others):
                tuner = name_of(maker)
                budget = f"{_budget(tuner, options)}{_wanted(options)}{_code(maker)}"
                folder = place / budget / f"seed-{seed}"
                replaced = options.objective
                runs.append(Run(problem, tuner, seed, folder, budget, source, maker, replaced))
    return runs


def _wanted(options: ComparisonOptions) -> str:
    return f"-objective-{'+'.join(options.objective)}" if options.objective else ""


def _code(name: str) -> str:
    return f"-code-{code_hash(name)}" if is_import_string(name) else ""


def _budget(tuner: str, options: ComparisonOptions) -> str:
    parts = [f"epochs-{options.max_epochs}"]
    if tuner in BASELINES:
        return parts[0]
    own = tuner not in TUNERS
    if own or has_rungs(tuner):
        parts.append(f"factor-{options.factor}")
    if own or (not has_rungs(tuner) and options.total is None):
        parts.append(f"trials-{options.max_trials}")
    if tuner in INITIAL_POINTS:
        parts.append(f"initial-{options.initial_points}")
    if options.total is not None:
        parts.append(f"total-{options.total}")
    if tuner in OURS and (folds := options.final_round_of(tuner)):
        parts.append(f"final-{folds}")
    return "-".join(parts)
