"""What to tune.

=================  ==================================================================
``base``           `Problem`, what `kerashpo.simulate` searches
``curves``         learning curves from formulas, for studying schedulers
``task``           `Task`, a data set with a hypermodel, what the comparison trains
``breast_cancer``  the lab: scikit-learn's Breast Cancer data and an MLP
=================  ==================================================================

To add a task: a file with a function that returns a `Task`, and a line in ``registry.py``.
Hypermodels import Keras inside their functions, so that this package starts at once.
"""
