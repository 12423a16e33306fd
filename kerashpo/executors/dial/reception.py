"""Accepts the connections of workers, and lets in those that have the key."""

from __future__ import annotations

import contextlib
import pickle
import threading
from collections import deque
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Client,
    Connection,
    Listener,
    Pipe,
    answer_challenge,
    deliver_challenge,
)
from typing import Any, Final, final

from kerashpo.core.errors import InvalidInput
from kerashpo.executors.dial.protocol import (
    CheckpointLine,
    Finished,
    Introduction,
    Refused,
    keep_alive,
)
from kerashpo.executors.remote.kept_blobs import answer
from kerashpo.executors.remote.versions import refusal, versions
from kerashpo.store.base import Blobs

_PATIENCE: Final = 10.0
"""Seconds in which a connection must prove that it has the key."""


@final
class Reception:
    """Listens for workers in threads of its own.

    Args:
        host: the address to listen at.
        port: the port; 0 for any that is free.
        key: the shared key.
        blobs: checkpoints that workers reach through this process; None if there are none.

    Attributes:
        address: where it listens.
        waiting: workers that have dialled in and have nothing to do yet.
        bell: readable when a worker has dialled in.
        refused: why the last worker was refused, empty if none was.

    Raises:
        InvalidInput: if the address cannot be listened at.
    """

    def __init__(self, host: str, port: int, key: bytes, blobs: Blobs | None) -> None:
        try:
            self._listener = Listener((host, port), family="AF_INET", backlog=64)
        except OSError as error:
            raise InvalidInput(
                f"Workers cannot dial in at {host}:{port}: {error}. Choose another port, or 0 for "
                "one that is free."
            ) from error
        self._key, self._blobs, self._open = key, blobs, True
        address: Any = self._listener.address
        self.address: tuple[str, int] = (str(address[0]), int(address[1]))
        self.waiting: deque[tuple[Connection, Introduction]] = deque()
        self.bell, self._ring = Pipe(duplex=False)
        self.refused = ""
        self._lines: set[Connection] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening, and sends workers home that have nothing to do."""
        self._open = False
        with contextlib.suppress(OSError, EOFError):
            Client(self.address, family="AF_INET").close()  # ends the waiting in `_accept`
        self._thread.join(_PATIENCE)
        self._listener.close()
        while self.waiting:
            connection, _ = self.waiting.popleft()
            with contextlib.suppress(OSError):
                connection.send_bytes(pickle.dumps(Finished()))
            connection.close()
        for line in [*self._lines]:
            with contextlib.suppress(OSError):
                line.close()

    def _accept(self) -> None:
        while self._open:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):
                continue
            if not self._open:
                connection.close()
                return
            threading.Thread(target=self._receive, args=(connection,), daemon=True).start()

    def _receive(self, connection: Connection) -> None:
        """Lets a connection in if it has the key; nothing of it is unpickled before."""
        late = threading.Timer(_PATIENCE, connection.close)
        late.start()
        try:
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
            first = pickle.loads(connection.recv_bytes())
            keep_alive(connection)
        except (AuthenticationError, OSError, EOFError, ValueError, TypeError):
            connection.close()
            return
        finally:
            late.cancel()
        match first:
            case Introduction(host, _, theirs):
                if why := refusal(f"The worker on {host}", versions(), theirs):
                    self.refused = why
                    connection.send_bytes(pickle.dumps(Refused(why)))
                else:
                    self.waiting.append((connection, first))
                self._ring.send_bytes(b"")
            case CheckpointLine():
                self._serve(connection)

    def _serve(self, connection: Connection) -> None:
        """Reads and writes checkpoints for one worker until it ends."""
        assert self._blobs is not None
        self._lines.add(connection)
        try:
            while True:
                method, arguments = pickle.loads(connection.recv_bytes())
                connection.send_bytes(pickle.dumps(answer(self._blobs, method, arguments)))
        except (OSError, EOFError):
            connection.close()
        finally:
            self._lines.discard(connection)
