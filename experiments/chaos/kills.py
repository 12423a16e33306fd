"""Many searches, each killed at random moments and started again until it is done.

    python -m experiments.chaos.kills --runs 200

Needs Linux (fork). Prints counts as a Markdown table and fails where anything was lost.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from experiments.chaos.killing import Outcome, Patient, reported
from experiments.chaos.probe import trained
from experiments.chaos.searches import Search
from kerashpo.core.records import Status
from kerashpo.study.study import open_study

MIX = (
    Search("curves", epoch_seconds=0.005),
    Search("curves", epoch_seconds=0.005),
    Search("curves", workers=2, epoch_seconds=0.03),
    Search("keras"),
    Search("keras", checkpoint_every=0.2),
)
"""One after another; every tenth run is real training in two workers."""


@dataclass(slots=True)
class Tally:
    """Counts over many runs.

    Attributes:
        runs: searches.
        hits: kills by who and what was hit.
        lost: acknowledged epochs that are gone.
        again: epochs trained again.
        most_again: the most after one kill.
        over: kills that cost more than the larger of an epoch and `checkpoint_every`.
        stuck: trials that are neither over nor were continued.
        budget: runs that trained other epochs than the undisturbed search.
        different: runs whose results differ from it.
        errors: anything else.
    """

    runs: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    again: int = 0
    most_again: int = 0
    over: int = 0
    stuck: int = 0
    budget: int = 0
    different: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Processes killed."""
        return sum(self.hits.values())

    @property
    def bad(self) -> int:
        """The number of failures."""
        wrong = (self.lost, self.over, self.stuck, self.budget, self.different)
        return sum(wrong) + len(self.errors)

    def take(self, search: Search, outcome: Outcome, folder: Path, whole: Path) -> None:
        """Adds one run: its kills, its outcome, and that of the search without kills."""
        self.runs += 1
        self.hits.update(f"{kill.victim}, {kill.phase.name.lower()}" for kill in outcome.kills)
        self.lost += outcome.lost
        self.again += outcome.epochs_again
        self.most_again = max([self.most_again, *(one.epochs for one in outcome.again)])
        self.over += sum(_too_much(search, outcome, folder))
        self.errors += outcome.errors
        history = open_study(folder / "study").history
        self.stuck += sum(not trial.status.ended for trial in history.trials.values())
        self.budget += history.epochs != open_study(whole / "study").history.epochs
        self.different += reported(folder) != reported(whole)
        failed = [t for t in history.trials.values() if t.status is Status.FAILED]
        self.errors += [f"trial {t.number} failed: {t.failure}" for t in failed]

    def lines(self) -> Iterator[str]:
        """Yields the rows of a Markdown table."""
        yield f"| runs, kills | {self.runs}, {self.kills} |"
        for name, count in sorted(self.hits.items()):
            yield f"| killed: {name} | {count} |"
        yield f"| acknowledged epochs lost | {self.lost} |"
        yield (
            f"| epochs trained again, in all and at most after one kill | {self.again}, "
            f"{self.most_again} |"
        )
        yield f"| kills that cost more than the bound | {self.over} |"
        yield f"| trials stuck | {self.stuck} |"
        yield f"| runs with another number of epochs | {self.budget} |"
        yield f"| runs with other values, statuses or metrics | {self.different} |"
        yield f"| errors | {len(self.errors)} |"


def _too_much(search: Search, outcome: Outcome, folder: Path) -> Iterator[bool]:
    """Yields for each kill whether more epochs were repeated than allowed.

    A killed search loses what every worker had under way. Curves have a checkpoint at each
    epoch: one epoch a worker. Real training has one every `checkpoint_every` seconds: the
    epochs of that time, or one.
    """
    longest = max((line.seconds for line in trained(folder)), default=0.0)
    for kill, again in zip(outcome.kills, outcome.again):
        at_work = search.workers if kill.victim == "search" else 1
        yield again.over(at_work, search.checkpoint_every, longest)


def mixed(runs: int) -> Iterator[Search]:
    """Yields the searches of a number of runs."""
    for number in range(runs):
        if number % 20 == 19:
            yield Search("keras", workers=2, checkpoint_every=0.2)
        else:
            yield MIX[number % len(MIX)]


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kills", type=int, default=3, help="at most so many a run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=["curves", "keras"])
    given = parser.parse_args()
    if "keras" in given.kinds:
        import_keras()
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory(prefix="chaos-") as place:
        wholes: dict[Search, Path] = {}
        for number, search in enumerate(mixed(given.runs)):
            if search.kind not in given.kinds:
                continue
            rng = random.Random(1000 * given.seed + number)
            whole = undisturbed(search, Path(place), wholes)
            folder = Path(place) / str(number)
            folder.mkdir()
            outcome = Patient(search, folder, rng).treat(rng.randint(1, given.kills))
            tally = tallies.setdefault(_name(search), Tally())
            tally.take(search, outcome, folder, whole)
            print(
                f"run {number}: {_name(search)}, {len(outcome.kills)} kills, "
                f"{outcome.epochs_again} epochs again, {tally.bad} wrong so far",
                flush=True,
            )
            for error in outcome.errors:
                print(error, flush=True)
    for name, tally in tallies.items():
        print(f"\n| {name} | |\n|---|---|", *tally.lines(), sep="\n")
    return 1 if sum(tally.bad for tally in tallies.values()) else 0


def undisturbed(search: Search, place: Path, known: dict[Search, Path]) -> Path:
    """Returns the folder of the same search that nobody kills."""
    # The time between checkpoints must change nothing.
    alike = replace(search, checkpoint_every=0.0)
    if alike not in known:
        known[alike] = place / f"whole-{len(known)}"
        known[alike].mkdir()
        outcome = Patient(alike, known[alike], random.Random(0)).treat(0)
        if outcome.errors:
            raise RuntimeError(outcome.errors[0])
    return known[alike]


def _name(search: Search) -> str:
    what = "curves" if search.kind == "curves" else "real training"
    return f"{what}, {search.workers} worker{'s' * (search.workers > 1)}"


def import_keras() -> None:
    """Imports what children need, without running anything that starts a thread."""
    import kerashpo.tuners.hyperband  # noqa: F401


if __name__ == "__main__":
    raise SystemExit(main())
