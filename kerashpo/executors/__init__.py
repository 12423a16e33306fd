"""Executors: who trains, and where.

=============  ========================================================================
``serial``     `SerialExecutor`: this process, one task at a time; right for small models
``pool``       `WorkerPool`: long-lived workers, behind a `Transport` that reaches them
``processes``  the transport for worker processes of this machine
``auto``       `AutoExecutor`: this process, until worker processes pay for their start
``simulated``  `SimulatedExecutor`: recorded curves on a virtual clock, any number of workers
=============  ========================================================================

An `Executor` takes work items and passes messages to the loop; a `Runner` is what trains one
trial, in whichever process. Messages reach the loop through the function given to `poll`,
one by one. In this process an epoch is in the log before the next one begins; a worker may
be ahead of the log, by a second of epochs at most, but never writes a checkpoint that is.

``messages`` defines what a worker is given and what it reports, ``function`` is the runner of
``optimize``, ``capture`` and ``failures`` serve every runner. Nothing here imports Keras.
"""

from kerashpo.executors.base import Emit, Executor, Runner
from kerashpo.executors.messages import Failed, Message, Saving, WorkItem
from kerashpo.executors.serial import SerialExecutor

__all__ = [
    "Emit",
    "Executor",
    "Failed",
    "Message",
    "Runner",
    "Saving",
    "SerialExecutor",
    "WorkItem",
]
