"""The Ray actor of a worker: its runner trains in a thread, messages are exchanged in batches."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, final

import psutil
import ray

from kerashpo.core.errors import DiskFull
from kerashpo.core.events import Ended, Reached
from kerashpo.executors.messages import Failed
from kerashpo.executors.pool.channel import Channel, serve
from kerashpo.executors.pool.protocol import Broken, FromWorker, Idle
from kerashpo.executors.remote.kept_blobs import KeptBlobs, Reply
from kerashpo.executors.remote.recipe import Recipe, read_recipe
from kerashpo.executors.remote.versions import refusal, versions
from kerashpo.store.base import Blobs

_LINGER = 0.01
"""Seconds in which a worker that has finished a task is expected to be idle."""
_PATIENCE = 20.0
"""Seconds after which `RayWorker.exchange` returns without a message."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """How a worker reaches the checkpoints.

    Attributes:
        home: the id of the driver's node.
        local: those that only this node reaches; None if every node reaches the runner's own.
    """

    home: str
    local: Blobs | None


@final
class RayWorker:
    """A worker of the pool as a Ray actor.

    Its methods are called by `kerashpo.executors.ray.transport.RayLink`. Orders are numbered, as
    two methods bring them.

    Args:
        environment: environment variables to set: the process is this worker's alone.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        self._changed = threading.Condition()
        self._messages: list[FromWorker] = []
        self._early: dict[int, list[Any]] = {}
        self._taken = 0
        self._ended = False
        self._channel: Channel | None = None
        self._process = psutil.Process()
        self._keeper: Future[Any] = Future()

    @ray.method(concurrency_group="orders")
    def begin(
        self,
        recipe: Recipe,
        checkpoints: Checkpoints,
        ahead: float,
        wanted: Mapping[str, str],
        prepare: bytes,
    ) -> tuple[str, str, int]:
        """Starts to build the runner.

        Args:
            recipe: builds the runner.
            checkpoints: what the driver's node reaches: a worker on it reads and writes them
                itself, and others wait for `meet`.
            ahead: passed to the `Channel`.
            wanted: versions of the driver.
            prepare: the pickle of a function to call first.

        Returns:
            the id of its node, the node's address, and its process id.
        """
        context = ray.get_runtime_context()
        node, address = context.get_node_id(), ray.util.get_node_ip_address()
        self._channel = Channel(self._send, ahead)
        if refused := refusal(f"The Ray node {address}", wanted, versions()):
            self._send(Broken(refused, ""))
            self._end()
        else:
            at_home = node == checkpoints.home
            blobs = checkpoints.local if at_home else KeptBlobs(self._ask)

            def make() -> Any:
                pickle.loads(prepare)()
                return read_recipe(recipe, blobs)()

            threading.Thread(target=self._serve, args=(make,), daemon=True).start()
        return node, address, os.getpid()

    @ray.method(concurrency_group="orders")
    def meet(self, keeper: Any) -> None:
        """Takes the actor with the checkpoints, for a worker on another node than the driver's."""
        self._keeper.set_result(keeper)

    @ray.method(concurrency_group="orders")
    def take(self, first: int, orders: bytes) -> None:
        """Takes orders, the first of which has the number `first`."""
        self._take(first, orders)

    def exchange(self, first: int, orders: bytes) -> tuple[bytes, bool, int]:
        """Takes orders, and returns messages as soon as there are some.

        Returns:
            the pickle of a list of messages, whether no more will follow, and the bytes of
            memory that the process takes.
        """
        self._take(first, orders)
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._ended, _PATIENCE)
            if self._messages and isinstance(self._messages[-1], (Reached, Ended, Failed)):
                # Most often it is idle at once, and both take one call.
                self._changed.wait_for(lambda: isinstance(self._messages[-1], Idle), _LINGER)
            messages, self._messages = self._messages, []
            return pickle.dumps(messages), self._ended, self._process.memory_info().rss

    def _take(self, first: int, orders: bytes) -> None:
        assert self._channel is not None
        with self._changed:
            self._early[first] = pickle.loads(orders)
            while self._taken in self._early:
                batch = self._early.pop(self._taken)
                self._taken += len(batch)
                for order in batch:
                    self._channel.take(order)
                if not batch:
                    break

    def _ask(self, method: str, arguments: tuple[Any, ...]) -> Reply:
        return _ask(self._keeper.result(), method, arguments)

    def _serve(self, make: Callable[[], Any]) -> None:
        assert self._channel is not None
        try:
            serve(make, self._channel)
        finally:
            self._end()

    def _send(self, message: FromWorker) -> None:
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def _ask(keeper: Any, method: str, arguments: tuple[Any, ...]) -> Reply:
    """Calls the keeper of the checkpoints; waits while the network to it is interrupted.

    Raises:
        DiskFull: if Ray has no place for a checkpoint on its way.
    """
    while True:
        try:
            reply: Reply = ray.get(keeper.answer.remote(method, arguments))
        except ray.exceptions.ActorUnavailableError:
            time.sleep(1.0)
            continue
        except (ray.exceptions.ObjectStoreFullError, ray.exceptions.OutOfDiskError) as error:
            raise DiskFull(
                "A checkpoint found no place in Ray's object store on its way to the study's "
                "folder. Every epoch that was reported is in the log: start the cluster with a "
                "larger store (ray start --object-store-memory=BYTES) or free the disk of "
                "Ray's temporary folder, or write checkpoints elsewhere (checkpoints=\"/shared/"
                'path" or a URL); then run the same script again.'
            ) from error
        return reply
