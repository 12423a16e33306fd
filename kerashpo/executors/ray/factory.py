"""The executor factory for Ray clusters; Ray itself is imported only when a search begins."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, final

from kerashpo.core.errors import InvalidInput, MissingExtra, require_integer, require_number
from kerashpo.core.sizes import read_bytes
from kerashpo.executors.factories import Built, ExecutorFactory, ExecutorRequest, agreed
from kerashpo.executors.pool.worker_pool import WorkerPool
from kerashpo.executors.processes.resources import thread_variables

_SHARED_GPU: Mapping[str, str] = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
_HEADROOM = 0.9
"""Share of its part of a GPU that a worker's arrays may take; the rest is the library's own."""


def require_ray() -> None:
    """Raises MissingExtra, naming the extra to install, if Ray is absent."""
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra(
            'A Ray cluster needs the package ray. Install it: pip install "kerashpo[ray]"'
        )


@final
@dataclass(frozen=True, slots=True)
class Ray(ExecutorFactory):
    """Trains on a Ray cluster: one long-lived actor per worker.

    Args:
        address: ``"auto"`` for the running cluster (and for one on this machine if there is
            none), ``"local"`` for a new one on this machine, or ``"host:port"`` of its head.
        workers: the number of workers; None for the search's ``workers=``, or for as many as fit
            the cluster at each moment. There are never more than trials left to train.
        cpus_per_trial: CPUs that a worker takes.
        gpus_per_trial: GPUs that a worker takes; a fraction shares a GPU and its memory.
        memory_per_trial: bytes of memory that a worker takes, or text such as ``"4GB"``; None
            does not reserve any.
        checkpoints: None for the study's folder, through one keeper on the driver's node; or a
            folder that all nodes share, or an URL of fsspec (``"s3://bucket/path"``).
        runtime_env: Ray's description of the workers' environment, for what must be installed.

    Raises:
        InvalidInput: for a number out of range.
    """

    isolates: ClassVar[bool] = True
    address: str = "auto"
    workers: int | None = None
    cpus_per_trial: float = 1
    gpus_per_trial: float = 0
    memory_per_trial: int | str | None = None
    checkpoints: str | None = None
    runtime_env: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.address, str) or not self.address:
            raise InvalidInput(
                'address must be "auto", "local" or "host:port" of a Ray cluster. '
                f"Received: {self.address!r}."
            )
        if self.workers is not None:
            require_integer("workers", self.workers, 1)
        require_number("cpus_per_trial", self.cpus_per_trial, 0.0)
        require_number("gpus_per_trial", self.gpus_per_trial, 0.0)
        if self.cpus_per_trial == 0 and self.gpus_per_trial == 0:
            raise InvalidInput(
                "A trial needs a CPU or a GPU, or a share of one: cpus_per_trial and "
                "gpus_per_trial are both 0."
            )

        self.needs()

    def build(self, request: ExecutorRequest) -> Built:
        require_ray()
        from kerashpo.executors.ray.connection import connect, room
        from kerashpo.executors.ray.transport import RayTransport

        wanted = agreed(self.workers, request.workers)
        if self.address.startswith("ray://") and request.blobs is not None:
            raise InvalidInput(
                "ray:// connects from outside the cluster, where the nodes cannot write "
                "checkpoints. Run the script on a node of the cluster (ray job submit). "
                f"Received: address={self.address!r}."
            )
        connection = connect(self.address, self.runtime_env)
        try:
            fits = max(1, room(connection.nodes, self.needs()))
            count = fits if wanted is None else wanted
            share = max(1, count // max(1, len(connection.nodes)))
            transport = RayTransport(
                connection,
                request.make(share),
                self.needs(),
                wanted,
                request.jobs,
                self._environment(request),
                request.parts,
                None if self.checkpoints else request.blobs,
                self._preparation(request),
                self._threads(request),
            )
        except BaseException:
            connection.close()
            raise
        notes: tuple[str, ...] = ()
        if connection.started:
            notes = ("Ray was started on this machine for this search: no cluster is running",)
        first = int(max(1, min(count, request.jobs())))
        return WorkerPool(transport, request.settings, request.blobs), first, notes

    @property
    def place(self) -> str | None:
        return self.checkpoints

    def needs(self) -> dict[str, float]:
        """Returns what a worker takes, by Ray's names of resources."""
        needs = {"CPU": float(self.cpus_per_trial), "GPU": float(self.gpus_per_trial)}
        if self.memory_per_trial is not None:
            needs["memory"] = float(read_bytes("memory_per_trial", self.memory_per_trial))
        return {name: amount for name, amount in needs.items() if amount > 0}

    def _environment(self, request: ExecutorRequest) -> dict[str, str]:
        threads = request.threads or max(1, int(self.cpus_per_trial))
        found = {**thread_variables(threads), **request.environment}
        if 0 < self.gpus_per_trial < 1:
            share = f"{_HEADROOM * self.gpus_per_trial:.3f}"
            found |= {**_SHARED_GPU, "XLA_PYTHON_CLIENT_MEM_FRACTION": share}
        return found

    def _threads(self, request: ExecutorRequest) -> dict[str, str] | None:
        """Returns the limits of thread pools, None if Ray sets the same by itself."""
        if request.threads in (None, max(1, int(self.cpus_per_trial))):
            return None
        return thread_variables(request.threads)

    def _preparation(self, request: ExecutorRequest) -> Any:
        if not 0 < self.gpus_per_trial < 1 or request.limit_gpu is None:
            return None
        return partial(request.limit_gpu, _HEADROOM * self.gpus_per_trial)
