"""The main function of ``kerashpo worker``: dials a search, and trains for it until it ends."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from typing import Any, Final

from kerashpo.core.errors import InvalidInput
from kerashpo.executors.base import Runner
from kerashpo.executors.dial.protocol import (
    CheckpointLine,
    Finished,
    Introduction,
    Leaving,
    Refused,
    Welcome,
    keep_alive,
)
from kerashpo.executors.pool.channel import Channel, serve
from kerashpo.executors.pool.protocol import FromWorker, Order
from kerashpo.executors.remote.kept_blobs import KeptBlobs, Reply
from kerashpo.executors.remote.recipe import read_recipe
from kerashpo.executors.remote.versions import versions

_AGAIN: Final = 1.0
"""Seconds between two attempts to reach the search."""
_TERMINATED: Final = 128 + signal.SIGTERM


def run_worker(host: str, port: int, key: bytes, patience: float) -> int:
    """Trains for the search at an address until it needs no more workers.

    Args:
        host: the search's machine.
        port: its port.
        key: the shared key.
        patience: seconds to wait until the search listens.

    Returns:
        0 if the search ended, 1 if the connection was lost or the worker failed.

    Raises:
        InvalidInput: if nothing listens there, the key is another one, or versions differ.
    """
    connection = _dial(host, port, key, patience)
    lock = threading.Lock()

    def send(message: FromWorker | Introduction | Leaving) -> None:
        with lock:
            connection.send_bytes(pickle.dumps(message))

    send(Introduction(socket.gethostname(), os.getpid(), versions()))
    try:
        welcome = pickle.loads(connection.recv_bytes())
    except (OSError, EOFError):
        return 1
    match welcome:
        case Refused(why):
            raise InvalidInput(why)
        case Finished():
            return 0
    assert isinstance(welcome, Welcome)
    _leave_on_sigterm(send)
    blobs = KeptBlobs(_Checkpoints(_dial(host, port, key, patience))) if welcome.keeps else None
    channel = Channel(send, welcome.ahead)
    threading.Thread(target=_receive, args=(connection, channel), daemon=True).start()

    def make() -> Runner:
        return read_recipe(welcome.recipe, blobs)()

    return 0 if serve(make, channel) else 1


class _Checkpoints:
    """Asks the search for checkpoints over a connection of their own.

    Args:
        connection: the connection.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection, self._lock = connection, threading.Lock()
        connection.send_bytes(pickle.dumps(CheckpointLine()))

    def __call__(self, method: str, arguments: tuple[Any, ...]) -> Reply:
        with self._lock:
            self._connection.send_bytes(pickle.dumps((method, arguments), protocol=5))
            reply: Reply = pickle.loads(self._connection.recv_bytes())
        return reply


def _dial(host: str, port: int, key: bytes, patience: float) -> Connection:
    """Connects, trying again while nothing listens."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection = Client((host, port), family="AF_INET", authkey=key)
            keep_alive(connection)
            return connection
        except AuthenticationError as error:
            raise InvalidInput(
                f"The search at {host}:{port} has another key. Pass --key-file with its own."
            ) from error
        except (OSError, EOFError) as error:
            if time.monotonic() + _AGAIN > deadline:
                raise InvalidInput(
                    f"No search listens at {host}:{port}: {error}. Start it first, or wait longer "
                    "with --wait SECONDS."
                ) from error
            time.sleep(_AGAIN)


def _receive(connection: Connection, channel: Channel) -> None:
    """Passes orders on; ends the process with the connection, whatever it is doing."""
    try:
        while True:
            order: Order = pickle.loads(connection.recv_bytes())
            channel.take(order)
    except (OSError, EOFError):
        os._exit(1)


def _leave_on_sigterm(send: Callable[[Leaving], None]) -> None:
    """Says goodbye on SIGTERM, which a batch system sends before a job's time is over."""
    asked = threading.Event()

    def leave() -> None:
        asked.wait()
        with contextlib.suppress(OSError):
            send(Leaving())
        os._exit(_TERMINATED)

    threading.Thread(target=leave, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda number, frame: asked.set())


def read_address(text: str) -> tuple[str, int]:
    """Returns host and port of ``"HOST:PORT"``.

    Raises:
        InvalidInput: if it is none.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise InvalidInput(
            f"The search's address is HOST:PORT, as its note says. Received: {text!r}."
        )
    return host, int(port)
