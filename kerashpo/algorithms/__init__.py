"""Where to look next.

An `Algorithm` proposes configurations. It knows neither Keras nor how long a trial
will be trained: any algorithm runs under any scheduler.

============  ========================================================================
``random``    without repeats; a finite space is enumerated to its end
``grid``      every configuration of a finite space, in order
``sobol``     scrambled Sobol points, spread more evenly than random ones
``bayesian``  a Gaussian process and an acquisition, see `kerashpo.algorithms.gp`
``tpe``       Parzen estimators of the good and the other trials
``cmaes``     CMA-ES with restarts; margins where values are discrete
``de``        differential evolution
``pso``       a particle swarm
============  ========================================================================

To add one: a file with a final subclass of `Algorithm`, an entry in ``registry.py`` and a
case in ``kerashpo.testing.algorithms``; bounds, conditions, exhaustion, seeds, resume,
shuffled reports, failures and NaN are then tested, and every tuner with ``algorithm=``,
`kerashpo.optimize`, `kerashpo.simulate` and the comparison know its name. The entry also says
whether the algorithm reads scores, and which tuner and oracle of its own it has, if any.
"""

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.registry import algorithm_names, make_algorithm

__all__ = ["Algorithm", "algorithm_names", "make_algorithm"]
