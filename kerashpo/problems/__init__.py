"""What to tune.

=================  ==================================================================
``base``           `Problem`, what `kerashpo.simulate` searches
``curves``         learning curves from formulas, for studying schedulers
``task``           `Task`, a data set with a hypermodel, what the comparison trains
``breast_cancer``  the lab: scikit-learn's Breast Cancer data and an MLP
``wine``           three growers of wine and an MLP, the smallest
``digits``         handwritten digits and a small convolutional network
``diabetes``       the progression of diabetes and an MLP: a regression
``splits``         train, validation and test parts
``dense``          the hidden layers that the MLPs share
=================  ==================================================================

To add a task: a file with a function that returns a `Task`, a line in ``registry.py``, and
a description in ``i18n/lang`` under its name. All data come with scikit-learn.
Hypermodels import Keras inside their functions, so that this package starts at once.
"""
