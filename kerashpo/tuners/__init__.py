"""KerasTuner's verbs on our engine. The only place that composes the parts.

=======================  =========================================================
`Hyperband`              brackets of successive halving over random configurations
`ASHA`                   asynchronous halving: never waits for a rung to fill
`BayesianOptimization`   a Gaussian process proposes, every trial is trained fully
`RandomSearch`           random configurations without repeats
`GridSearch`             every configuration of a finite space
`optimize`               any Python function instead of a model
=======================  =========================================================

To add a tuner: a final subclass of `kerashpo.tuners.tuner.Tuner` that names its
algorithm and builds its scheduler, and a line in the menu of ``kerashpo/__init__.py``.
Importing a tuner imports Keras; importing this package or `optimize` does not.
"""
