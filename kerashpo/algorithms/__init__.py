"""Search algorithms: which configuration to try next.

An `Algorithm` proposes configurations. It knows neither Keras nor how long a trial
will be trained: any algorithm runs under any scheduler.

============  ========================================================================
``random``    without repeats; a finite space is enumerated to its end
``grid``      every configuration of a finite space, in order
``sobol``     scrambled Sobol points, spread more evenly than random ones
``auto``      chooses one of the others (``automatic_choice``)
``bayesian``  a Gaussian process and an acquisition, see `kerashpo.algorithms.gp`
``tpe``       Parzen estimators of the good and the other trials
``cmaes``     CMA-ES with restarts; margins where values are discrete
``de``        differential evolution
``nsga2``     NSGA-II: crossover and mutation of the non-dominated trials
``pso``       a particle swarm
``policy``    a network trained by reinforcement learning that chooses among candidates
============  ========================================================================

Shared by several: ``dedup`` (no configuration twice), ``evaluations`` and ``observations`` (what is
read of a history), ``feasibility`` (limits), ``surrogate``, ``pareto_model`` and ``explain`` (of
``bayesian``), ``parzen`` (of ``tpe``), ``gaussian`` (of ``cmaes``), ``population`` (of ``de`` and
``pso``), ``earlier_studies`` and ``transfer`` (earlier studies, for ``warm_start``), ``wrappers``
(enqueued configurations, a bound of trials).

To add one: a file with a final subclass of `Algorithm`, an entry in ``registry.py`` and a
case in ``kerashpo.testing.algorithms``. The conformance suite then tests bounds, conditions,
exhaustion, seeds, resume, shuffled reports, failures and NaN, and every tuner with
``algorithm=``, `kerashpo.optimize`, `kerashpo.simulate` and the comparison know its name. The
entry also records whether the algorithm reads scores, and which tuner and oracle of its own it
has, if any. CONTRIBUTING.md has the smallest working example. Read ``base.py`` first, then
``random.py``.
"""

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.registry import algorithm_names, make_algorithm

__all__ = ["Algorithm", "algorithm_names", "make_algorithm"]
