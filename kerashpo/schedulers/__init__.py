"""How long to train whom, and what to continue.

A `Scheduler` turns what the history says into jobs (start, resume) and decisions
(continue, pause, stop). It knows neither Keras nor how configurations are found.

=================  =====================================================================
``full``           every configuration through all its epochs
``halving``        one bracket of successive halving
``hyperband``      several brackets, from the most to the least aggressive
``asha``           promotes whoever is good enough as soon as a worker is free
``asha_stopping``  its stopping variant, for models that cannot be saved
``median``         stops a trial that is worse than what is usual at its age
=================  =====================================================================

``rungs.py`` holds the tables of the papers as pure functions. To add a scheduler: a
file with a final subclass of `Scheduler`, a line in ``registry.py`` and one in
``kerashpo.testing.schedulers``. State changes in `on_event` alone, so that replaying
the log rebuilds it.
"""

from kerashpo.schedulers.asha import ASHA, StoppingASHA
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.median_stopping import MedianStopping
from kerashpo.schedulers.successive_halving import Halving

__all__ = ["ASHA", "Full", "Halving", "Hyperband", "MedianStopping", "Scheduler", "StoppingASHA"]
