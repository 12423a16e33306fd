"""The executor factory for workers that dial in."""

from __future__ import annotations

import ipaddress
import shlex
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import final

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.executors.dial.keys import read_key, write_key
from kerashpo.executors.dial.reception import Reception
from kerashpo.executors.dial.transport import DialTransport
from kerashpo.executors.factories import Built, ExecutorFactory, ExecutorRequest, agreed
from kerashpo.executors.pool.worker_pool import WorkerPool


@final
@dataclass(frozen=True, slots=True)
class Dial(ExecutorFactory):
    """Trains in workers that dial in, from this or other machines, at any time.

    Each is started by ``kerashpo worker HOST:PORT --key-file FILE``. Who has the key can run code
    in the search and the workers, and connections are not encrypted: for trusted networks only.

    Args:
        port: the port to listen at; 0 for any that is free.
        host: the address to listen at. Loopback by default: workers of this machine only, or
            through an ssh tunnel. ``"0.0.0.0"`` is every network of this machine.
        key_file: the file with the shared key; None writes a new one into the study's folder,
            for loopback only.
        workers: the most workers that are used at a time; None for all that dial in.

    Raises:
        InvalidInput: for a number out of range, or another address than loopback without a key.
    """

    port: int = 0
    host: str = "127.0.0.1"
    key_file: str | Path | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if require_integer("port", self.port, 0) > 65535:
            raise InvalidInput(f"port must be at most 65535. Received: {self.port}.")
        if self.workers is not None:
            require_integer("workers", self.workers, 1)
        if self.key_file is None and not is_loopback(self.host):
            raise InvalidInput(
                f"Workers that dial in at {self.host!r} need a key: who connects can run code. "
                "Make one, (umask 077; openssl rand -hex 32 > worker.key), and pass "
                'key_file="worker.key".'
            )

    def build(self, request: ExecutorRequest) -> Built:
        own = None
        if self.key_file is None:
            logs = request.logs
            folder = Path(tempfile.mkdtemp(prefix="kerashpo-")) if logs is None else logs.parent
            own = folder / "worker.key"
            write_key(own)
        path = Path(own or self.key_file or "")
        key = read_key(path)
        reception = Reception(self.host, self.port, key, request.blobs)
        try:
            wanted = agreed(self.workers, request.workers)
            shown = socket.gethostname() if self.host == "0.0.0.0" else self.host
            port = reception.address[1]
            command = f"kerashpo worker {shown}:{port} --key-file {shlex.quote(str(path))}"
            transport = DialTransport(
                reception,
                request.make(1),
                wanted,
                request.jobs,
                request.parts,
                request.blobs,
                command,
                own,
            )
        except BaseException:
            reception.close()
            raise
        notes = [f"workers dial in with: {command}"]
        if not is_loopback(self.host):
            notes.append(
                f"{self.host}:{port} is open to other machines: connections need the key and are "
                "not encrypted, so use trusted networks only"
            )
        pool = WorkerPool(transport, request.settings, request.blobs)
        return pool, wanted or 1, tuple(notes)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
