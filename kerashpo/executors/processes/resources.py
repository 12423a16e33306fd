"""Assigns cores, threads and GPUs to workers. Pure functions, except those that ask the system."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

_WORKER_BYTES = 10**9
"""Approximate memory of a worker with TensorFlow, its graphs and some models, in bytes."""
_POOLS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Variables that a numeric library reads only when it is loaded."""


@dataclass(frozen=True, slots=True)
class Place:
    """The resources of one worker.

    Attributes:
        cores: the CPU cores that it runs on; empty for any.
        threads: threads of each of its thread pools.
        gpu: the only GPU that it sees, None if there is none to assign.
    """

    cores: tuple[int, ...]
    threads: int
    gpu: str | None = None

    def environment(self) -> dict[str, str]:
        """Returns the environment variables to set before a numeric library is loaded."""
        found = thread_variables(self.threads)
        if self.gpu is not None:
            found |= {
                "CUDA_VISIBLE_DEVICES": self.gpu,
                # Several workers may share a GPU: none may reserve all its memory.
                "TF_FORCE_GPU_ALLOW_GROWTH": "true",
                "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            }
        return found


def thread_variables(threads: int) -> dict[str, str]:
    """Returns the environment variables that limit each thread pool to so many threads."""
    return dict.fromkeys(_POOLS, str(threads))


def places(
    workers: int,
    cores: Sequence[int],
    gpus: Sequence[str] = (),
    threads: int | None = None,
    quota: int | None = None,
) -> tuple[Place, ...]:
    """Returns each worker's resources: cores are divided evenly, GPUs assigned in turn.

    Args:
        workers: the number of workers.
        cores: the available cores.
        gpus: the available GPUs.
        threads: threads per worker; None for as many as its share of the cores.
        quota: the number of cores whose time may be used in total, as in a container; None for all.
    """
    allowed = len(cores) if quota is None else min(quota, len(cores))
    if workers > allowed or allowed < len(cores):
        # Fewer cores than workers, or than the machine has: the system schedules them.
        shares: list[tuple[int, ...]] = [()] * workers
    else:
        cuts = [len(cores) * i // workers for i in range(workers + 1)]
        shares = [tuple(cores[a:b]) for a, b in zip(cuts, cuts[1:])]
    return tuple(
        Place(
            share,
            threads or max(1, len(share) or allowed // workers),
            gpus[i % len(gpus)] if gpus else None,
        )
        for i, share in enumerate(shares)
    )


def room(cores: int, gpus: int) -> int:
    """Returns the largest sensible number of workers: a GPU or a core each, and enough memory."""
    memory = int(psutil.virtual_memory().available // _WORKER_BYTES)
    return max(1, min(gpus or cores, memory))


def available_cores() -> tuple[int, ...]:
    """Returns the CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def core_quota() -> int:
    """Returns the number of cores whose time this process may use: containers limit it."""
    import joblib

    return int(joblib.cpu_count())


def available_gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the names of the NVIDIA GPUs that this process may use, without importing a library.

    Args:
        environment: environment variables; CUDA_VISIBLE_DEVICES is honoured if it is set.
    """
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        # As CUDA reads it: entries after an invalid number are not visible.
        cut = next((i for i, name in enumerate(names) if name in ("", "-1")), len(names))
        return tuple(names[:cut])
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    command = [tool, "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(done.stdout.split()) if done.returncode == 0 else ()
