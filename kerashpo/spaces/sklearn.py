"""Ready search spaces for scikit-learn: classifiers, regressors, and each family alone.

    models = kt.spaces.sklearn.classifier()
    found = kt.optimize(models.objective(X, y), models.space, direction="max", max_trials=50)
    best = models.build(found.best.config).fit(X, y)

Each function returns an `EstimatorSpace`, which is a hypermodel of `SklearnTuner` too.
"""

from __future__ import annotations

from collections.abc import Iterable

from kerashpo.spaces.estimator_space import EstimatorSpace, Kind, estimator_space

__all__ = [
    "EstimatorSpace",
    "boosting",
    "classifier",
    "forest",
    "linear",
    "mlp",
    "neighbours",
    "regressor",
    "svm",
    "tree",
]


def classifier(
    families: Iterable[str] | str | None = None, *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of classifiers: which family, its parameters, and preprocessing.

    Args:
        families: some of ``"linear"``, ``"svm"``, ``"tree"``, ``"forest"``, ``"boosting"``,
            ``"neighbours"`` and ``"mlp"``; None for all of them.
        preprocess: whether estimators are pipelines that impute, encode and scale first; False for
            data that need none, sparse matrices among them.
        random_state: the seed of every estimator.

    Raises:
        InvalidInput: for an unknown family.
    """
    return estimator_space("classifier", families, preprocess, random_state)


def regressor(
    families: Iterable[str] | str | None = None, *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of regressors; the arguments are those of `classifier`.

    Support vector machines and networks are fitted to standardised targets.
    """
    return estimator_space("regressor", families, preprocess, random_state)


def linear(
    kind: Kind = "classifier", *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of linear models: logistic regression; ridge and elastic net.

    Args:
        kind: ``"classifier"`` or ``"regressor"``.
        preprocess, random_state: see `classifier`.
    """
    return estimator_space(kind, "linear", preprocess, random_state)


def svm(
    kind: Kind = "classifier", *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of support vector machines: SVC and SVR.

    Args:
        kind: ``"classifier"`` or ``"regressor"``.
        preprocess, random_state: see `classifier`.
    """
    return estimator_space(kind, "svm", preprocess, random_state)


def tree(
    kind: Kind = "classifier", *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of one decision tree.

    Args:
        kind: ``"classifier"`` or ``"regressor"``.
        preprocess, random_state: see `classifier`.
    """
    return estimator_space(kind, "tree", preprocess, random_state)


def forest(
    kind: Kind = "classifier", *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of random forests and extremely randomised trees.

    Args:
        kind: ``"classifier"`` or ``"regressor"``.
        preprocess, random_state: see `classifier`.
    """
    return estimator_space(kind, "forest", preprocess, random_state)


def boosting(
    kind: Kind = "classifier", *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of gradient boosting on histograms.

    Args:
        kind: ``"classifier"`` or ``"regressor"``.
        preprocess, random_state: see `classifier`.
    """
    return estimator_space(kind, "boosting", preprocess, random_state)


def neighbours(
    kind: Kind = "classifier", *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of nearest neighbours.

    Args:
        kind: ``"classifier"`` or ``"regressor"``.
        preprocess, random_state: see `classifier`.
    """
    return estimator_space(kind, "neighbours", preprocess, random_state)


def mlp(
    kind: Kind = "classifier", *, preprocess: bool = True, random_state: int = 0
) -> EstimatorSpace:
    """Search space of multilayer perceptrons.

    Args:
        kind: ``"classifier"`` or ``"regressor"``.
        preprocess, random_state: see `classifier`.
    """
    return estimator_space(kind, "mlp", preprocess, random_state)
