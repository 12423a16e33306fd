"""Which worker gets which cores, threads and GPU. Pure functions, apart from asking the system."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_POOLS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Read once, by a numeric library that starts."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker works.

    Attributes:
        cores: the CPU cores that it stays on; empty for any.
        threads: threads of each of its thread pools.
        gpu: the one GPU that it sees, None where there is none to hand out.
    """

    cores: tuple[int, ...]
    threads: int
    gpu: str | None = None

    def environment(self) -> dict[str, str]:
        """Returns the variables that must be set before a numeric library starts."""
        found = dict.fromkeys(_POOLS, str(self.threads))
        if self.gpu is not None:
            found |= {
                "CUDA_VISIBLE_DEVICES": self.gpu,
                # Several workers may share one: none may take all its memory.
                "TF_FORCE_GPU_ALLOW_GROWTH": "true",
                "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            }
        return found


def places(
    workers: int, cores: Sequence[int], gpus: Sequence[str] = (), threads: int | None = None
) -> tuple[Place, ...]:
    """Returns each worker's place: cores are dealt out evenly, GPUs in turn.

    Args:
        workers: how many.
        cores: the cores that there are.
        gpus: the GPUs that there are.
        threads: threads a worker; None for as many as it has cores.
    """
    if workers > len(cores):
        # More workers than cores: the system knows best who can run where.
        shares: list[tuple[int, ...]] = [()] * workers
    else:
        cuts = [len(cores) * i // workers for i in range(workers + 1)]
        shares = [tuple(cores[a:b]) for a, b in zip(cuts, cuts[1:])]
    return tuple(
        Place(share, threads or max(1, len(share)), gpus[i % len(gpus)] if gpus else None)
        for i, share in enumerate(shares)
    )


def available_cores() -> tuple[int, ...]:
    """Returns the CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def available_gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the names of the NVIDIA GPUs that this process may use, without a library for them.

    Args:
        environment: variables; CUDA_VISIBLE_DEVICES counts where it is set.
    """
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        # As CUDA reads it: what follows an invalid number is not visible.
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
