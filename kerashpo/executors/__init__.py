"""Executors: where trials are trained, and how their messages reach the loop.

=============  ========================================================================
``serial``     `SerialExecutor`: this process, one task at a time; right for small models
``pool``       `WorkerPool`: long-lived workers, behind a `Transport` that reaches them
``processes``  the transport for worker processes of this machine
``ray``        the transport for actors of a Ray cluster
``dial``       the transport for workers that connect to the search by themselves
``remote``     what workers on other machines need: code, data, checkpoints, equal versions
``auto``       `AutoExecutor`: this process, until worker processes pay for their start
``simulated``  `SimulatedExecutor`: recorded curves on a virtual clock, any number of workers
=============  ========================================================================

An `Executor` takes work items and passes messages to the loop; a `Runner` trains one trial, in
whichever process. Messages reach the loop one by one, through the function passed to `poll`.
In this process an epoch is in the log before the next one begins; a worker may be ahead of the
log by at most a second of epochs, but never writes a checkpoint that is ahead of it.

``executor=`` of tuners and `kerashpo.optimize` takes a name of ``registry`` or one of the
``factories``: `Serial`, `Processes`, `Auto`, `Ray`, `Dial`. A new executor that only differs in
how it reaches its workers is a transport of the pool; it also needs a factory, a line in the
registry, and a line in ``CASES`` of `kerashpo.testing.executors`. Open ``base.py`` first, then
``serial.py``.

``fleet`` describes the machines of a search with workers on several, ``messages`` the payload of
a worker and its messages; ``function`` is the runner of ``optimize``; ``capture`` and
``failures`` are used by every runner. Nothing here imports Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerashpo.executors.base import Emit, Executor, Runner
from kerashpo.executors.messages import Failed, Message, Saving, WorkItem
from kerashpo.executors.serial import SerialExecutor

if TYPE_CHECKING:
    from kerashpo.executors.dial.factory import Dial
    from kerashpo.executors.factories import Auto, ExecutorFactory, Processes, Serial
    from kerashpo.executors.ray.factory import Ray

__all__ = [
    "Auto",
    "Dial",
    "Emit",
    "Executor",
    "ExecutorFactory",
    "Failed",
    "Message",
    "Processes",
    "Ray",
    "Runner",
    "Saving",
    "Serial",
    "SerialExecutor",
    "WorkItem",
]

_FACTORIES = ("Auto", "ExecutorFactory", "Processes", "Serial")


def __getattr__(name: str) -> Any:
    """Imports the factories on first use: worker processes do not need them."""
    if name in _FACTORIES:
        from kerashpo.executors import factories

        return getattr(factories, name)
    if name == "Dial":
        from kerashpo.executors.dial.factory import Dial

        return Dial
    if name == "Ray":
        from kerashpo.executors.ray.factory import Ray

        return Ray
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
