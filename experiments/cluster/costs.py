"""What a report and a trial cost on Ray beyond training, and how busy eight workers are.

    python -m experiments.cluster.costs

Epochs are computed or slept, so that all processor time is the machinery's: of the search, the
workers, the keeper of checkpoints and Ray's own processes. A checkpoint is written every epoch.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from experiments.cluster.search import run, train
from kerashpo.core.events import Event, Reported
from kerashpo.core.history import History
from kerashpo.schedulers.full_training import Full
from kerashpo.store.open import read_events

STORE = 100 * 2**20
GROUPS = Path("/sys/fs/cgroup/cpuacct")


def account() -> None:
    """Has Linux count the processor time of this process and all that it starts from now on.

    Without it (no root, no control groups), `cpu` misses processes that Ray started and that
    have ended.
    """
    with contextlib.suppress(OSError):
        group = GROUPS / f"kerashpo-{os.getpid()}"
        group.mkdir()
        (group / "cgroup.procs").write_text(str(os.getpid()))


def cpu() -> float:
    """Returns the processor seconds of this process and all that it started, so far."""
    with contextlib.suppress(OSError):
        return int((GROUPS / f"kerashpo-{os.getpid()}" / "cpuacct.usage").read_text()) / 1e9
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
    return used, _first_report(events) - began, History(events)


def _first_report(events: Sequence[Event]) -> float:
    """Returns the Unix time of a search's first report."""
    first = next(event for event in events if isinstance(event, Reported))
    return first.at + History(events).sessions[0][1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("costs", "efficiency", "keras"))
    parser.add_argument("--epochs", type=int, default=60, help="of each trial, for efficiency")
    given = parser.parse_args()
    account()
    if given.only in (None, "costs"):
        costs()
    if given.only in (None, "efficiency"):
        efficiency(given.epochs)
    if given.only in (None, "keras"):
        keras_begins()


def costs() -> None:
    """Prints processor time with few and many reports and trials."""
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


def efficiency(epochs: int) -> None:
    """Prints which share of their time eight workers train, with epochs of a second.

    Counted from the first epoch of any worker, so that the start of the others is a loss, and
    from when all eight had begun.
    """
    import ray

    connect(ray, 8)
    _, first, history = measure(8, epochs, 1.0)
    ray.shutdown()
    times = [trial.times for trial in history.trials.values()]
    begun = [min(found.values()) - 1.0 for found in times]
    ended = max(max(found.values()) for found in times)
    last = max(begun)
    after = sum(at > last for found in times for at in found.values())
    print(
        f"8 workers, {epochs} epochs of 1 s each: first report {first:.1f} s after the search "
        f"began, workers begun {min(begun):.1f} to {last:.1f} s; efficiency from the first epoch "
        f"{history.epochs / (8 * (ended - min(begun))):.3f}, from when all had begun "
        f"{after / (8 * (ended - last)):.3f}"
    )


def keras_begins() -> None:
    """Prints how long a search of Keras models takes until its first epoch is in the log."""
    import keras  # the script has imported it before it searches
    import ray

    connect(ray, 2)
    with tempfile.TemporaryDirectory() as place:
        began, folder = time.time(), Path(place) / "study"
        train(folder, "auto", 0.0)
        first = _first_report(read_events(folder)) - began
    ray.shutdown()
    print(f"Keras {keras.__version__}: {first:.1f} s from search() until the first report")


def connect(ray: object, cpus: int) -> None:
    """Starts a cluster of one node on this machine."""
    ray.init(  # type: ignore[attr-defined]
        address="local",
        num_cpus=cpus,
        object_store_memory=STORE,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        _system_config={"worker_niceness": 0},
    )


if __name__ == "__main__":
    main()
