"""Studies as other libraries' studies: ``kerashpo export PATH --to optuna``.

================  ==================================================================
``registry``      which libraries there are, by name
``optuna``        an Optuna study in a SQLite file, e.g. for optuna-dashboard
``distributions`` our domains as Optuna's distributions
================  ==================================================================

To add a library: a file with a function ``(study, out) -> Path``, and a line in the registry.
"""
