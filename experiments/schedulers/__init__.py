"""Schedulers, and those of other libraries, on recorded learning curves.

==============  ==========================================================================
``lcbench``     the six tasks: curves of Auto-PyTorch networks, from YAHPO's surrogate
``references``  what regret is measured by, and ``references.json``
``traces``      what every method leaves: the best value against epochs, trials and seconds
``methods``     our tuners by name
``peers``       Optuna's pruners, KerasTuner's schedule, "top K after one rung"
``run``         trains what is missing: ``python -m experiments.schedulers.run --help``
``summary``     tables and figures: ``python -m experiments.schedulers.summary``
``cost``        what a decision costs: ``python -m experiments.schedulers.cost``
``timelines``   one search drawn: ``python -m experiments.schedulers.timelines``
==============  ==========================================================================
"""
