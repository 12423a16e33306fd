"""The smallest transport of the worker pool: workers are threads of this process.

For tests alone. A thread cannot be killed, so `ThreadLink.kill` has it end at its next message.
"""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Callable, Sequence
from typing import final

from kerashpo.executors.base import Runner
from kerashpo.executors.pool.channel import Channel, serve
from kerashpo.executors.pool.protocol import FromWorker, Order
from kerashpo.executors.pool.transport import Link, Loss, Transport


class Killed(BaseException):
    """Ends a worker's thread, as SIGKILL ends a process."""


@final
class ThreadTransport(Transport):
    """Runs each worker in a thread.

    Args:
        make: builds a worker's runner.
        workers: how many.
        certain: see `Transport`.
        start_limit: see `Transport`.

    Attributes:
        links: every link that was made, in that order.
    """

    def __init__(
        self,
        make: Callable[[], Runner],
        workers: int = 2,
        certain: bool = True,
        start_limit: float | None = None,
    ) -> None:
        self.workers, self.certain, self.start_limit = workers, certain, start_limit
        self._make, self._changed = make, threading.Condition()
        self.links: list[ThreadLink] = []

    def start(self, number: int, ahead: float) -> Link:
        self.links.append(ThreadLink(len(self.links), self._make, ahead, self._changed))
        return self.links[-1]

    def wait(self, links: Sequence[Link], timeout: float | None) -> Sequence[Link]:
        def speaking() -> list[Link]:
            return [link for link in links if isinstance(link, ThreadLink) and link.pending]

        with self._changed:
            self._changed.wait_for(speaking, timeout)
            return speaking()


@final
class ThreadLink(Link):
    """The pool's end of a worker's thread.

    Args:
        number: its name.
        make: builds its runner.
        ahead: for its `Channel`.
        changed: notified when it has sent something or ended.

    Attributes:
        why: why it was lost, if it is.
    """

    def __init__(
        self, number: int, make: Callable[[], Runner], ahead: float, changed: threading.Condition
    ) -> None:
        self._number, self._changed = number, changed
        self.why = Loss("its thread ended")
        self._sent: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._ended = self._killed = False
        self._channel = Channel(self._send, ahead)
        self._thread = threading.Thread(target=self._run, args=(make,), daemon=True)
        self._thread.start()

    @property
    def name(self) -> int:
        """Its number."""
        return self._number

    @property
    def pending(self) -> bool:
        """Whether `receive` has something to return or to raise."""
        return self._ended or not self._sent.empty()

    def send(self, order: Order) -> None:
        self._channel.take(pickle.loads(pickle.dumps(order)))

    def receive(self) -> FromWorker | None:
        if not self._sent.empty():
            message: FromWorker = pickle.loads(self._sent.get())
            return message
        if self._ended:
            raise EOFError
        return None

    def lose(self, why: Loss) -> None:
        """Makes the worker be lost, as if its machine had failed."""
        self.why = why
        self.kill()

    def kill(self) -> None:
        self._killed = True
        self._end()

    def join(self, seconds: float) -> None:
        if not self._killed:
            self._thread.join(seconds)

    def loss(self) -> Loss:
        return self.why

    def close(self) -> None:
        self.kill()

    def _run(self, make: Callable[[], Runner]) -> None:
        try:
            serve(make, self._channel)
        except Killed:
            return
        finally:
            self._end()

    def _send(self, message: FromWorker) -> None:
        if self._killed:
            raise Killed
        self._sent.put(pickle.dumps(message))
        with self._changed:
            self._changed.notify_all()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
