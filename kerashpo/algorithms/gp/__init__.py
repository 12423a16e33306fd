"""A Gaussian process over configurations, its acquisitions and their maximiser.

Numpy and scipy only. Rows are points of the unit cube (n, d) as `kerashpo.space.cube`
makes them, NaN where a parameter is inactive; targets are minimised.

==============  ====================================================================
``features``    rows to what the kernel sees: numbers, categories, activity
``kernel``      Matern-5/2 with a weight for each feature, Hamming for categories
``priors``      what is believed of the weights, the scale and the noise
``targets``     values to targets: failures, outliers, units
``fit``         the hyperparameters of highest posterior density
``posterior``   mean and variance, their gradients, more observations
``acquisition`` what a point promises: logEI, EI, PI, LCB
``maximise``    the most promising row of a mixed space
==============  ====================================================================
"""
