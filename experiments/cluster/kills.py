"""Kills workers, nodes, the search and the head of a Ray cluster, and checks what is left.

    python -m experiments.cluster.kills --searches 60 --kills 2 --out /path/to/results.jsonl

Each search is Hyperband on curves, on a head and two nodes of one CPU. Checked against the search
that nobody disturbed: the same epochs and values, none lost after it was in the log, none
twice in it, nothing stuck. Results are appended, so an interrupted experiment resumes.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from experiments.cluster.search import LOST, run
from kerashpo.core.events import Event, Reported
from kerashpo.core.history import History
from kerashpo.store.open import has_log, read_events

KINDS = ("worker", "node", "search", "head")
EPOCH_SECONDS = 0.15
STORE = 100 * 2**20
STUCK = 180.0


class Nodes:
    """A cluster of a head and two nodes, each of which can be killed and replaced."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": STORE}
        head["_system_config"] = {"worker_niceness": 5}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.workers = [self._join() for _ in range(2)]

    def _join(self) -> Any:
        return self.cluster.add_node(num_cpus=1, object_store_memory=STORE)

    def kill_node(self, rng: random.Random) -> None:
        self.cluster.remove_node(self.workers.pop(rng.randrange(2)), allow_graceful=False)
        self.workers.append(self._join())

    def kill_head(self) -> None:
        self.end()

    def end(self) -> None:
        self.cluster.shutdown()

    @property
    def address(self) -> str:
        return str(self.cluster.address)


def actors() -> list[psutil.Process]:
    """Returns the workers' processes that are training."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [""])[0].startswith("ray::RayWorker"):
            found.append(process)
    return found


def values(events: list[Event]) -> dict[tuple[int, int], float]:
    """Returns the value of each (trial, epoch)."""
    history = History(events)
    return {
        (number, epoch): report.metrics["value"]
        for number, trial in history.trials.items()
        for epoch, report in trial.reports.get(0, {}).items()
    }


def start(folder: Path, address: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "experiments.cluster.search", str(folder), address]
    log = (folder.parent / "search.log").open("ab")
    return subprocess.Popen([*command, str(EPOCH_SECONDS)], stdout=log, stderr=log)


def disturb(kinds: list[str], rng: random.Random, nodes: Nodes) -> dict[str, Any]:
    """Runs one search, disturbed by these kills; returns what was seen."""
    seen: dict[str, Any] = {"kinds": kinds, "lost": 0, "stuck": False, "messages": 0}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        search, began = start(folder, nodes.address), time.monotonic()
        acknowledged: set[tuple[int, int]] = set()
        for kind in kinds:
            target = len(acknowledged) + rng.randint(1, 20)
            while search.poll() is None and time.monotonic() - began < STUCK:
                now = set(values(read_events(folder))) if has_log(folder) else set()
                seen["lost"] += len(acknowledged - now)
                acknowledged |= now
                if len(now) >= target:
                    break
                time.sleep(rng.uniform(0.02, 0.2))
            if search.poll() is not None:
                seen.setdefault("spared", []).append(kind)
                continue
            if kind == "worker" and (running := actors()):
                rng.choice(running).kill()
            elif kind == "node":
                nodes.kill_node(rng)
            elif kind == "search":
                search.send_signal(signal.SIGKILL)
                search.wait()
                search = start(folder, nodes.address)
            elif kind == "head":
                nodes.kill_head()
                since = time.monotonic()
                code = search.wait(90)
                seen["head_seconds"] = round(time.monotonic() - since, 1)
                seen["messages"] += code == LOST
                seen["head_code"] = code
                nodes.start()
                search = start(folder, nodes.address)
            began = time.monotonic()
        try:
            seen["code"] = search.wait(STUCK)
        except subprocess.TimeoutExpired:
            seen["stuck"] = True
            search.kill()
            search.wait()
        events = read_events(folder)
        reports = Counter((e.trial, e.report.epoch) for e in events if isinstance(e, Reported))
        found = values(events)
        seen["lost"] += len(acknowledged - set(found))
        seen["epochs"], seen["twice"] = len(found), sum(n > 1 for n in reports.values())
        seen["values"] = sorted([*key, value] for key, value in found.items())
        if seen.get("code"):
            seen["log"] = (Path(place) / "search.log").read_text()[-1500:]
    deadline = time.monotonic() + 10.0
    while actors() and time.monotonic() < deadline:
        time.sleep(0.2)
    seen["left_behind"] = len(actors())
    return seen


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    done = given.out.read_text().splitlines() if given.out.exists() else []
    nodes = Nodes()
    try:
        with tempfile.TemporaryDirectory() as place:
            run(Path(place) / "study", nodes.address, 0.0)
            whole = values(read_events(Path(place) / "study"))
            expected = sorted([*key, value] for key, value in whole.items())
        for number in range(len(done), given.searches):
            rng = random.Random(number)
            kinds = [KINDS[(number * given.kills + i) % len(KINDS)] for i in range(given.kills)]
            seen = disturb(kinds, rng, nodes)
            seen["equal"] = seen.pop("values") == expected
            with given.out.open("a") as file:
                print(json.dumps(seen), file=file, flush=True)
            print(number, json.dumps(seen), flush=True)
    finally:
        nodes.end()
    table(given.out)


def table(path: Path) -> None:
    """Prints what was seen in total."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kills = Counter(kind for row in rows for kind in row["kinds"])
    kills.subtract(kind for row in rows for kind in row.get("spared", ()))
    print(f"{len(rows)} searches, kills: {dict(kills)}")
    for name in ("lost", "stuck", "twice", "left_behind"):
        print(f"{name}: {sum(row[name] for row in rows)}")
    print(f"equal to the undisturbed search: {sum(row['equal'] for row in rows)} of {len(rows)}")


if __name__ == "__main__":
    main()
