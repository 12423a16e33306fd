"""The messages between the search and a worker that dials in, besides the pool's."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from kerashpo.executors.remote.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Introduction:
    """The first message of a worker.

    Attributes:
        host: its machine.
        pid: its process id.
        versions: its versions, see `kerashpo.executors.remote.versions`.
    """

    host: str
    pid: int
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """The first message of a worker's second connection, which carries checkpoints."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a worker is sent when the search has work for it.

    Attributes:
        recipe: builds its runner.
        ahead: passed to its `Channel`.
        keeps: whether checkpoints are read and written through the search.
    """

    recipe: Recipe
    ahead: float
    keeps: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a worker cannot take part."""

    why: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The search needs no further workers."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The worker was asked to end, e.g. by SLURM at its time limit."""


def keep_alive(connection: Connection) -> None:
    """Has the system notice within a minute that the other machine is gone."""
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
