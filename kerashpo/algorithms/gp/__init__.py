"""The Gaussian process: model, acquisition functions and their maximisation.

Numpy and scipy only. Rows are points of the unit cube (n, d) as `kerashpo.space.cube`
makes them, NaN where a parameter is inactive; targets are minimised.

========================  ===============================================================
``features``              from rows to kernel inputs: numbers, categories, activity, resource
``kernel``                Matern with a weight per feature, Hamming for categories
``warp``                  input warping, so that the function is stationary along a number
``priors``                priors of weights, scale, noise and warping exponents
``standardise``           from costs to targets: failures, outliers, units
``fit``                   maximum a posteriori hyperparameters
``posterior``             mean and variance, their gradients, conditioning on more points
``subset``                the posterior of a bounded subset of many observations
``acquisition``           acquisition functions: logEI, EI, PI, LCB
``expected_hypervolume``  the expected hypervolume improvement of two objectives
``batch``                 an acquisition that accounts for the trials that are still running
``promise``               an acquisition of one posterior, or of one for each objective
``optimise_acquisition``  the row of a mixed space that maximises the acquisition
``model_settings``        switches of the measured ingredients, for ablations
``linalg``                Cholesky factors with jitter
========================  ===============================================================

To add an acquisition: a function that returns `Scores`, and its name in
`make_acquisition`. To add a kernel: a final subclass of `Radial`. Open ``posterior.py`` first.
"""
