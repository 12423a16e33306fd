"""The worker pool: one scheduling policy for workers behind different transports.

=============  ===========================================================================
``worker_pool``  `WorkerPool`, the executor: queue, affinity, timeouts, retries, checkpoints
``worker``       what the pool knows about one worker: its task, and the trials in its memory
``losses``       counts lost workers per trial, and failed starts
``transport``    the interface `Transport`: starts workers and carries messages
``channel``      the worker's end: reports, waits for the log, receives decisions
``protocol``     the messages that the pool and its workers exchange
=============  ===========================================================================

A transport starts, reaches and ends workers, and reports why one was lost; the pool
decides everything else. `kerashpo.executors.processes` is the one for processes of this
machine, over pipes. A new one is a file with two classes:

- a `Transport`, whose `start` makes a worker run `kerashpo.executors.pool.channel.serve` with a
`Channel` that sends messages back;
- a `Link`, the pool's end of the connection to that worker.

``tests/helpers/thread_transport.py`` is the smallest example, with threads for workers. Then
run `kerashpo.testing.check_executor` on ``WorkerPool(MyTransport(...))``.
"""

from kerashpo.executors.pool.transport import Link, Loss, Transport
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool

__all__ = ["Link", "Loss", "PoolSettings", "Transport", "WorkerPool"]
