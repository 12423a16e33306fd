"""A Gaussian process over configurations, its acquisitions and their maximiser.

Numpy and scipy only. Rows are points of the unit cube (n, d) as `kerashpo.space.cube`
makes them, NaN where a parameter is inactive; targets are minimised.

==============  ====================================================================
``features``    rows to what the kernel sees: numbers, categories, activity, resource
``kernel``      Matern with a weight for each feature, Hamming for categories
``warp``        the scale of a number, bent so that the function is stationary along it
``priors``      what is believed of weights, scale, noise and bends
``targets``     values to targets: failures, outliers, units
``fit``         the hyperparameters of highest posterior density
``posterior``   mean and variance, their gradients, more observations
``bounded``     the same from a bounded part of many observations
``acquisition`` what a point promises: logEI, EI, PI, LCB
``maximise``    the most promising row of a mixed space
``recipe``      the measured ingredients as switches
``linalg``      Cholesky factors that do not fail
==============  ====================================================================

To add an acquisition: a function that returns `Scores`, and its name in
`make_acquisition`. To add a kernel: a final subclass of `Radial`.
"""
