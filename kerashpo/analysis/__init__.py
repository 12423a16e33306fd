"""Numbers from a `History`: no drawing, no Keras.

=============  ====================================================================
``tables``     the rows behind `results.trials()` and `results.curves()`
``anytime``    the best value so far against trials, epochs and seconds
``statistics`` means and intervals over seeds
=============  ====================================================================

pandas is imported only where a table is asked for.
"""
