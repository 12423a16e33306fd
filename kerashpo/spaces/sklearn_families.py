"""The families of scikit-learn's estimators: their parameters and how each is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from sklearn import ensemble, linear_model, neighbors, neural_network, svm, tree

from kerashpo.space.constructors import boolean, choice, integer, loguniform, uniform, when

Values: TypeAlias = Mapping[str, Any]

_PENALTY = inspect.signature(linear_model.LogisticRegression).parameters.get("penalty")
_ELASTIC = {"penalty": "elasticnet"} if _PENALTY is not None and _PENALTY.default == "l2" else {}
"""Before scikit-learn 1.8 `l1_ratio` needs it, from then on it is deprecated."""


@final
@dataclass(frozen=True, slots=True)
class Family:
    """One family of estimators.

    Attributes:
        space: its parameters, for a classifier or a regressor.
        make: returns the estimator of some values; arguments: kind, values, seed.
        scaler: how numbers are scaled by default; None where scaling makes no difference.
        scales_targets: whether a regressor is fitted to standardised targets.
    """

    space: Callable[[str], dict[str, Any]]
    make: Callable[[str, Values, int], Any]
    scaler: str | None = "standard"
    scales_targets: bool = False


def _linear_space(kind: str) -> dict[str, Any]:
    if kind == "classifier":
        return {
            "C": loguniform(1e-4, 1e4, default=1.0),
            "l1_ratio": uniform(0.0, 1.0, step=0.25, default=0.0),
            "balanced": boolean(),
        }
    return {"alpha": loguniform(1e-6, 1e3, default=1.0), "l1_ratio": uniform(0, 1, 0.25, default=0)}


def _linear(kind: str, values: Values, seed: int) -> Any:
    mixed = values["l1_ratio"] > 0
    if kind == "classifier":
        # Only saga takes a share of l1; lbfgs is faster without.
        penalty = {"l1_ratio": values["l1_ratio"], "solver": "saga", **_ELASTIC} if mixed else {}
        return linear_model.LogisticRegression(
            C=values["C"],
            class_weight=_weights(values),
            max_iter=1000,
            random_state=seed,
            **penalty,
        )
    if not mixed:
        return linear_model.Ridge(alpha=values["alpha"], random_state=seed)
    return linear_model.ElasticNet(
        alpha=values["alpha"], l1_ratio=values["l1_ratio"], max_iter=5000, random_state=seed
    )


def _svm_space(kind: str) -> dict[str, Any]:
    more = {"balanced": boolean()} if kind == "classifier" else {"epsilon": loguniform(1e-3, 1.0)}
    return {
        "C": loguniform(1e-3, 1e3, default=1.0),
        "kernel": choice(["rbf", "poly", "linear"]),
        **when("kernel", ["rbf", "poly"], {"gamma": loguniform(1e-5, 1e1, default=0.1)}),
        **when("kernel", "poly", {"degree": integer(2, 4, default=3)}),
        **more,
    }


def _svm(kind: str, values: Values, seed: int) -> Any:
    shared = {
        "C": values["C"],
        "kernel": values["kernel"],
        "gamma": values.get("gamma", "scale"),
        "degree": values.get("degree", 3),
    }
    if kind == "classifier":
        return svm.SVC(class_weight=_weights(values), random_state=seed, **shared)
    return svm.SVR(epsilon=values["epsilon"], **shared)


def _leaves() -> dict[str, Any]:
    return {
        "min_samples_leaf": integer(1, 64, log=True, default=1),
        "max_features": uniform(0.1, 1.0, default=1.0),
    }


def _tree_space(kind: str) -> dict[str, Any]:
    return {
        "max_depth": integer(1, 20, default=20),
        "ccp_alpha": loguniform(1e-6, 1e-1, default=1e-6),
        **_leaves(),
        **({"balanced": boolean()} if kind == "classifier" else {}),
    }


def _tree(kind: str, values: Values, seed: int) -> Any:
    shared = _without(values, "balanced", "scaler")
    if kind == "classifier":
        return tree.DecisionTreeClassifier(
            class_weight=_weights(values), random_state=seed, **shared
        )
    return tree.DecisionTreeRegressor(random_state=seed, **shared)


def _forest_space(kind: str) -> dict[str, Any]:
    return {
        "extra": boolean(),
        "n_estimators": integer(50, 500, log=True, default=100),
        "bootstrap": boolean(default=True),
        **_leaves(),
        **({"balanced": boolean()} if kind == "classifier" else {}),
    }


def _forest(kind: str, values: Values, seed: int) -> Any:
    shared = _without(values, "extra", "balanced", "scaler")
    extra = values["extra"]
    if kind == "classifier":
        found = ensemble.ExtraTreesClassifier if extra else ensemble.RandomForestClassifier
        return found(class_weight=_weights(values), random_state=seed, **shared)
    cls = ensemble.ExtraTreesRegressor if extra else ensemble.RandomForestRegressor
    return cls(random_state=seed, **shared)


def _boosting_space(kind: str) -> dict[str, Any]:
    return {
        "learning_rate": loguniform(0.01, 0.5, default=0.1),
        "max_iter": integer(25, 500, log=True, default=100),
        "max_leaf_nodes": integer(4, 128, log=True, default=31),
        "l2_regularization": loguniform(1e-8, 1e2, default=1e-8),
        "min_samples_leaf": integer(1, 100, log=True, default=20),
        "max_features": uniform(0.2, 1.0, default=1.0),
        **({"balanced": boolean()} if kind == "classifier" else {}),
    }


def _boosting(kind: str, values: Values, seed: int) -> Any:
    shared = _without(values, "balanced", "scaler")
    if kind == "classifier":
        return ensemble.HistGradientBoostingClassifier(
            class_weight=_weights(values), early_stopping=False, random_state=seed, **shared
        )
    return ensemble.HistGradientBoostingRegressor(early_stopping=False, random_state=seed, **shared)


def _neighbours_space(kind: str) -> dict[str, Any]:
    return {
        "n_neighbors": integer(1, 30, log=True, default=5),
        "weights": choice(["uniform", "distance"]),
        "p": choice([1, 2], default=2),
    }


def _neighbours(kind: str, values: Values, seed: int) -> Any:
    shared = _without(values, "scaler")
    if kind == "classifier":
        return neighbors.KNeighborsClassifier(**shared)
    return neighbors.KNeighborsRegressor(**shared)


def _mlp_space(kind: str) -> dict[str, Any]:
    return {
        "layers": integer(1, 3, default=1),
        "units": integer(8, 256, log=True, default=64),
        "activation": choice(["relu", "tanh"]),
        "alpha": loguniform(1e-7, 1e0, default=1e-4),
        "learning_rate_init": loguniform(1e-4, 1e-1, default=1e-3),
        "early_stopping": boolean(),  # on a tenth of the rows
    }


def _mlp(kind: str, values: Values, seed: int) -> Any:
    cls = neural_network.MLPClassifier if kind == "classifier" else neural_network.MLPRegressor
    shared = _without(values, "layers", "units", "scaler")
    # A tenth of the rows says when to stop, so that the number of epochs is no parameter.
    return cls(
        hidden_layer_sizes=(values["units"],) * values["layers"],
        random_state=seed,
        **shared,
    )


FAMILIES: Mapping[str, Family] = {
    "linear": Family(_linear_space, _linear),
    "svm": Family(_svm_space, _svm, scales_targets=True),
    "tree": Family(_tree_space, _tree, scaler=None),
    "forest": Family(_forest_space, _forest, scaler=None),
    "boosting": Family(_boosting_space, _boosting, scaler=None),
    "neighbours": Family(_neighbours_space, _neighbours),
    "mlp": Family(_mlp_space, _mlp, scales_targets=True),
}
"""The families by name."""


def _weights(values: Values) -> str | None:
    return "balanced" if values.get("balanced") else None


def _without(values: Values, *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
