"""Who does the work.

=============  ========================================================================
``serial``     this process, one job at a time: the right choice for small models
``processes``  worker processes that live as long as the study
``auto``       this process, until worker processes pay for their start
``simulated``  recorded curves on a virtual clock, any number of workers
=============  ========================================================================

An `Executor` takes tasks and hands back messages; a `Runner` is what trains one trial,
wherever it is. Messages reach the loop through the function given to `poll`, one by
one. In this process an epoch is in the log before the next one begins; a worker process
may be ahead of the log, by a second of epochs at most, but never writes a checkpoint that is.

Worker processes: ``worker`` is the loop's end of one, ``child`` and ``channel`` are the
process's own, ``wire`` is what they say to each other, ``recipe`` sends code and arrays,
``placement`` deals out cores and GPUs, ``hiring`` says whether they pay. None of it imports
Keras: a worker starts with what its runner needs.
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
    Saving,
    WorkItem,
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
    "Saving",
    "SerialExecutor",
    "WorkItem",
]
