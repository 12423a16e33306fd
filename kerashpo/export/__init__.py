"""Export of studies to other libraries: ``kerashpo export PATH --to optuna``, and the dashboard.

=============  ===================================================================
``optuna``     `export_study` writes an Optuna study to a SQLite file, for Optuna's
               plots and optuna-dashboard
``mirror``     `MirrorStorage`: studies as a storage of Optuna's that follows their logs
``dashboard``  ``kerashpo dashboard PATH``: optuna-dashboard on that mirror
=============  ===================================================================

To add a library: a module with a function ``write(study, out) -> Path``, and a case in
`export_study`.
"""
