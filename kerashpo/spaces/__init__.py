"""Ready-made search spaces, with builders of what a configuration describes.

======================  =================================================================
``sklearn``             classifiers and regressors of scikit-learn, one function a family
``sklearn_families``    the estimators and ranges of each family
``estimator_space``     `EstimatorSpace`: a space and the builder of its estimators
``preprocessing``       imputation, encoding and scaling in front of an estimator
``declaring``           declares a space on a `HyperParameters`, for tuners
======================  =================================================================

To add a family: an entry in ``sklearn_families`` and a function in ``sklearn``.
"""

from kerashpo.spaces import sklearn

__all__ = ["sklearn"]
