"""What a report and a trial cost on Ray beyond training, and how busy eight workers are.

    python -m experiments.cluster.costs

Epochs are computed or slept, so that all processor time is the machinery's: of the search, the
workers, the keeper of checkpoints and Ray's own processes. A checkpoint is written every epoch.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import psutil

from experiments.cluster.search import run
from kerashpo.core.events import Reported
from kerashpo.core.history import History
from kerashpo.schedulers.full_training import Full
from kerashpo.store.open import read_events

STORE = 100 * 2**20


def cpu() -> float:
    """Returns the processor seconds of this process and all that it started, so far.

    Those of a process that has ended are its parent's.
    """
    me, whole = psutil.Process(), 0.0
    for process in (me, *me.children(recursive=True)):
        try:
            used = process.cpu_times()
        except psutil.Error:
            continue
        whole += used.user + used.system + used.children_user + used.children_system
    return whole


def measure(trials: int, epochs: int, seconds: float) -> tuple[float, float, History]:
    """Returns processor seconds, seconds until the first report, and the history of a search."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        before, began = cpu(), time.time()
        run(folder, "auto", seconds, Full(epochs, trials), trials)
        used = cpu() - before
        events = read_events(folder)
    history = History(events)
    first = next(event for event in events if isinstance(event, Reported))
    return used, first.at + history.sessions[0][1] - began, history


def main() -> None:
    import ray

    for cpus, trials, epochs, seconds in ((2, 4, 25, 0.0), (2, 4, 525, 0.0), (2, 44, 25, 0.0)):
        connect(ray, cpus)
        used, first, history = measure(trials, epochs, seconds)
        ray.shutdown()
        print(
            f"{trials} trials of {epochs} epochs: {used:.1f} CPU s, {history.epochs} reports, "
            f"{history.now:.1f} s; {first:.1f} s until the first report",
            flush=True,
        )
    connect(ray, 8)
    _, _, history = measure(8, 60, 1.0)
    ray.shutdown()
    begun = min(trial.times[0, 1] for trial in history.trials.values()) - 1.0
    ended = max(max(trial.times.values()) for trial in history.trials.values())
    share = history.epochs / (8 * (ended - begun))
    print(f"8 workers, epochs of 1 s: {ended - begun:.1f} s, efficiency {share:.2f}")


def connect(ray: object, cpus: int) -> None:
    """Starts a cluster of one node on this machine."""
    ray.init(  # type: ignore[attr-defined]
        address="local",
        num_cpus=cpus,
        object_store_memory=STORE,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        _system_config={"worker_niceness": 5},
    )


if __name__ == "__main__":
    main()
