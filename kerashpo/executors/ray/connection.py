"""The connection to a Ray cluster: its nodes and their resources, and whether its head answers."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import ray

from kerashpo.core.errors import ClusterLost, InvalidInput
from kerashpo.executors.ray.last_words import LastWords
from kerashpo.executors.ray.silence import Silence

_LOOK: Final = 2.0
"""Seconds between two looks at the cluster's nodes."""
_CONNECT: Final = 1.0
"""Seconds that a head may take to accept a connection."""
_TEMPORARY: Final = "/tmp"
"""Where Ray keeps its files unless an environment variable says otherwise."""
_TOKEN: Final = (
    "If it was started with a token (Ray's default where there is a ~/.ray/auth_token), set the "
    "environment variable RAY_AUTH_MODE=token, and have the same token on all machines: ray "
    "get-auth-token prints it."
)
_LEAVE: Final = 10.0
"""Seconds that disconnecting may take."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster.

    Attributes:
        identity: Ray's id of it.
        address: its IP address.
        resources: its resources in total, by Ray's names: CPU, GPU, memory (bytes).
    """

    identity: str
    address: str
    resources: Mapping[str, float]


def room(nodes: Sequence[Node], needs: Mapping[str, float]) -> int:
    """Returns how many workers fit the cluster's nodes, whoever uses them now.

    Args:
        nodes: the nodes.
        needs: what a worker takes, by Ray's names of resources; at least one above 0.
    """
    return sum(_fits(node, needs) for node in nodes)


def _fits(node: Node, needs: Mapping[str, float]) -> int:
    shares = [
        node.resources.get(name, 0.0) / amount for name, amount in needs.items() if amount > 0
    ]
    return math.floor(min(shares) + 1e-9)


@final
class RayConnection:
    """A connection to a Ray cluster, from `connect` until `close`.

    Args:
        owned: whether this search connected, and disconnects when it ends.
        session: Ray's temporary folder if Ray was started on this machine for this search, else
            None; it is deleted when that cluster ends.

    Attributes:
        started: whether Ray was started on this machine for this search.
        lost: nodes that were lost since the search began.
    """

    def __init__(self, owned: bool, session: Path | None = None) -> None:
        self._owned, self._session, self.started = owned, session, session is not None
        context = ray.get_runtime_context()
        self.home: str = context.get_node_id()
        self._head: str = context.gcs_address
        self._looked, self._silence = time.monotonic(), Silence()
        self._gone = False
        self.nodes = self._read_nodes()
        self.lost: set[str] = set()
        self._last_words = LastWords()

    def look(self) -> None:
        """Reads the cluster's nodes again, at most every few seconds.

        Raises:
            ClusterLost: if the head has not answered for a while.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        answered = _answers(self._head, _CONNECT)
        if self._silence.note(answered, now):
            raise self.gone()
        if answered:
            before = {node.identity for node in self.nodes}
            self.nodes = self._read_nodes()
            self.lost |= before - {node.identity for node in self.nodes}

    def alive(self, identity: str) -> bool:
        """Whether a node is part of the cluster at this moment."""
        if self._gone or not _answers(self._head, _CONNECT):
            return False
        return any(node.identity == identity for node in self._read_nodes())

    def gone(self) -> ClusterLost:
        """Marks the cluster as lost; returns the error that says how to go on."""
        self._gone = True
        return ClusterLost(
            f"The head of the Ray cluster at {self._head} does not answer any more. Every epoch "
            "that was reported is in the study's log: start a cluster (ray start --head) and run "
            "the same script again, and the search goes on."
        )

    def kill(self, actor: Any) -> None:
        """Kills an actor, if the cluster is still there."""
        if not self._gone:
            with contextlib.suppress(Exception):  # it ended before, or the connection did
                ray.kill(actor)

    def close(self) -> None:
        """Disconnects if this search connected; a cluster that was started for it ends."""
        self._last_words.close()
        if not self._owned or not ray.is_initialized():
            return
        if not self._gone:
            ray.shutdown()
            if self._session is not None:
                shutil.rmtree(self._session, ignore_errors=True)
            return
        # Without its head, Ray may wait for it without end.
        leaving = threading.Thread(target=ray.shutdown, daemon=True)
        leaving.start()
        leaving.join(_LEAVE)

    @staticmethod
    def _read_nodes() -> tuple[Node, ...]:
        return tuple(
            Node(node["NodeID"], node["NodeManagerAddress"], node["Resources"])
            for node in ray.nodes()
            if node["Alive"]
        )


def connect(address: str, runtime_env: Mapping[str, Any] | None) -> RayConnection:
    """Connects to a cluster, or takes the connection that this process has.

    Args:
        address: ``"auto"`` for the running cluster, and for a new one on this machine if none
            is running; ``"local"`` for a new one on this machine; or ``"host:port"``.
        runtime_env: Ray's description of the workers' environment.

    Raises:
        InvalidInput: if there is no cluster at the address, its versions of Ray or Python differ,
            or `runtime_env` is given and this process is connected already.
    """
    if ray.is_initialized():
        if runtime_env is not None:
            raise InvalidInput(
                "This process is connected to Ray already, so runtime_env cannot be set any more. "
                "Pass it to ray.init, or leave ray.init to kerashpo."
            )
        return RayConnection(owned=False)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "warning"}
    options |= {} if runtime_env is None else {"runtime_env": dict(runtime_env)}
    head = running_cluster(os.environ) if address == "auto" else address
    if head is None or head == "local":
        context = ray.init(address="local", include_dashboard=False, **options)
        return RayConnection(owned=True, session=Path(context.address_info["session_dir"]))
    if "://" not in head and not _answers(head, _CONNECT):
        raise InvalidInput(
            f"There is no Ray cluster at address={head!r}. Start one with ray start --head and "
            'pass the address that it prints, or use address="local" for one on this machine.'
        )
    # Only a cluster that Ray finds by itself is asked with the token of this user.
    found = address == "auto" and not os.environ.get("RAY_ADDRESS")
    try:
        ray.init(address="auto" if found else head, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:  # other versions of Ray, Python
        hint = f". {_TOKEN}" if isinstance(error, ConnectionError) else ""
        raise InvalidInput(f"The Ray cluster at {head!r} cannot be used: {error}{hint}") from error
    return RayConnection(owned=True)


def running_cluster(environment: Mapping[str, str]) -> str | None:
    """Returns the address of the cluster that Ray would choose, None if none is running.

    Ray itself waits minutes for a cluster that has ended without cleaning up.

    Args:
        environment: environment variables, of which Ray's are honoured: RAY_ADDRESS is the
            address, RAY_TMPDIR the folder where Ray notes that of this machine's cluster.
    """
    if given := environment.get("RAY_ADDRESS"):
        return given
    folder = environment.get("RAY_TMPDIR") or environment.get("TMPDIR") or _TEMPORARY
    try:
        noted = (Path(folder) / "ray" / "ray_current_cluster").read_text().strip()
    except OSError:
        return None
    return noted if noted and _answers(noted, _CONNECT) else None


def _answers(address: str, seconds: float) -> bool:
    """Whether something accepts connections at ``"host:port"``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds):
            return True
    except (OSError, ValueError):
        return False
