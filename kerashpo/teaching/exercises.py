"""Exercises: which studies each notebook hands in, and how its answers are checked.

An answer is computed from the student's own studies wherever it can be: other seeds and
budgets give other numbers, and each student's own are right.

An exercise of your own is a function without arguments that returns an `Exercise`, in a file of
yours; its name is the one that the notebook passes to `write_submission`::

    python -m kerashpo.teaching results.json --exercise my_file.py:my_exercise
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from kerashpo.core.errors import InvalidInput
from kerashpo.core.import_string import load_object
from kerashpo.core.records import Status
from kerashpo.problems.power_law import PowerLaw
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.study.results import Results
from kerashpo.teaching.plausibility import Expected

Studies: TypeAlias = Mapping[str, Results]


@dataclass(frozen=True, slots=True)
class Number:
    """An answer that is a number.

    Attributes:
        find: computes it from the studies that were handed in.
        tolerance: the largest accepted difference.
    """

    find: Callable[[Studies], float]
    tolerance: float = 0.0

    def accepts(self, given: Any, studies: Studies) -> bool:
        """Returns whether an answer is right."""
        try:
            # A text may have the decimal comma of Spanish.
            value = float(given.replace(",", ".") if isinstance(given, str) else given)
        except (TypeError, ValueError, OverflowError):
            return False
        return math.isfinite(value) and abs(value - self.find(studies)) <= self.tolerance + 1e-12


@dataclass(frozen=True, slots=True)
class Essay:
    """An answer in words, which a teacher reads: only its length is checked.

    Attributes:
        least: characters that it needs.
    """

    least: int = 150

    def accepts(self, given: Any, studies: Studies) -> bool:
        """Returns whether the answer is long enough."""
        return isinstance(given, str) and len(given.strip()) >= self.least


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise: what a student hands in after a notebook.

    Attributes:
        studies: the requirements of each study.
        answers: how each answer is checked.
        test: for each winner that saw the test set, how many samples that has.
        seed: the parameter that names the seed of every study; empty for none.
    """

    studies: Mapping[str, Expected]
    answers: Mapping[str, Number | Essay]
    test: Mapping[str, int] = field(default_factory=dict)
    seed: str = "SEED"


def lab() -> Exercise:
    """The lab: Hyperband and Bayesian optimisation on the Breast Cancer data."""
    return Exercise(
        studies={
            "hyperband": Expected(trained=True, tuner="Hyperband", validation=91, trials=10),
            "bayesian": Expected(
                trained=True, tuner="BayesianOptimization", validation=91, trials=5
            ),
        },
        answers={
            "best_trial_epochs": Number(lambda s: _best(s["hyperband"]).epochs),
            "total_epochs": Number(lambda s: s["hyperband"].epochs),
            "stopped": Number(lambda s: _count(s["hyperband"], Status.STOPPED)),
            "conclusion": Essay(),
        },
        test={"hyperband": 114, "bayesian": 114},
    )


def functional() -> Exercise:
    """The functional space and `optimize`: a support vector machine on the Wine data."""
    tried = Expected(trials=10, recompute=lambda config, _: wine_error(config), tolerance=0.012)
    return Exercise(
        studies={"random": tried, "bayesian": tried},
        answers={
            "rbf_trials": Number(lambda s: _with(s["bayesian"], "kernel", "rbf")),
            "trials_to_3_percent": Number(lambda s: _first_below(s["bayesian"], 0.03)),
            "fraction_of_random": Number(
                lambda s: _fraction_worse(s["random"], s["bayesian"]), 0.01
            ),
        },
    )


def rungs() -> Exercise:
    """Hyperband and ASHA on a virtual clock."""
    problem = PowerLaw(max_epochs=27)
    curve = Expected(
        trials=20, recompute=lambda c, epoch: problem.evaluate(c, epoch)[0], virtual=True
    )
    return Exercise(
        studies={"hyperband": curve, "asha": curve},
        answers={
            "first_bracket_81": Number(lambda s: Hyperband(81).plan().brackets[0][0].trials),
            "epochs_81": Number(lambda s: Hyperband(81).plan().epochs or math.nan),
            "idle_hyperband": Number(lambda s: _idle(s["hyperband"], 8), 0.005),
            "idle_asha": Number(lambda s: _idle(s["asha"], 8), 0.005),
        },
    )


def population() -> Exercise:
    """Population-based training of the noisy quadratic model on a virtual clock."""
    return Exercise(
        studies={"population": Expected(trials=8, virtual=True)},
        answers={
            "copies": Number(lambda s: int(s["population"].lineage()["parent"].notna().sum())),
            "ancestors": Number(lambda s: int(s["population"].lineage()["in_best"].sum()) - 1),
            "fall": Number(lambda s: _fall(s["population"]), 0.05),
            "epochs_20": Number(lambda s: 20 * 100),
        },
    )


def gaussian() -> Exercise:
    """The Gaussian process and the acquisition on a function of one number."""
    wave = Expected(trials=8, recompute=lambda config, _: wavy(config["x"]))
    mean, deviation = _posterior_at(0.7)
    return Exercise(
        studies={"search": wave},
        answers={
            "mean": Number(lambda s: mean, 0.005),
            "deviation": Number(lambda s: deviation, 0.005),
            "distance": Number(lambda s: abs(s["search"].best.config["x"] - WAVY_BEST), 0.005),
        },
    )


def moving() -> Exercise:
    """A KerasTuner script moved over."""
    return Exercise(
        studies={"search": Expected(trained=True, tuner="Hyperband", validation=91, trials=3)},
        answers={
            "epochs_saved": Number(lambda s: 922 - (Hyperband(50).plan().epochs or 0)),
            "curve_rows": Number(lambda s: _metrics(s["search"])),
            "second_run_epochs": Number(lambda s: 0),
        },
    )


EXERCISES: Mapping[str, Callable[[], Exercise]] = {
    "lab": lab,
    "functional": functional,
    "rungs": rungs,
    "population": population,
    "gaussian": gaussian,
    "moving": moving,
}


def load_exercises(sources: Sequence[str]) -> dict[str, Callable[[], Exercise]]:
    """Returns the exercises by name, with further ones from files and modules.

    Args:
        sources: import strings such as ``my_file.py:my_exercise``; an exercise is called as its
            function.

    Raises:
        InvalidInput: if one cannot be imported, or is no function that returns an `Exercise`.
    """
    found = dict(EXERCISES)
    for source in sources:
        maker = load_object(source)
        if not callable(maker) or not isinstance(_made(maker, source), Exercise):
            raise InvalidInput(
                f"{source} must be a function without arguments that returns a "
                f"kerashpo.teaching.Exercise. Received: {maker!r}."
            )
        found[source.rpartition(":")[2]] = maker
    return found


def _made(maker: Callable[[], Any], source: str) -> Any:
    try:
        return maker()
    except Exception as error:
        raise InvalidInput(f"{source} raised {type(error).__name__}: {error}.") from error


WAVY_BEST = 0.7572
"""Where `wavy` is least on [0, 1]."""
OBSERVED = (0.1, 0.5, 0.9)
LENGTH = 0.2


def wavy(x: float) -> float:
    """The notebook's function of one number, Forrester's (2008): two valleys on [0, 1]."""
    return (6.0 * x - 2.0) ** 2 * math.sin(12.0 * x - 4.0)


def wine_error(config: Mapping[str, Any]) -> float:
    """The notebook's error of a support vector machine on Wine, five folds."""
    from sklearn.datasets import load_wine
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    x, y = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), SVC(**config))
    return 1.0 - float(cross_val_score(model, x, y, cv=5).mean())


def _posterior_at(x: float) -> tuple[float, float]:
    """Returns mean and deviation of the notebook's process (unit variance, no noise) at a point.

    Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), equations 2.23-24.
    """
    seen = np.array(OBSERVED)
    values = np.array([wavy(s) for s in OBSERVED])

    def kernel(a: Any, b: Any) -> Any:
        return np.exp(-0.5 * ((a[:, None] - b[None, :]) / LENGTH) ** 2)

    gram, cross = kernel(seen, seen), kernel(np.array([x]), seen)[0]
    weights = np.linalg.solve(gram, cross)
    return float(weights @ values), float(np.sqrt(1.0 - weights @ cross))


def _best(results: Results) -> Any:
    return results.history.trials[results.best.trial]


def _count(results: Results, status: Status) -> int:
    return sum(trial.status is status for trial in results.history.trials.values())


def _with(results: Results, name: str, value: Any) -> int:
    space = results.space
    configs = (space.realise(trial.config) for trial in results.history.trials.values())
    return sum(config.get(name) == value for config in configs)


def _first_below(results: Results, bound: float) -> float:
    """Returns the number of trials until one is below a bound, 0 if none is."""
    for trial in results.history.trials.values():
        if trial.score is not None and trial.score < bound:
            return trial.number + 1
    return 0


def _fraction_worse(results: Results, than: Results) -> float:
    """Returns the fraction of trials that are worse than the best of another search."""
    scores = [t.score for t in results.history.trials.values() if t.score is not None]
    return sum(score > than.best.score for score in scores) / len(scores)


def _idle(results: Results, workers: int) -> float:
    """Returns the fraction of the workers' time in which nothing was trained."""
    trained = sum(trial.seconds for trial in results.history.trials.values())
    return 1.0 - trained / (workers * results.seconds)


def _fall(results: Results) -> float:
    """Returns by how much the rate is divided along the winner's line."""
    rates = results.schedule()["value"]
    return float(rates.iloc[0] / rates.iloc[-1])


def _metrics(results: Results) -> int:
    """Returns how many metrics were logged over all epochs of all trials."""
    trials = results.history.trials.values()
    return sum(
        len(report.metrics) for t in trials for run in t.reports.values() for report in run.values()
    )
