"""`SklearnTuner`: hyperparameter search for estimators of scikit-learn, cross-validated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, check_cv
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.validation import has_fit_parameter

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.records import Config
from kerashpo.core.trial import Trial
from kerashpo.study.result_models import Models
from kerashpo.study.retention import read_keep
from kerashpo.training.randomness import seeded_own
from kerashpo.tuners.base import Tuner

SCORE = "score"
"""The metric that folds report."""


class SklearnTuner(Tuner):
    """Hyperparameter search for estimators of scikit-learn; each fold is a run of its trial.

    The objective is ``Objective("score", "max")``, the mean over folds. `get_best_models` returns
    the estimator fitted on its best fold; ``results.refit_best(X, y)`` fits the best values on all
    data.
    The estimators of the trials that `keep` selects stay in memory and are not written to disk:
    loading a pickle can run any code. After a restart they are fitted again on the data that are
    passed to `search` again.

    Args:
        oracle: see `Tuner`.
        hypermodel: a function of `hp` that returns an estimator, or a `HyperModel`.
        scoring: a scorer ``(estimator, X, y, sample_weight=...)``, or a name of one, such as
            ``"f1"``; None for the estimator's own ``score``.
        metrics: functions ``(y, predicted, sample_weight=...)`` whose values are recorded.
        cv: a splitter of scikit-learn or a number of folds; None for five shuffled ones.
        **options: see `Tuner`.

    Raises:
        InvalidInput: for an invalid argument.
    """

    def __init__(
        self,
        oracle: Any = None,
        hypermodel: Any = None,
        scoring: Any = None,
        metrics: Any = None,
        cv: Any = None,
        **options: Any,
    ) -> None:
        self.scoring = get_scorer(scoring) if isinstance(scoring, str) else scoring
        functions = _functions(metrics)
        self.cv = KFold(5, shuffle=True, random_state=1) if cv is None else cv
        self._data: tuple[Any, ...] | None = None
        self._fitted: dict[int, list[Any]] = {}
        if hypermodel is None:
            raise InvalidInput(
                "hypermodel is missing: pass a function build_model(hp) that returns an estimator."
            )
        super().__init__(oracle, hypermodel, **options)
        self.metrics = functions
        names = [one.name for one in self.objectives]
        if names != [SCORE]:
            raise InvalidInput(
                f"A SklearnTuner reports {SCORE!r}: give its oracle the objective "
                f"kerashpo.Objective({SCORE!r}, 'max'). Received: {', '.join(names)}."
            )

    def search(
        self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None, **options: Any
    ) -> None:
        """Runs the search on X and y.

        Args:
            X: samples by features: arrays, sparse matrices, data frames.
            y: targets.
            sample_weight: one weight per sample, if the estimator takes weights.
            groups: the group of each sample, for splitters that use groups.
            **options: ``verbose`` and ``listeners``, as for every tuner.
        """
        self._data = (X, y, sample_weight, groups)
        super().search(X, y, sample_weight=sample_weight, groups=groups, **options)

    def run_trial(
        self,
        trial: Any,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        groups: Any = None,
        verbose: Any = None,
    ) -> list[dict[str, float]]:
        """Fits and scores one estimator per fold; returns the metrics of each."""
        found, fitted = [], []
        for train, test in self._splits(trial, X, y, groups):
            model = self._build(trial)
            _fit(model, _rows(X, train), _rows(y, train), _rows(sample_weight, train))
            weight = _rows(sample_weight, test)
            found.append(self._judge(model, _rows(X, test), _rows(y, test), weight))
            fitted.append(model)
        self._free_others()
        self._fitted[int(trial.trial_id)] = fitted
        return found

    def load_model(self, trial: Any) -> Any:
        """Returns a trial's estimator from its best fold.

        Raises:
            InvalidInput: if it was not kept, or if it was fitted by another process and this
                one has no data to fit it again.
        """
        self._free_others()
        record = self.results.history.trials[int(getattr(trial, "trial_id", trial))]
        if record.number in self._fitted:
            return self._fitted[record.number][record.best_run]
        if record.number not in self._kept():
            raise InvalidInput(
                f"The estimators of trial {record.number} were not kept: keep=... of the tuner "
                "sets for how many trials they are."
            )
        return self._fit_again(record)

    def _fit_again(self, record: Trial) -> Any:
        if self._data is None:
            raise InvalidInput(
                f"The estimators of trial {record.number} were fitted by another process, and "
                "none are read from disk, since loading a pickle can run any code. Call search "
                "with the same data first: finished trials are not run again."
            )
        with seeded_own(self.results.history.seed, record.number):
            SklearnTuner.run_trial(self, self.oracle.get_trial(record.number), *self._data)
        return self._fitted[record.number][record.best_run]

    def _kept(self) -> list[int]:
        """Returns the trials whose estimators are kept, the best first."""
        most, history = read_keep(self._options.keep), self.results.history
        ranked = history.ranking()
        return ranked if most == math.inf else ranked[: int(most)]

    def _free_others(self) -> None:
        """Frees the estimators of the trials that are not kept."""
        kept = {*self._kept()}
        self._fitted = {n: models for n, models in self._fitted.items() if n in kept}

    def _models(self, history: History) -> Models:
        return Estimators(self)

    def _build(self, trial: Any) -> Any:
        assert self.hypermodel is not None
        return self.hypermodel.build(trial.hyperparameters)

    def _splits(self, trial: Any, X: Any, y: Any, groups: Any) -> Iterator[tuple[Any, Any]]:
        splitter = self.cv
        if isinstance(splitter, int):
            splitter = check_cv(splitter, y, classifier=is_classifier(self._build(trial)))
        yield from splitter.split(X, y, groups)

    def _judge(self, model: Any, X: Any, y: Any, weight: Any) -> dict[str, float]:
        extra = {} if weight is None else {"sample_weight": weight}
        if self.scoring is None:
            values = {SCORE: float(model.score(X, y, **extra))}
        else:
            values = {SCORE: float(self.scoring(model, X, y, **extra))}
        if self.metrics:
            predicted = model.predict(X)
            for metric in self.metrics:
                values[metric.__name__] = float(metric(y, predicted, **extra))
        return values


@final
class Estimators(Models):
    """The estimators of a tuner's best trial."""

    def __init__(self, tuner: SklearnTuner) -> None:
        self._tuner = tuner

    def best(self) -> Any:
        return self._tuner.load_model(self._tuner.results.best.trial)

    def average(
        self, members: Sequence[tuple[int, int]], weights: Sequence[float] | None = None
    ) -> Any:
        """Returns a fitted voting ensemble of scikit-learn: mean probabilities or numbers."""
        from sklearn.ensemble import VotingClassifier, VotingRegressor  # 0.1 s

        if weights is not None:
            raise InvalidInput("SklearnTuner averages estimators with equal weights.")
        trials = dict.fromkeys(trial for trial, _ in members)
        named = [(f"trial_{n}", self._tuner.load_model(n)) for n in trials]
        fitted = [member for _, member in named]
        if is_regressor(fitted[0]):
            voter = VotingRegressor(named)
        else:
            for member in fitted:
                if not hasattr(member, "predict_proba"):
                    raise InvalidInput(
                        "An ensemble averages probabilities, which "
                        f"{type(member).__name__} does not predict: it has no predict_proba."
                    )
            voter = VotingClassifier(named, voting="soft")
            voter.le_ = LabelEncoder().fit(fitted[0].classes_)
            voter.classes_ = voter.le_.classes_
        voter.estimators_ = fitted
        return voter

    def replay(self, stages: Sequence[tuple[int, Config]]) -> Any:
        raise InvalidInput("Estimators of scikit-learn have no epochs, so there is no schedule.")

    def single(self, trial: int, epochs: int) -> Any:
        raise InvalidInput("SklearnTuner has no final round: refit_best(X, y) trains on all rows.")

    def refit(self, args: tuple[Any, ...], epochs: int | None, fit: dict[str, Any]) -> Any:
        if epochs is not None:
            raise InvalidInput(
                "Estimators of scikit-learn have no epochs: refit_best(X, y, sample_weight=...). "
                f"Received: epochs={epochs!r}."
            )
        results = self._tuner.results
        with seeded_own(results.seed, results.best.trial):
            (values,) = self._tuner.get_best_hyperparameters()
            hypermodel = self._tuner.hypermodel
            assert hypermodel is not None
            model = hypermodel.build(values)
            _fit(model, *args, **fit)
        return model


def _functions(metrics: Any) -> tuple[Callable[..., float], ...]:
    given = metrics if isinstance(metrics, (list, tuple)) else [] if metrics is None else [metrics]
    for one in given:
        if not callable(one) or not hasattr(one, "__name__"):
            raise InvalidInput(
                "metrics must be functions of sklearn.metrics, such as accuracy_score. "
                f"Received: {one!r}."
            )
    return tuple(given)


def _fit(model: Any, X: Any, y: Any = None, sample_weight: Any = None) -> None:
    if sample_weight is not None and has_fit_parameter(model, "sample_weight"):
        model.fit(X, y, sample_weight=sample_weight)
    else:
        model.fit(X, y)


def _rows(data: Any, chosen: Sequence[int]) -> Any:
    """Returns the chosen samples of an array, a sparse matrix, a data frame or a list."""
    if data is None:
        return None
    if hasattr(data, "iloc"):
        return data.iloc[chosen]
    return data[chosen] if hasattr(data, "shape") else np.asarray(data)[chosen]
