"""Export of studies to other libraries: ``kerashpo export PATH --to optuna``.

==========  ======================================================================
``optuna``  `export_study` writes an Optuna study to a SQLite file, for Optuna's plots
            and optuna-dashboard
==========  ======================================================================

To add a library: a module with a function ``write(study, out) -> Path``, and a case in
`export_study`.
"""
