"""`EstimatorSpace`: a search space and the builder of the estimators that it describes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final, get_args

from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.records import Config
from kerashpo.space.constructors import choice
from kerashpo.space.space import Space
from kerashpo.spaces.declaring import declare
from kerashpo.spaces.preprocessing import SCALERS, preprocessor
from kerashpo.spaces.sklearn_families import FAMILIES

Kind: TypeAlias = Literal["classifier", "regressor"]


@final
@dataclass(frozen=True)
class EstimatorSpace:
    """A search space of scikit-learn's estimators, and their builder.

    Called with a `HyperParameters` it declares the space and returns the estimator, so that it is
    a hypermodel of `SklearnTuner`.

    Attributes:
        space: the search space, for `optimize`.
        kind: ``"classifier"`` or ``"regressor"``.
        random_state: the seed of every estimator.
        preprocess: whether a configuration describes preprocessing too.
    """

    space: Space
    kind: Kind
    random_state: int = 0
    preprocess: bool = True

    def build(self, config: Mapping[str, Any]) -> Any:
        """Returns the unfitted estimator of a configuration, a pipeline where it preprocesses.

        Parameters that `config` omits take their defaults.

        Raises:
            InvalidSpace: for an unknown name or a value outside its domain.
        """
        whole = self.space.complete(config)
        family = FAMILIES[str(whole["model"])]
        own = {k.removeprefix("model/"): v for k, v in whole.items() if k.startswith("model/")}
        model = family.make(self.kind, own, self.random_state)
        if self.kind == "regressor" and family.scales_targets:
            model = TransformedTargetRegressor(model, transformer=StandardScaler())
        if not self.preprocess:
            return model
        return make_pipeline(preprocessor(own.get("scaler"), self.random_state), model)

    def __call__(self, hp: Any) -> Any:
        """Declares the space on a `HyperParameters`; returns the estimator of its values."""
        return self.build(declare(hp, self.space))

    def objective(
        self, X: Any, y: Any, cv: Any = 5, scoring: Any = None
    ) -> Callable[[Config], float]:
        """Returns a function for `optimize`: a configuration's mean score over folds, to maximise.

        Args:
            X: samples by features: an array or a data frame.
            y: targets.
            cv: a number of folds or a splitter of scikit-learn.
            scoring: a scorer or its name; None for the estimator's own ``score``.
        """
        return CrossValidated(self, X, y, cv, scoring)


@final
@dataclass(frozen=True)
class CrossValidated:
    """The mean cross-validated score of a configuration; can be pickled for worker processes."""

    models: EstimatorSpace
    X: Any
    y: Any
    cv: Any
    scoring: Any

    def __call__(self, config: Mapping[str, Any]) -> float:
        model = self.models.build(config)
        with warnings.catch_warnings():
            # A configuration that does not converge is judged by its score, like any other.
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores = cross_val_score(
                model, self.X, self.y, cv=self.cv, scoring=self.scoring, error_score="raise"
            )
        return float(scores.mean())


def estimator_space(
    kind: Kind, families: Any, preprocess: bool, random_state: int
) -> EstimatorSpace:
    """Returns the space of some families, a choice ``model`` with their parameters under it.

    Raises:
        InvalidInput: for an unknown family or kind, or none at all.
    """
    if kind not in get_args(Kind):
        raise InvalidInput(f'kind must be "classifier" or "regressor". Received: {kind!r}.')
    require_integer("random_state", random_state, 0)
    chosen = tuple(FAMILIES) if families is None else families
    chosen = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    if not chosen or any(name not in FAMILIES for name in chosen):
        names = ", ".join(FAMILIES)
        raise InvalidInput(f"families must be some of {names}. Received: {families!r}.")
    options: dict[str, Any] = {}
    for name in chosen:
        family = FAMILIES[name]
        options[name] = family.space(kind)
        if preprocess and family.scaler is not None:
            options[name]["scaler"] = choice(SCALERS, default=family.scaler)
    return EstimatorSpace(Space({"model": choice(options)}), kind, random_state, preprocess)
