"""The pool's transport for workers that dial in."""

from __future__ import annotations

import contextlib
import math
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.executors.base import Runner
from kerashpo.executors.dial.protocol import Introduction, Leaving, Welcome
from kerashpo.executors.dial.reception import Reception
from kerashpo.executors.fleet import Fleet
from kerashpo.executors.pool.protocol import FromWorker, Order
from kerashpo.executors.pool.transport import Link, Loss, Transport
from kerashpo.executors.remote.recipe import write_recipe
from kerashpo.store.base import Blobs


@final
class DialTransport(Transport):
    """Workers that have dialled in, as many as there are.

    Args:
        reception: lets workers in.
        make: builds a worker's runner, on its machine.
        workers: the most that are used at a time; None for all.
        jobs: returns how many trials may still be trained; there are never more workers.
        parts: parts of `make` under names that a user knows, for errors.
        local: checkpoints that only this machine reaches; None if there are none.
        command: the command that starts a worker, for messages.
        own_key: a key file that was written for this search; deleted at its end.

    Raises:
        InvalidInput: if `make` cannot be pickled.
    """

    certain = False
    start_limit = None

    def __init__(
        self,
        reception: Reception,
        make: Callable[[], Runner],
        workers: int | None = None,
        jobs: Callable[[], float] = lambda: math.inf,
        parts: Mapping[str, Any] | None = None,
        local: Blobs | None = None,
        command: str = "kerashpo worker",
        own_key: Path | None = None,
    ) -> None:
        self._reception, self._most, self._jobs = reception, workers, jobs
        self._keeps, self._command, self._own_key = local is not None, command, own_key
        self._recipe = write_recipe(make, parts or {}, local)
        self._links: set[DialLink] = set()

    @property
    def workers(self) -> int:  # type: ignore[override]
        """The number of workers that have dialled in and can be used."""
        here = len(self._links) + len(self._reception.waiting)
        most = math.inf if self._most is None else self._most
        return int(min(here, most, max(1, self._jobs())))

    def start(self, number: int, ahead: float) -> Link:
        connection, who = self._reception.waiting.popleft()
        link = DialLink(connection, who, self._links.discard)
        self._links.add(link)
        link.send(Welcome(self._recipe, ahead, self._keeps))
        return link

    def wait(self, links: Sequence[Link], timeout: float | None) -> Sequence[Link]:
        lines = {link.connection: link for link in links if isinstance(link, DialLink)}
        bell = self._reception.bell
        ready = wait([*lines, bell], timeout)
        if bell in ready:
            bell.recv_bytes()
            if self._reception.refused and not lines and not self._reception.waiting:
                raise InvalidInput(self._reception.refused)
        return [lines[line] for line in ready if line is not bell]  # type: ignore[index]

    def fleet(self, links: Sequence[Link]) -> Fleet | None:
        hosts = {link.node() for link in links}
        if hosts:
            return Fleet(nodes=len(hosts))
        return Fleet(waiting=1, why=f"a worker that dials in: {self._command}")

    def close(self) -> None:
        self._reception.close()
        if self._own_key is not None:
            self._own_key.unlink(missing_ok=True)


@final
class DialLink(Link):
    """The pool's end of the connection to a worker that dialled in.

    Args:
        connection: the connection.
        who: what it said about itself.
        gone: called when the connection is closed.

    Attributes:
        connection: see above.
    """

    def __init__(
        self, connection: Connection, who: Introduction, gone: Callable[[DialLink], None]
    ) -> None:
        self.connection, self._who, self._gone = connection, who, gone
        self._left = self._lost = False

    @property
    def name(self) -> str:
        """Its machine and process id."""
        return f"{self._who.host}:{self._who.pid}"

    def send(self, order: Order | Welcome) -> None:
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickle.dumps(order, protocol=5))

    def receive(self) -> FromWorker | None:
        if self._lost:
            raise EOFError
        try:
            if not self.connection.poll():
                return None
            message: FromWorker | Leaving = pickle.loads(self.connection.recv_bytes())
        except (OSError, EOFError) as error:
            self._lost = True
            raise EOFError from error
        if isinstance(message, Leaving):
            self._left = self._lost = True
            raise EOFError
        return message

    def kill(self) -> None:
        # The worker ends by itself when its connection does.
        self._lost = True

    def join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError, EOFError):
            while not self._lost and self.connection.poll(max(0.0, deadline - time.monotonic())):
                self.receive()

    def loss(self) -> Loss:
        if self._left:
            return Loss(f"its job on {self._who.host} was ended", counts=False)
        return Loss(f"its connection from {self._who.host} ended")

    def close(self) -> None:
        self._lost = True
        self.connection.close()
        self._gone(self)

    def node(self) -> str:
        return self._who.host
