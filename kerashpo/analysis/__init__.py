"""Numbers from a `History`: no drawing, no Keras.

===============  =============================================================
``tables``       the rows behind `results.trials()` and `results.curves()`
``validation``   `results.cv_results_`, in scikit-learn's words
``anytime``      the best value so far against trials, epochs and seconds
``evidence``     what trials say about parameters: positions against scores
``forest``       a random forest as boxes, whose marginals are exact
``importance``   which parameters matter (functional ANOVA)
``pareto``       the trials that no other beats in every respect
``statistics``   means and intervals over seeds
``ranks``        several methods on the same blocks: average ranks, tests
``signed_rank``  Wilcoxon's test, exact with ties, and Holm's correction
===============  =============================================================

pandas is imported only where a table is asked for.
"""
