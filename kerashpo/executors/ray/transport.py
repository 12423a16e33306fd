"""The pool's transport for Ray: starts actors and exchanges batches of messages with them."""

from __future__ import annotations

import contextlib
import math
import pickle
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

import cloudpickle
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from kerashpo.core.errors import InvalidInput
from kerashpo.executors.base import Runner
from kerashpo.executors.fleet import Fleet
from kerashpo.executors.pool.protocol import Broken, FromWorker, Order
from kerashpo.executors.pool.transport import Link, Loss, Transport
from kerashpo.executors.ray.connection import RayConnection, room
from kerashpo.executors.ray.keeper import SIDE_BY_SIDE, RayKeeper
from kerashpo.executors.ray.worker import Checkpoints, RayWorker
from kerashpo.executors.remote.recipe import write_recipe
from kerashpo.executors.remote.versions import versions
from kerashpo.store.base import Blobs

_DOUBT: Final = 10.0
"""Seconds in which Ray finds out that an actor that does not answer has ended."""
_BLOCKED: Final = 0.25
"""Seconds that a wait for messages may block, during which signals are not handled: two presses
of Ctrl-C within a longer one would count as one."""
_UNPLACED: Final = 10.0
"""Seconds after which a worker that no node has taken is reported as waiting."""


@final
class RayTransport(Transport):
    """Workers as Ray actors.

    Args:
        connection: the cluster.
        make: builds a worker's runner, on its node.
        needs: what a worker takes, by Ray's names: CPU, GPU, memory (bytes), custom resources.
        workers: how many; None for as many as fit the cluster at each moment.
        jobs: returns how many trials may still be trained; there are never more workers.
        environment: environment variables that each worker sets before it builds its runner, so
            that Ray can use a process that it has started in advance.
        parts: parts of `make` under names that a user knows, for errors.
        local: checkpoints that only the driver's node reaches; None if every node reaches them.
        prepare: called on each worker before it builds its runner.
        threads: environment variables that a worker's process must start with, for which Ray
            starts a new one; None if those that Ray sets by itself will do.

    Raises:
        InvalidInput: if `make` cannot be pickled, or does not fit the object store.
    """

    certain = False
    start_limit = None

    def __init__(
        self,
        connection: RayConnection,
        make: Callable[[], Runner],
        needs: Mapping[str, float],
        workers: int | None = None,
        jobs: Callable[[], float] = lambda: math.inf,
        environment: Mapping[str, str] | None = None,
        parts: Mapping[str, Any] | None = None,
        local: Blobs | None = None,
        prepare: Callable[[], None] | None = None,
        threads: Mapping[str, str] | None = None,
    ) -> None:
        self._connection, self._needs, self._wanted = connection, dict(needs), workers
        self._jobs, self._environment = jobs, dict(environment or {})
        self._actors = _actor_class(needs, threads or {})
        self._local, self._prepare = local, cloudpickle.dumps(prepare or _nothing)
        self._checkpoints = Checkpoints(connection.home, local)
        self._recipe: Any = _put(write_recipe(make, parts or {}, local))
        self._keeper: Any = None

    @property
    def workers(self) -> int:  # type: ignore[override]
        """The number of workers that the cluster has room for now."""
        wanted = self._wanted
        if wanted is None:
            # One at least, even if nothing fits now: an autoscaling cluster grows for it.
            wanted = max(1, room(self._connection.nodes, self._needs))
        return int(max(1, min(wanted, self._jobs())))

    def start(self, number: int, ahead: float) -> Link:
        actor = self._actors.remote(self._environment)
        call = actor.begin.remote(self._recipe, self._checkpoints, ahead, versions(), self._prepare)
        return RayLink(self._connection, actor, call, self._introduce)

    def _introduce(self, actor: Any) -> None:
        """Has a worker on another node reach the checkpoints through the keeper."""
        if self._local is None:
            return
        if self._keeper is None:
            here = NodeAffinitySchedulingStrategy(self._connection.home, soft=False)
            # Its methods can be repeated, so another process takes over if this one is killed.
            keeper = ray.remote(
                num_cpus=0,
                max_concurrency=SIDE_BY_SIDE,
                max_restarts=-1,
                max_task_retries=-1,
            )(RayKeeper)
            self._keeper = keeper.options(scheduling_strategy=here).remote(self._local)
        actor.meet.remote(self._keeper)

    def wait(self, links: Sequence[Link], timeout: float | None) -> Sequence[Link]:
        mine = [link for link in links if isinstance(link, RayLink)]
        for link in mine:
            link.flush()
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not any(link.speaks for link in mine):
            self._connection.look()
            left = max(0.0, min(_BLOCKED, deadline - time.monotonic()))
            calls = {link.call: link for link in mine if link.call is not None}
            if calls:
                ready, _ = ray.wait([*calls], timeout=left)
                if len(ready) and len(calls) > 1:
                    ready, _ = ray.wait([*calls], num_returns=len(calls), timeout=0)
                for call in ready:
                    calls[call].collect()
            else:
                time.sleep(left)
            for link in mine:
                link.flush()
            if time.monotonic() >= deadline:
                break
        return [link for link in mine if link.speaks]

    def fleet(self, links: Sequence[Link]) -> Fleet | None:
        waiting = sum(isinstance(link, RayLink) and link.waits for link in links)
        connection = self._connection
        why = _shortage(self._needs, fits=room(connection.nodes, self._needs) > 0)
        return Fleet(
            nodes=len(connection.nodes),
            waiting=waiting,
            why=why if waiting else "",
            lost=len(connection.lost),
        )

    def close(self) -> None:
        if self._keeper is not None:
            self._connection.kill(self._keeper)
        self._recipe = self._keeper = None
        self._connection.close()


@final
class RayLink(Link):
    """The driver's end of a worker's actor.

    Args:
        connection: the cluster.
        actor: the worker.
        call: its first call, of `RayWorker.begin`.
        introduce: called with the worker if it is on another node than the driver.

    Attributes:
        call: the call whose return is awaited, None if there is none.
    """

    def __init__(
        self,
        connection: RayConnection,
        actor: Any,
        call: Any,
        introduce: Callable[[Any], None],
    ) -> None:
        self._connection, self._actor, self._introduce = connection, actor, introduce
        self.call: Any = call
        self._asked = time.monotonic()
        self._node = self._address = ""
        self._outbox: list[Order] = []
        self._inbox: deque[FromWorker] = deque()
        self._sent = self._memory = 0
        self._ended = False
        self._error: Exception | None = None

    @property
    def name(self) -> str:
        """The id of its actor."""
        return str(self._actor._actor_id.hex())

    @property
    def speaks(self) -> bool:
        """Whether `receive` has something to return or to raise."""
        return bool(self._inbox) or self._ended

    @property
    def waits(self) -> bool:
        """Whether no node has taken it for a while."""
        return not (self._node or self._ended) and time.monotonic() - self._asked > _UNPLACED

    def send(self, order: Order) -> None:
        self._outbox.append(order)

    def flush(self) -> None:
        """Sends the orders, with the next exchange or beside the one that is under way.

        While messages are not handled yet, the next exchange waits for the orders that answer
        them: an epoch costs one call.
        """
        if not self._inbox:
            self._exchange()

    def _exchange(self) -> None:
        if self._ended or not self._node:
            return
        orders, self._outbox = self._outbox, []
        first, self._sent = self._sent, self._sent + len(orders)
        with self._noticing():
            if self.call is None:
                self.call = self._actor.exchange.remote(first, pickle.dumps(orders))
            elif orders:
                self._actor.take.remote(first, pickle.dumps(orders))

    def collect(self) -> None:
        """Takes what the awaited call returned."""
        call, self.call = self.call, None
        with self._noticing():
            result = ray.get(call)
            if not self._node:
                self._node, self._address, _ = result
                if self._node != self._connection.home:
                    self._introduce(self._actor)
            else:
                messages, self._ended, self._memory = result
                self._inbox.extend(pickle.loads(messages))

    def receive(self) -> FromWorker | None:
        if self._inbox:
            return self._inbox.popleft()
        if self._ended:
            raise EOFError
        return None

    def kill(self) -> None:
        self._connection.kill(self._actor)

    def join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._exchange()
        while not self._ended and self.call is not None and time.monotonic() < deadline:
            ready, _ = ray.wait([self.call], timeout=max(0.0, deadline - time.monotonic()))
            if ready:
                self.collect()
                self._exchange()

    def loss(self) -> Loss:
        address = self._address or "a node"
        if isinstance(self._error, ray.exceptions.ActorUnavailableError):
            self._settle()
        if self._node and not self._connection.alive(self._node):
            return Loss(f"the node {address} was lost", counts=False)
        if isinstance(self._error, ray.exceptions.ActorUnavailableError):
            return Loss(f"the connection to the node {address} was interrupted", counts=False)
        if getattr(self._error, "preempted", False):
            return Loss(f"the node {address} was preempted", counts=False)
        return Loss(f"its process on {address} ended{_reason(self._error)}")

    def close(self) -> None:
        self._ended = True
        self.kill()

    def _settle(self) -> None:
        """Waits until it is known whether an actor that does not answer has ended."""
        deadline = time.monotonic() + _DOUBT
        while time.monotonic() < deadline:
            try:
                ray.get(self._actor.take.remote(self._sent, pickle.dumps([])), timeout=1.0)
                return
            except (ray.exceptions.ActorUnavailableError, ray.exceptions.GetTimeoutError):
                time.sleep(0.2)
            except ray.exceptions.RayError as error:
                self._error = error
                return

    def node(self) -> str:
        return self._address

    def memory(self) -> int:
        return self._memory

    @contextlib.contextmanager
    def _noticing(self) -> Any:
        """Notices that the actor is lost, or could not be created."""
        try:
            yield
        except ray.exceptions.RayError as error:
            self._ended, self._error, self.call = True, error, None
            if refused := _unusable(error):
                self._inbox.append(Broken(refused, str(error)))


def _actor_class(needs: Mapping[str, float], threads: Mapping[str, str]) -> Any:
    """Returns the class of the workers' actors, exported to the cluster once."""
    named = ("CPU", "GPU", "memory")
    return ray.remote(
        concurrency_groups={"orders": 1},
        num_cpus=needs.get("CPU", 0),
        num_gpus=needs.get("GPU", 0),
        memory=needs.get("memory"),
        resources={name: amount for name, amount in needs.items() if name not in named},
        max_restarts=0,
        runtime_env={"env_vars": dict(threads)} if threads else None,
    )(RayWorker)


def _nothing() -> None:
    """Prepares nothing."""


def _put(recipe: Any) -> Any:
    """Puts the recipe into the object store, once for all workers."""
    full = (ray.exceptions.ObjectStoreFullError, ray.exceptions.OutOfDiskError)
    try:
        return ray.put(recipe)
    except full as error:
        raise InvalidInput(
            f"The training data and the model's code ({recipe.size / 1e6:.0f} MB) do not fit "
            "Ray's object store. Start the cluster with more (ray start "
            "--object-store-memory=BYTES), or read the data inside a keras.utils.PyDataset."
        ) from error


def _shortage(needs: Mapping[str, float], fits: bool) -> str:
    """Returns what a worker waits for, as a clause."""
    units = {"memory": "{:.3g} bytes of memory"}
    shown = [units.get(name, f"{{:g}} {name}").format(n) for name, n in needs.items() if n > 0]
    why = "the cluster has none free" if fits else "no node of the cluster has that"
    return f"{' and '.join(shown)}: {why}"


def _reason(error: Exception | None) -> str:
    """Returns why Ray says that a process ended, in one clause."""
    text = " ".join(str(error or "").split())
    if "memory" in text and ("OOM" in text or "running low on memory" in text):
        return ": Ray ended it because its node ran out of memory"
    for signal in ("SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT"):
        if signal in text:
            return f", perhaps by {signal}" if signal == "SIGKILL" else f" by {signal}"
    return ""


def _unusable(error: Exception) -> str:
    """Returns the message for an error that every worker would raise again; else empty."""
    text = str(error)
    if "failed to import" in text or "No module named" in text:
        return (
            "A Ray node cannot import kerashpo. Install it there with the extra that the driver "
            'has, pip install "kerashpo[ray]"; kerashpo doctor --cluster lists all nodes.'
        )
    if isinstance(error, ray.exceptions.RuntimeEnvSetupError):
        return f"Ray could not set up the workers' environment (runtime_env): {error}"
    return ""
