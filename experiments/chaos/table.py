"""The peers' table: 8 worker processes, 20 kills, 300 trials.

    python -m experiments.chaos.table

Random workers are killed while 300 trials are searched, as Optuna was tried in ours and
others' measurements; with ``--search-too`` the search's own process is killed now and then,
and started again. Only kills that hit a running trial count.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from experiments.chaos.killing import Kill, Patient, Victim, reported
from experiments.chaos.kills import undisturbed
from experiments.chaos.probe import Phase, trained
from experiments.chaos.searches import Search
from kerashpo.core.records import Status
from kerashpo.study.study import open_study


class Storm(Patient):
    """Kills random processes that train, at random moments.

    Attributes:
        often: how often the search itself is chosen.
    """

    often = 0.0

    def _aim(self) -> tuple[Victim, Phase | None, float]:
        search = self.rng.random() < self.often
        phase = Phase.COMMIT if search else self.rng.choice([Phase.TRAINING, Phase.CHECKPOINT])
        return "search" if search else "worker", phase, self.rng.uniform(0.0, 1.5)

    def _processes(self, victim: Victim) -> list[int]:
        found = super()._processes(victim)
        self.rng.shuffle(found)
        return found


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--search-too", type=float, default=0.0, help="share of kills")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    search = Search(workers=given.workers, trials=given.trials, epoch_seconds=0.3)
    with tempfile.TemporaryDirectory(prefix="chaos-") as place:
        whole = undisturbed(search, Path(place), {})
        folder = Path(place) / "storm"
        folder.mkdir()
        storm = Storm(search, folder, random.Random(given.seed))
        storm.often = given.search_too
        outcome = storm.treat(given.kills)
        print(*outcome.errors, sep="\n")
        return report(folder, whole, outcome.kills, outcome.epochs_again, given.trials)


def report(folder: Path, whole: Path, kills: list[Kill], again: int, trials: int) -> int:
    """Prints the row; returns 1 if any result differs from the search without kills."""
    history = open_study(folder / "study").history
    complete = sum(t.status is Status.COMPLETED for t in history.trials.values())
    stuck = sum(not trial.status.ended for trial in history.trials.values())
    configs = Counter(tuple(t.config.items()) for t in history.trials.values())
    twice = sum(count - 1 for count in configs.values())
    different = sum(reported(folder)[n] != one for n, one in reported(whole).items())
    hits = Counter(f"{kill.victim} at {kill.phase.name.lower()}" for kill in kills)
    print(f"kills: {dict(hits)}")
    print(f"epochs trained: {len(trained(folder))}, again: {again}, in the log: {history.epochs}")
    print("| storage | complete | stuck RUNNING | configurations twice | trials that differ |")
    print("|---|---|---|---|---|")
    print(f"| kerashpo | {complete} of {trials} | {stuck} | {twice} | {different} |")
    return int(complete != trials or stuck + twice + different > 0)


if __name__ == "__main__":
    raise SystemExit(main())
