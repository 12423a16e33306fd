"""Schedulers: how long to train each trial, and which trial to continue.

A `Scheduler` turns the history into jobs (start, resume) and decisions (continue, pause,
stop). It knows neither Keras nor how configurations are proposed.

======================  ================================================================
``full_training``       every configuration through all its epochs
``successive_halving``  one bracket of successive halving
``hyperband``           several brackets, from the most to the least aggressive
``asha``                promotes a good trial as soon as a worker is free; a stopping variant
``median_stopping``     stops a trial that is worse than the median of the others
``pbt``                 population-based training: copies of better members, with other values
``pb2``                 a Gaussian process over values and epochs, for those copies
``final_round``         cross-validates a search's finalists after any of these
======================  ================================================================

``brackets.py`` holds the tables of the papers as pure functions, ``rung.py`` the ranking of trials
at a rung, and one rung of asynchronous halving. To add a scheduler: a file with a final subclass
of `Scheduler`, a line in ``registry.py`` and a case in ``kerashpo.testing.schedulers``. Its
attributes declare whether it is deterministic, endless, and which older scheduler it extends.
State changes only in `on_event`, so replaying the log rebuilds it. Open ``base.py`` first, then
``full_training.py``; CONTRIBUTING.md has the smallest working example.
"""

from kerashpo.schedulers.asha import ASHA, StoppingASHA
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.median_stopping import MedianStopping
from kerashpo.schedulers.successive_halving import Halving

__all__ = ["ASHA", "Full", "Halving", "Hyperband", "MedianStopping", "Scheduler", "StoppingASHA"]
