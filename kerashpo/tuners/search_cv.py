"""`SearchCV`: a hyperparameter search as an estimator of scikit-learn."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, final

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from kerashpo.core.errors import InvalidInput, NoResult, unknown
from kerashpo.training.ensemble import logit_activations
from kerashpo.tuners.asha import ASHA
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.bayesian import BayesianOptimization
from kerashpo.tuners.estimator_model import (
    class_weights,
    summing_to_one,
    without_retracing_notices,
    wrong_outputs,
)
from kerashpo.tuners.estimator_targets import (
    Targets,
    group_folds,
    held_out_split,
    read_groups,
    read_targets,
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
    like ``GridSearchCV``. Labels may be strings; `build_model` gets integers from 0. Rows with
    several labels are given by a column of 0 and 1 for each label.

    Args:
        build_model: a function ``build_model(hp)`` that returns a compiled model, or
            ``build_model(hp, meta)`` where its layers depend on the data: `meta` has
            ``n_features_in_``, ``n_classes_`` (None for regression, 2 for several labels a row)
            and ``n_outputs_`` (1, or the columns of y). A classifier ends in one sigmoid unit
            (two classes), in a sigmoid unit for each column of y, both trained with
            ``"binary_crossentropy"``, or in one unit per class, with
            ``"sparse_categorical_crossentropy"``.
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
        class_weight: None, ``"balanced"`` or a dict of a weight for each label. It is multiplied by
            a sample weight; then, with folds, validation rows are weighted by both.
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
        classes_: the labels of a classifier; the columns' numbers where rows have several.
        n_splits_: folds of each trial, 1 for a validation part.
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> SearchCV:
        """Runs the search and keeps the model that `estimator` selects.

        Args:
            X: rows by features; arrays of more axes (images, sequences) and data frames too.
            y: one label or number per row; several columns of numbers for regression, of 0 and 1
                for rows with several labels.
            sample_weight: one weight per row, for the loss.
            groups: a group for each row, e.g. its patient: rows of a group are never divided
                between training and validation, nor by `cv` and the final round's folds.
        """
        maker = self._check()
        X, y = validate_data(
            self, X, y, allow_nd=True, multi_output=True, y_numeric=not self._labels
        )
        targets = read_targets(y, self.task)
        self._kind, self._columns = targets.kind, targets.several
        if self._labels:
            self.classes_ = targets.classes
        rows = {"x": X, "y": targets.y}
        if sample_weight is not None:
            rows["w"] = _check_sample_weight(sample_weight, X)
        if groups is not None:
            rows["groups"] = read_groups(groups, targets.y)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with ExitStack() as stack:
            folds = self._cv(targets, rows)
            tuner = self._tuner(maker, targets, folds, seed, self._folder(rows, seed, stack))
            tuner._report_call, tuner._folder_kept = "", self.directory is not None
            self._search(tuner, targets, rows, seed)
            self._keep(tuner)
        self.n_splits_ = 1 if folds is None else folds.get_n_splits(X, targets.y)
        return self

    def predict(self, X: Any) -> Any:
        """Returns one label per row, a 0 or 1 for each of several, or a regression's numbers."""
        check_is_fitted(self, "best_estimator_")
        if self._kind == "indicators":
            return (self.predict_proba(X) > 0.5).astype(int)
        if self._kind == "labels":
            return self.classes_[np.argmax(self.predict_proba(X), axis=1)]
        out = self._outputs(X)
        return out[:, 0] if out.ndim == 2 and out.shape[1] == 1 and not self._columns else out

    @available_if(_classifies)
    def predict_proba(self, X: Any) -> Any:
        """Returns a probability for each row and class, in the order of `classes_`.

        They add up to 1, but where rows have several labels.
        """
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
        return out if self._kind == "indicators" else summing_to_one(out)

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
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags(multi_label=True)
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

    def _cv(self, targets: Targets, rows: Mapping[str, Any]) -> Any:
        """Returns the splitter of `cv`, None without one; its splits where rows have groups."""
        if self.cv is None:
            return None
        splitter = check_cv(self.cv, targets.y, classifier=self._labels)
        if "groups" not in rows:
            return splitter
        return check_cv(list(splitter.split(rows["x"], targets.y, rows["groups"])))

    def _tuner(
        self, maker: Callable[..., Tuner], targets: Targets, folds: Any, seed: int, folder: Path
    ) -> Tuner:
        options = dict(self.tuner_options or {})
        for name in ("objective", "max_trials", "seed", "directory", "project_name", "cv"):
            if name in options:
                raise InvalidInput(
                    f"tuner_options has {name!r}, which SearchCV sets itself: give it to SearchCV "
                    f"({'random_state' if name == 'seed' else name}=...)."
                )
        if self.max_trials is not None:
            options["max_trials"] = self.max_trials
        if folds is not None:
            options["cv"] = folds
        if self._plans_epochs(maker):
            options["max_epochs"] = self.max_epochs
        return maker(
            targets.sizes(self.n_features_in_).builder(self.build_model),
            objective=self.objective,
            seed=seed,
            directory=folder.parent,
            project_name=folder.name,
            **options,
        )

    def _plans_epochs(self, maker: Any) -> bool:
        return isinstance(maker, type) and issubclass(maker, _PLAN_EPOCHS)

    def _folder(self, rows: Mapping[str, Any], seed: int, stack: ExitStack) -> Path:
        """Returns the folder of the study on these data."""
        if self.directory is None:
            temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="kerashpo-"))
            return Path(temporary) / "search"
        return Path(self.directory) / f"search-{joblib.hash((dict(rows), seed))[:12]}"

    def _search(self, tuner: Tuner, targets: Targets, rows: Mapping[str, Any], seed: int) -> None:
        given: dict[str, Any] = {"batch_size": self.batch_size, "verbose": self.verbose}
        if not self._plans_epochs(type(tuner)):
            given["epochs"] = self.max_epochs
        weights = self._weights(targets, rows, given)
        # A tuner's default final round costs epochs that another model would not use.
        given["final_round"] = FOLDS if self._folds else False
        x, y, groups = rows["x"], targets.y, rows.get("groups")
        if self.cv is None:
            train, held_out = held_out_split(targets, self.validation_size, seed, groups)
            # Validation is weighted by the rows' own weights alone, as in Keras.
            own = [rows["w"][held_out]] if "w" in rows else []
            given["validation_data"] = (x[held_out], y[held_out], *own)
            if self._folds and groups is not None:
                given["final_round"] = group_folds(groups[train], FOLDS)
            x, y, weights = x[train], y[train], weights if weights is None else weights[train]
        if weights is not None:
            given["sample_weight"] = weights
        tuner.search(x, y, **given | dict(self.fit_options or {}))

    def _weights(self, targets: Targets, rows: Mapping[str, Any], given: dict[str, Any]) -> Any:
        """Returns the rows' weights, None for none; class weights alone go to `given`."""
        weights = rows.get("w")
        if self.class_weight is None:
            return weights
        by_class = class_weights(self.class_weight, targets.classes, targets.y)
        if weights is None:
            given["class_weight"] = by_class
            return None
        return weights * np.array([by_class[number] for number in targets.y])

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
