"""`SearchCV`: a hyperparameter search as an estimator of scikit-learn."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, final

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import check_cv, train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from kerashpo.core.errors import InvalidInput, NoResult, unknown
from kerashpo.training.ensemble import logit_activations
from kerashpo.tuners.asha import ASHA
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.bayesian import BayesianOptimization
from kerashpo.tuners.estimator_model import (
    Sizes,
    class_weights,
    without_retracing_notices,
    wrong_outputs,
)
from kerashpo.tuners.grid import GridSearch
from kerashpo.tuners.hyperband import Hyperband
from kerashpo.tuners.random import RandomSearch
from kerashpo.tuners.recommended import FOLDS, Recommended

TUNERS: Mapping[str, Callable[..., Tuner]] = {
    "recommended": Recommended,
    "hyperband": Hyperband,
    "asha": ASHA,
    "bayesian": BayesianOptimization,
    "random": RandomSearch,
    "grid": GridSearch,
}
_PLAN_EPOCHS = (Recommended, Hyperband, ASHA)
ESTIMATORS = ("best", "single", "bag", "ensemble")
TASKS = ("classification", "regression")


def _classifies(estimator: SearchCV) -> bool:
    """Whether it is a classifier and so has probabilities; for `available_if`."""
    return estimator.task == "classification"


@final
class SearchCV(BaseEstimator):  # type: ignore[misc]
    """Hyperparameter search of a Keras model as an estimator of scikit-learn.

    ``fit`` searches and keeps one model, which ``predict``, ``predict_proba`` and ``score`` use.
    It works in a `Pipeline`, in `cross_val_score` (nested cross-validation) and with `clone`
    like ``GridSearchCV``. Labels may be strings; `build_model` gets integers from 0.

    Args:
        build_model: a function ``build_model(hp)`` that returns a compiled model, or
            ``build_model(hp, meta)`` where its layers depend on the data: `meta` has
            ``n_features_in_``, ``n_classes_`` (None for regression) and ``n_outputs_`` (1, or the
            columns of y). A classifier ends in one sigmoid unit (two classes) or in one unit per
            class, trained with ``"binary_crossentropy"`` or ``"sparse_categorical_crossentropy"``.
        task: ``"classification"`` or ``"regression"``.
        tuner: ``"recommended"``, ``"hyperband"``, ``"asha"``, ``"bayesian"``, ``"random"`` or
            ``"grid"``, or a subclass of `Tuner`.
        objective: a metric's name or an `Objective`.
        max_trials: configurations to start; None for the tuner's default.
        max_epochs: the most epochs of a trial.
        validation_size: the share of validation rows, drawn at random, stratified by class.
        cv: folds or a splitter of scikit-learn, on which every trial is cross-validated instead.
        estimator: which model `fit` keeps: ``"bag"`` averages the five models of the winner of a
            final round, ``"single"`` is one model of the winner trained on all rows,
            ``"ensemble"`` averages the ten best trials, ``"best"`` is the best trial's.
            ``"bag"`` and ``"single"`` need a final round, and cannot be combined with `cv`.
        batch_size: rows in a batch.
        class_weight: None, ``"balanced"`` or a dict of a weight for each label.
        random_state: a seed or `RandomState` for the split and the search.
        directory: the folder in which the search is stored, so that an interrupted ``fit``
            resumes when it is repeated with the same data and arguments; None for a temporary
            folder.
        tuner_options: further arguments of the tuner, e.g. ``{"factor": 4, "workers": 2}``.
        fit_options: further arguments of `Tuner.search`, e.g. ``{"callbacks": [...]}``.
        verbose: 0 for no output, 1 for progress.

    Attributes:
        best_estimator_: the `keras.Model` that is kept, selected by `estimator`.
        best_params_: the best trial's values.
        best_score_: its score on validation rows, in the objective's own direction.
        best_index_: the best trial's row in ``cv_results_``.
        cv_results_: the trials as columns, see `Results.cv_results_`.
        curves_: a row for each metric of each epoch of each trial, a DataFrame.
        classes_: the labels, of a classifier.
        n_features_in_, feature_names_in_: of the training data.

    Raises:
        InvalidInput: from `fit`, for an invalid argument.
        NoResult: from `fit`, if every trial failed.
    """

    def __init__(
        self,
        build_model: Callable[..., Any],
        *,
        task: Literal["classification", "regression"] = "classification",
        tuner: Any = "recommended",
        objective: Any = "val_loss",
        max_trials: int | None = None,
        max_epochs: int = 50,
        validation_size: float = 0.2,
        cv: Any = None,
        estimator: Literal["best", "single", "bag", "ensemble"] = "bag",
        batch_size: int = 32,
        class_weight: Any = None,
        random_state: Any = None,
        directory: str | Path | None = None,
        tuner_options: Mapping[str, Any] | None = None,
        fit_options: Mapping[str, Any] | None = None,
        verbose: int = 0,
    ) -> None:
        self.build_model = build_model
        self.task = task
        self.tuner = tuner
        self.objective = objective
        self.max_trials = max_trials
        self.max_epochs = max_epochs
        self.validation_size = validation_size
        self.cv = cv
        self.estimator = estimator
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.random_state = random_state
        self.directory = directory
        self.tuner_options = tuner_options
        self.fit_options = fit_options
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SearchCV:
        """Runs the search and keeps the model that `estimator` selects.

        Args:
            X: rows by features; arrays of more axes (images, sequences) and data frames too.
            y: one label or number per row; several columns of numbers for regression.
            sample_weight: one weight per row, for the loss.
        """
        maker = self._check()
        X, y = validate_data(
            self, X, y, allow_nd=True, multi_output=True, y_numeric=not self._labels
        )
        y = self._targets(y)
        rows = {"x": X, "y": y}
        if sample_weight is not None:
            rows["w"] = _check_sample_weight(sample_weight, X)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with ExitStack() as stack:
            tuner = self._tuner(maker, y, seed, self._folder(rows, seed, stack))
            self._search(tuner, rows, seed)
            self._keep(tuner)
        return self

    def predict(self, X: Any) -> Any:
        """Returns one label per row, or the predicted numbers of a regression."""
        if self.task == "classification":
            chosen = np.argmax(self.predict_proba(X), axis=1)
            return self.classes_[chosen]
        out = self._outputs(X)
        return out[:, 0] if out.ndim == 2 and out.shape[1] == 1 and not self._columns else out

    @available_if(_classifies)
    def predict_proba(self, X: Any) -> Any:
        """Returns a probability for each row and class, in the order of `classes_`."""
        out = self._outputs(X)
        out = out.reshape(out.shape[0], -1)
        (kind,) = logit_activations(self.best_estimator_, ["output"])
        if kind == "sigmoid":
            out = 1.0 / (1.0 + np.exp(-out))
        elif kind == "softmax":
            out = np.exp(out - out.max(axis=1, keepdims=True))
            out /= out.sum(axis=1, keepdims=True)
        if (out.shape[1], len(self.classes_)) == (1, 2):
            return np.concatenate([1.0 - out, out], axis=1)
        if out.shape[1] != len(self.classes_):
            raise wrong_outputs(out.shape[1], len(self.classes_))
        return out

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Returns the accuracy of a classifier, R squared of a regression."""
        judge = accuracy_score if self.task == "classification" else r2_score
        return float(judge(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, RegressorTags

        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.non_deterministic = self.random_state is None
        if self.task == "classification":
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
            tags.target_tags.multi_output = True
        return tags

    @property
    def _labels(self) -> bool:
        return self.task == "classification"

    @property
    def _folds(self) -> bool:
        """Whether the kept model comes from a final round."""
        return self.estimator in ("bag", "single")

    def _check(self) -> Callable[..., Tuner]:
        """Checks the arguments and returns the constructor of the tuner; raises InvalidInput."""
        if self.task not in TASKS:
            raise unknown("task", self.task, TASKS)
        if self.estimator not in ESTIMATORS:
            raise unknown("estimator", self.estimator, ESTIMATORS)
        if self.class_weight is not None and not self._labels:
            raise InvalidInput("class_weight is for classification; a regression has no classes.")
        if self._folds and self.cv is not None:
            raise InvalidInput(
                f"estimator={self.estimator!r} comes from a final round with its own folds, so cv "
                "must be None. With cv choose estimator='ensemble' or 'best'."
            )
        if self.cv is None and not 0 < self.validation_size < 1:
            raise InvalidInput(
                "validation_size must be a share of the rows between 0 and 1. "
                f"Received: {self.validation_size!r}."
            )
        if not isinstance(self.tuner, str):
            if isinstance(self.tuner, type) and issubclass(self.tuner, Tuner):
                return self.tuner
            raise InvalidInput(
                f"tuner must be one of {', '.join(map(repr, TUNERS))}, or a subclass of "
                f"kerashpo.Tuner. Received: {self.tuner!r}."
            )
        if self.tuner not in TUNERS:
            raise unknown("tuner", self.tuner, TUNERS)
        return TUNERS[self.tuner]

    def _targets(self, y: Any) -> Any:
        """Returns integers from 0 for labels, floats for a regression; sets `classes_`."""
        self._columns = self.task == "regression" and y.ndim > 1 and y.shape[1] > 1
        try:
            if not self._columns:
                y = column_or_1d(y, warn=True)
            if self.task == "regression":
                return np.asarray(y, dtype=np.float32)
            check_classification_targets(y)
        except ValueError as error:
            raise InvalidInput(
                f"{error} For numbers, also in several columns, pass task='regression'; one-hot "
                "labels become labels by np.argmax(y, axis=1)."
            ) from error
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise InvalidInput("A classifier needs rows of two classes. Received: one class.")
        return encoder.transform(y)

    def _tuner(self, maker: Callable[..., Tuner], y: Any, seed: int, folder: Path) -> Tuner:
        options = dict(self.tuner_options or {})
        for name in ("objective", "max_trials", "seed", "directory", "project_name", "cv"):
            if name in options:
                raise InvalidInput(
                    f"tuner_options has {name!r}, which SearchCV sets itself: give it to SearchCV "
                    f"({'random_state' if name == 'seed' else name}=...)."
                )
        if self.max_trials is not None:
            options["max_trials"] = self.max_trials
        if self.cv is not None:
            options["cv"] = check_cv(self.cv, y, classifier=self._labels)
        if self._plans_epochs(maker):
            options["max_epochs"] = self.max_epochs
        return maker(
            self._builder(y),
            objective=self.objective,
            seed=seed,
            directory=folder.parent,
            project_name=folder.name,
            **options,
        )

    def _plans_epochs(self, maker: Any) -> bool:
        return isinstance(maker, type) and issubclass(maker, _PLAN_EPOCHS)

    def _builder(self, y: Any) -> Callable[[Any], Any]:
        sizes = Sizes(
            features=self.n_features_in_,
            classes=len(self.classes_) if self._labels else None,
            outputs=y.shape[1] if self._columns else 1,
        )
        return sizes.builder(self.build_model)

    def _folder(self, rows: Mapping[str, Any], seed: int, stack: ExitStack) -> Path:
        """Returns the folder of the study on these data."""
        if self.directory is None:
            temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="kerashpo-"))
            return Path(temporary) / "search"
        return Path(self.directory) / f"search-{joblib.hash((dict(rows), seed))[:12]}"

    def _search(self, tuner: Tuner, rows: Mapping[str, Any], seed: int) -> None:
        given: dict[str, Any] = {"batch_size": self.batch_size, "verbose": self.verbose}
        if not self._plans_epochs(type(tuner)):
            given["epochs"] = self.max_epochs
        if self.class_weight is not None:
            given["class_weight"] = class_weights(self.class_weight, self.classes_, rows["y"])
        # A tuner's default final round costs epochs that another model would not use.
        given["final_round"] = FOLDS if self._folds else False
        given |= dict(self.fit_options or {})
        if self.cv is not None:
            weights = {} if "w" not in rows else {"sample_weight": rows["w"]}
            tuner.search(rows["x"], rows["y"], **weights, **given)
            return
        names = list(rows)
        parts = train_test_split(
            *rows.values(),
            test_size=self.validation_size,
            random_state=seed,
            stratify=self._strata(rows["y"]),
        )
        train = dict(zip(names, parts[::2]))
        held_out = dict(zip(names, parts[1::2]))
        if "w" in train:
            given["sample_weight"] = train.pop("w")
        tuner.search(train["x"], train["y"], validation_data=tuple(held_out.values()), **given)

    def _strata(self, y: Any) -> Any:
        """Returns the labels to stratify by; None for a regression or where a class is tiny."""
        if not self._labels:
            return None
        counts = np.bincount(y)
        held_out = math.ceil(self.validation_size * len(y))
        possible = counts.min() >= 2 and len(counts) <= min(held_out, len(y) - held_out)
        return y if possible else None

    def _keep(self, tuner: Tuner) -> None:
        results = tuner.results
        failures = results.failures()
        if len(failures) and len(failures) == len(results):
            raise NoResult(
                f"All {len(failures)} trials failed, the first one with: {failures.message.iloc[0]}"
            )
        best = results.best
        self.best_params_, self.best_score_ = dict(best.config), best.score
        self.cv_results_, self.curves_ = results.cv_results_, results.curves()
        self.best_index_ = [*self.cv_results_["params"]].index(self.best_params_)
        match self.estimator:
            case "best":
                model = results.best_model()
                # Saved without its optimizer's variables, it would be loaded with a warning.
                model.optimizer.build(model.trainable_variables)
                self.best_estimator_ = model
            case "ensemble":
                self.best_estimator_ = results.ensemble(10)
            case "single":
                self.best_estimator_ = results.final.single
            case "bag":
                self.best_estimator_ = results.final.model

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self, "best_estimator_")
        X = validate_data(self, X, reset=False, allow_nd=True)
        with without_retracing_notices():
            out = self.best_estimator_.predict(X, batch_size=max(self.batch_size, 256), verbose=0)
        return np.asarray(out, dtype=np.float64)
