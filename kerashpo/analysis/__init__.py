"""Numbers computed from a `History`: no drawing, no Keras.

======================  =========================================================================
``tables``              the rows behind `results.trials()` and `results.curves()`
``cv_results``          `results.cv_results_`, with scikit-learn's column names
``anytime``             the incumbent's value against trials, epochs and seconds
``intervals``           confidence intervals: Student, bootstrap (BCa), Wilson
``saturation``          whether the validation data can still distinguish the best trials
``ranking``             several methods on the same blocks: average ranks, Friedman's and
                        Wilcoxon's tests, Holm's correction
``pareto``              trade-off between objectives and the Pareto front
``fronts``              fronts of several searches: hypervolumes on one scale, attainment
``design_matrix``       trials as rows of the unit cube, with their scores
``forest``              a random forest over the design matrix, with exact marginals
``importance``          parameter importances (functional ANOVA)
``lineage``             ancestors of a trial of population-based training, and the schedule found
``fold_scores``         scores of the finalists of a final round over their folds
``finalist_rows``       a final round as a table, a row for each finalist
``ensemble_selection``  weights of the models of an average
``expected_score``      the expected score of the best trial on new data
``json_tables``         the tables as JSON values
======================  =========================================================================

pandas is imported only where a table is asked for. To add one: a module with pure functions of a
`History` (or of arrays), and a test against an independent implementation.
"""
