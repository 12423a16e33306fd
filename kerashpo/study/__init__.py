"""A study: the loop that runs it, its folder, and the results.

=================  ====================================================================
``loop``           the loop: ask, submit, poll, decide, append, notify
``run_study``      `run_study`: wires the parts together and runs the loop
``open``           creates a study, or opens one and refuses a different search
``compatibility``  what differs between two searches, and what merely widens one
``state``          the log folded once, into the history and into the scheduler
``remaining``      whether anything is left to train
``listeners``      passes events to listeners; a failing one is removed
``signals``        Ctrl-C and SIGTERM
``retention``      which weights are kept
``results``        `Results`: best trial, models, plots, report; the same for every kind of search
``result_tables``  the tables of `Results` as DataFrames: trials, curves, failures, Pareto front
``result_models``  builds the models behind results: the interface, and what has none
``best_trial``     `results.best`
``final_results``  `results.final`, the final round
``study``          `open_study`: the results of a folder, without Keras; studies below a folder
``doctor``         checks and repairs a study's folder
``rerun``          runs a search's command again
``watch``          the display of a search that another process runs
``listing``        the table of studies that ``kerashpo list`` prints
``keras_tuner_project``  reads and deletes a project folder of KerasTuner
=================  ====================================================================

Open ``loop.py`` first.
"""
