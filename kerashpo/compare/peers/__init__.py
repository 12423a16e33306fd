"""Other libraries' tuners, under the conditions of ours.

The same splits, the same ``build_model``, the same seeds and as many epochs; trained with
plain ``model.fit``, as their users do. A winner's test metrics come from the weights of its
best epoch, in plain Keras.

===============  ======================================================================
``recorder``     a callback that keeps every epoch, the best weights and the time
``terms``        the conditions under which a peer searches
``keras_tuner``  KerasTuner's Hyperband and BayesianOptimization
``optuna``       Optuna's TPE and Gaussian process, defined by run
``run``          one peer on one seed
===============  ======================================================================

To add a peer: a function like `optuna.search`, its name in `PEERS` of ``compare/tuners.py``
and its case in ``run.py``. A peer's search cannot be continued: one that was cut off begins
anew, with the same seed.
"""
