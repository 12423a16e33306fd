"""Who does the work.

=============  ========================================================================
``serial``     this process, one job at a time: the right choice for small models
``simulated``  recorded curves on a virtual clock, any number of workers
=============  ========================================================================

An `Executor` takes tasks and hands back messages; a `Runner` is what trains one trial,
wherever it is. Messages reach the loop through the function given to `poll`, one by
one, so that an epoch is in the log before the next one begins.
"""

from kerashpo.executors.base import Emit, Executor, Runner
from kerashpo.executors.messages import (
    Epoch,
    Failed,
    Finished,
    Grew,
    Message,
    Note,
    Reach,
    Task,
)
from kerashpo.executors.serial import SerialExecutor

__all__ = [
    "Emit",
    "Epoch",
    "Executor",
    "Failed",
    "Finished",
    "Grew",
    "Message",
    "Note",
    "Reach",
    "Runner",
    "SerialExecutor",
    "Task",
]
