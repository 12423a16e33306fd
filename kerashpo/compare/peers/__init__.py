"""Tuners of other libraries, under the same conditions as ours.

The same splits, the same ``build_model``, the same seeds and as many epochs; trained with plain
``model.fit``, as their users do. A winner's test metrics come from the weights of its best
epoch, in plain Keras.

===============  ======================================================================
``recorder``     a callback that records every epoch, the best weights and the time
``keras_tuner``  KerasTuner's Hyperband and BayesianOptimization
``optuna``       Optuna's TPE, Gaussian process and NSGA-II, defined by run
``tuned_fit``    arguments of `fit` that a problem tunes, e.g. the batch size
``run_peer``     runs one cell: search, best epoch, test set
===============  ======================================================================

To add a library: a function like `optuna.search`, its name in `PEERS` of ``compare/tuners.py``
and its case in ``run_peer.py``. A search of another library cannot be continued: one that was
interrupted starts again, with the same seed.
"""
