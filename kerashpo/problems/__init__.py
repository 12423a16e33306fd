"""Problems to tune: data sets with hypermodels, and learning curves without training.

=================  ==================================================================
``task``           `Task`, a data set with a hypermodel: what the comparison trains
``from_arrays``    what `Task.from_arrays` works out of arrays
``splits``         train, validation and test parts; `standardised`
``baselines``      answers that need no model, and simple rivals from scikit-learn
``registry``       tasks by name, or by an import string such as ``my_file.py:task``
``template``       the file and the test that ``kerashpo new-problem NAME`` writes
``breast_cancer``  the lab: scikit-learn's Breast Cancer data and an MLP
``wine``           three growers of wine and an MLP, the smallest
``digits``         handwritten digits and a small convolutional network
``digits_cost``    the same with three objectives: accuracy, parameters, latency
``diabetes``       the progression of diabetes and an MLP: a regression
``sp500``          tomorrow's volatility of the S&P 500: linear models and a GRU, in time order
``fashion``        images of clothes and a convolutional network
``cartpole``       a pole balanced by deep Q-learning, whose samples are start states
``dqn``            deep Q-learning as a Keras model
``reuters``        newswire articles and a small transformer
``movielens``      ratings of films: factorisation with biases and features
``multimodal``     retweets: encoders of text and numbers, joined
``words``          vocabularies, token arrays and tf-idf, for these
``packaged``       data files of installed packages, for the problems of ``docs/domains.md``
``mlp``            the hidden layers that the MLPs share
``base``           `Problem`, what `kerashpo.simulate` searches
``power_law``      learning curves from a formula, for studying schedulers
=================  ==================================================================

A problem of your own needs no change here: a function that returns a `Task`, compared with
``python -m kerashpo.compare --problem my_file.py:function``. ``kerashpo new-problem NAME``
writes one to begin with.

To add a task to this package: a file with a function that returns a `Task`, title and
description in every language among its arguments, and a line in ``registry.py``. Data come with
scikit-learn, or are read from packages of the extra ``[domains]``. Hypermodels import Keras
inside their functions, so that this package is imported quickly.
"""

from kerashpo.problems.base import Problem
from kerashpo.problems.splits import Split, standardised
from kerashpo.problems.task import Task

__all__ = ["Problem", "Split", "Task", "standardised"]
