"""Kills workers, nodes, the search and the head of a Ray cluster, and checks what is left.

    python -m experiments.cluster.kills --searches 60 --kills 2

Each search is Hyperband on a head and two nodes of one CPU: most on curves, two of sixty train
with ``deterministic=True``. Every third search has a network cut besides: the raylet of a node is
stopped for a while. Checked against the search that nobody disturbed: the same epochs and values,
none lost after it was in the log, none twice in it, nothing stuck, nothing left behind. A row a
search is appended to `kills.csv`, so an interrupted experiment resumes.
"""

from __future__ import annotations

import argparse
import csv
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from experiments.chaos.probe import trained, trained_again
from experiments.cluster.nodes import Nodes, training_actors
from experiments.cluster.search import CHECKPOINT_EVERY, LOST, SERIAL
from kerashpo.core.events import Event, Reported
from kerashpo.core.history import History
from kerashpo.executors.ray.last_words import MESSAGE
from kerashpo.store.open import has_log, read_events

RESULTS = Path(__file__).with_name("kills.csv")
KINDS = ("worker", "node", "search", "head", "worker", "node", "move", "head")
"""``move``: the search is killed, and started again on another cluster."""
EPOCH_SECONDS = 0.15
NODES = 2
"""Nodes of one CPU, so workers that train at a time."""
STUCK = 240.0
"""Seconds without a new epoch, or until the end, after which a search counts as stuck."""
SEARCHED = "experiments.cluster.search"

Curve = tuple[tuple[int, int, tuple[tuple[str, float], ...]], ...]
"""Trial, epoch and metrics of every epoch."""


@dataclass(slots=True)
class Row:
    """What was seen in one search.

    Attributes:
        search: its number.
        kind: curves or training.
        kills: what was killed, and after how many epochs: ``worker@12 head@40``.
        spared: kills that came too late, as the search was over.
        epochs: distinct epochs in the log.
        lost: epochs that were in the log and are not any more.
        twice: epochs that are in the log twice.
        stuck: whether it came to no end.
        equal: whether every metric of every epoch is that of the undisturbed search.
        told: of the heads that were killed, after how many the search ended with our message.
        without: after how many it went on to its end without a head.
        left_actors, left_files: workers, and temporary files in the study's folder, that are
            left behind.
        seconds: wall time.
        code: the exit code of the last process.
        again: epochs that were trained again; None for a search before they were counted.
        over: kills that cost more than the larger of one epoch and the time between checkpoints,
            for each worker that they hit.
    """

    search: int
    kind: str
    kills: str = ""
    spared: str = ""
    epochs: int = 0
    lost: int = 0
    twice: int = 0
    stuck: bool = False
    equal: bool = False
    told: int = 0
    without: int = 0
    left_actors: int = 0
    left_files: int = 0
    seconds: float = 0.0
    code: int | None = None
    again: int | None = None
    over: int | None = None


def curve_of(events: list[Event]) -> Curve:
    """Returns the metrics of all epochs."""
    trials = History(events).trials
    return tuple(
        (number, epoch, tuple(sorted(report.metrics.items())))
        for number, trial in sorted(trials.items())
        for epoch, report in sorted(trial.reports.get(0, {}).items())
    )


@cache
def undisturbed(kind: str) -> Curve:
    """Returns what the search finds if nobody disturbs it; real training in one process."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        if kind == "training":
            command = [sys.executable, "-m", SEARCHED, str(folder), SERIAL, "0", kind]
            subprocess.run(command, check=True)
        else:
            play(folder)
        return curve_of(read_events(folder))


def play(folder: Path) -> None:
    """Runs the search of curves in this process."""
    from experiments.chaos.searches import Search

    Search("curves", epoch_seconds=0.0).run(folder.parent)


class Disturbed:
    """One search, and what is done to it.

    Args:
        row: where results are noted.
        folder: its study.
        nodes: the cluster.
        rng: draws the moments.

    Attributes:
        moments: the time of each kill, and how many workers it hit at most.
    """

    def __init__(self, row: Row, folder: Path, nodes: Nodes, rng: random.Random) -> None:
        self.row, self.folder, self.nodes, self.rng = row, folder, nodes, rng
        self.acknowledged: set[tuple[int, int]] = set()
        self.moments: list[tuple[float, int]] = []
        self.output = folder.parent / "output"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the search."""
        command = [sys.executable, "-m", SEARCHED, str(self.folder), self.nodes.address]
        with self.output.open("ab") as log:
            return subprocess.Popen(
                [*command, str(EPOCH_SECONDS), self.row.kind], stdout=log, stderr=log
            )

    def look(self) -> None:
        """Counts epochs that were in the log and are no longer there."""
        if has_log(self.folder):
            now = {(trial, epoch) for trial, epoch, _ in curve_of(read_events(self.folder))}
            self.row.lost += len(self.acknowledged - now)
            self.acknowledged |= now

    def wait_for_moment(self) -> bool:
        """Waits for a random moment; returns whether the search still runs then."""
        begun = time.monotonic()
        if self.rng.random() < 0.3:  # while workers start, or are replaced
            moment, target = begun + self.rng.uniform(0.0, 8.0), sys.maxsize
        else:
            moment, target = begun + STUCK, len(self.acknowledged) + self.rng.randint(1, 20)
        while self.process.poll() is None and time.monotonic() < moment:
            self.look()
            if len(self.acknowledged) >= target:
                break
            time.sleep(self.rng.uniform(0.02, 0.2))
        return self.process.poll() is None

    def hit(self, kind: str) -> None:
        """Kills."""
        self.moments.append((time.time(), 1 if kind in ("worker", "node", "cut") else NODES))
        match kind:
            case "worker":
                if running := training_actors():
                    self.rng.choice(running).kill()
            case "node":
                self.nodes.kill_node(self.rng.randrange(NODES))
            case "cut":
                self.nodes.cut(self.rng, self.rng.choice([2.0, 8.0, 40.0]))
            case "search" | "move":
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
                if kind == "move":
                    self.nodes.end()
                    self.nodes.start()
                self.process = self.start()
            case "head":
                before = len(self.output.read_text())
                self.nodes.kill_head(self.rng)
                code = self.process.wait(120)
                time.sleep(1.0)  # the child that says it for a process that Ray ends
                told = code == LOST or MESSAGE in self.output.read_text()[before:]
                self.row.told += told
                self.row.without += code == 0
                if not told and code:
                    print(f"search {self.row.search}: the head was killed, exit code {code}")
                    print(self.output.read_text()[-1500:], flush=True)
                self.nodes.end()
                self.nodes.start()
                self.process = self.start()

    def finish(self) -> None:
        """Waits for the search's end, and compares."""
        row = self.row
        try:
            row.code = self.process.wait(STUCK)
        except subprocess.TimeoutExpired:
            row.stuck = True
            self.process.kill()
            self.process.wait()
        self.look()
        events = read_events(self.folder)
        reports = Counter((e.trial, e.report.epoch) for e in events if isinstance(e, Reported))
        row.epochs, row.twice = len(reports), sum(n > 1 for n in reports.values())
        row.equal = curve_of(events) == undisturbed(row.kind)
        self.count_again()
        row.left_files = sum(".tmp" in path.name for path in self.folder.rglob("*"))
        deadline = time.monotonic() + 60.0
        while training_actors() and time.monotonic() < deadline:
            time.sleep(0.2)
        row.left_actors = len(training_actors())

    def count_again(self) -> None:
        """Counts the epochs that were trained again."""
        lines = trained(self.folder.parent)
        again, before = trained_again(lines, [at for at, _ in self.moments])
        every = CHECKPOINT_EVERY if self.row.kind == "training" else 0.0
        longest = max(line.seconds for line in lines)
        hit = [workers for _, workers in self.moments]
        self.row.again = before + sum(one.epochs for one in again)
        self.row.over = sum(one.over(n, every, longest) for one, n in zip(again, hit))
        self.row.over += before > 0


def disturb(number: int, kills: int, nodes: Nodes) -> tuple[Row, str]:
    """Runs one search, disturbed; returns what was seen and what it printed."""
    rng = random.Random(number)
    kinds = [KINDS[(number * kills + i) % len(KINDS)] for i in range(kills)]
    if number % 3 == 2:
        kinds.insert(rng.randint(0, kills), "cut")
    row = Row(number, "training" if number % 30 == 29 else "curves")
    undisturbed(row.kind)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        search = Disturbed(row, Path(place) / "study", nodes, rng)
        try:
            for kind in kinds:
                if search.wait_for_moment():
                    row.kills += f" {kind}@{len(search.acknowledged)}"
                    search.hit(kind)
                else:
                    row.spared += f" {kind}"
            search.finish()
        finally:
            search.process.kill()
        output = search.output.read_text()
    row.kills, row.spared = row.kills.strip(), row.spared.strip()
    row.seconds = round(time.monotonic() - began, 1)
    return row, output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=60)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="the number of the first search")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--only", type=int, help="this search alone, with its output; keeps none")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    psutil.Process().nice(5)
    nodes = Nodes(NODES)
    try:
        if given.only is not None:
            row, output = disturb(given.only, given.kills, nodes)
            print(output, asdict(row), sep="\n")
            return
        done = {int(row["search"]) for row in read(given.out)}
        for number in range(given.first, given.searches):
            if number in done:
                continue
            row, output = disturb(number, given.kills, nodes)
            keep(row, given.out)
            print(asdict(row), flush=True)
            if not row.equal or row.code:
                print(output[-3000:], flush=True)
    finally:
        nodes.end()
    table(given.out)


def read(path: Path) -> list[dict[str, str]]:
    """Returns the rows that were kept."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def keep(row: Row, path: Path) -> None:
    """Appends a row."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(asdict(row))


def table(path: Path) -> None:
    """Prints what was seen in all."""
    rows: list[Any] = read(path)
    kills = Counter(kill.partition("@")[0] for row in rows for kill in row["kills"].split())
    print(f"{len(rows)} searches, kills: {dict(kills)}")
    for name in ("lost", "twice", "left_actors", "left_files", "told", "without"):
        print(f"{name}: {sum(int(row[name]) for row in rows)}")
    counted = [row for row in rows if row["again"]]
    again = sum(int(row["again"]) for row in counted)
    over = sum(int(row["over"]) for row in counted)
    print(f"trained again in {len(counted)} searches: {again} epochs, kills over the bound: {over}")
    for name in ("stuck", "equal"):
        print(f"{name}: {sum(row[name] == 'True' for row in rows)} of {len(rows)}")


if __name__ == "__main__":
    main()
