"""The comparison: ``python -m kerashpo.compare``.

For each problem, tuner and seed: the search, then an evaluation of its best model on the test
set, which no search sees. The untuned default configuration and an answer that needs no model
are compared with the tuners, ours and other libraries'.

======================  ==============================================================
``__main__``            the command: plan, run what is missing, publish
``comparison_options``  what to compare, from flags and a TOML plan
``tuners``              the tuners by name, and the budget of each
``outside``             problems and tuners of your own, by import string, and their checks
``runs``                one cell (problem, tuner, seed), its folder and its result
``run_cells``           runs the cells on our executors, here or in worker processes
``run_one``             runs one cell: a search with one of our tuners, or a baseline
``search_and_test``     the search with a tuner of ours, and its winner on the test set
``peers``               runs one cell with another library's tuner
``evaluate``            test metrics and confusion matrices
``models``              test scores of a search's models: winner, ensembles, final round
``model_table``         the table of these models
``hypervolumes``        several objectives: hypervolumes of fronts in place of scores
``front_report``        the part of the report about fronts
``latency``             the time of a prediction
``storage``             the folder: results are read from it, CSV files written to it
``statistics``          means, bootstrap intervals, ranks, tests, epochs to a target
``report``              the report, and the claims that the tests support
``figures``             its figures
``formatting``          numbers, intervals and names as text
``screen``              tables and progress on the screen
``command``             the command: plans the cells, runs them, writes the report
``provenance``          date, command, versions, machine and load of each session
======================  ==============================================================

The ``result.json`` of each run below ``DIR/runs`` is the only stored result: a run that has
one is not repeated, and an interrupted search resumes from its log. CSV files, figures and the
report are output, rewritten each time.

A tuner or a problem of your own needs no change here, see ``outside``. To add a tuner of this
package: its name in ``tuners`` and its case in ``run_one``.
"""
