"""Whether PBT without generations pays, on a virtual clock with workers of unequal speed.

    python -m experiments.populations.asynchronous [--seeds 30]

The noisy quadratic model, 8 members x 50 epochs, compared every 5. An epoch takes a worker from 1
to `ratio` seconds, spread evenly in the logarithm. By generation every member waits for the last
one. ``newest``: a member that has trained 5 epochs compares itself with the newest values of the
others and copies at once, whatever epochs they are at (Jaderberg et al., 2017). ``same epoch``: it
compares itself with those that have been at its epoch, and copies their state there. Printed: log10
of the lowest final loss, seconds, and epochs trained.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.populations.quadratic import EPOCHS, NoisyQuadratic
from kerashpo.core.records import Config

MEMBERS, INTERVAL, QUARTER = 8, 5, 2


@dataclass
class Member:
    """A member: its values, state, epoch and newest loss."""

    config: Config
    state: Any = None
    epoch: int = 0
    value: float = float("inf")

    def copy(self, other: Member, config: Config) -> None:
        """Takes over another member's state and epoch."""
        self.config, self.state = config, other.state
        self.epoch, self.value = other.epoch, other.value


def run(seed: int, workers: int, ratio: float, kind: str) -> tuple[float, float, int]:
    """Returns log10 of the lowest final loss, the seconds, and the epochs trained."""
    problem, rng = NoisyQuadratic(seed), np.random.default_rng([seed, 1])
    paces = np.geomspace(1.0, ratio, workers)
    members = [Member(problem.space.sample(rng)) for _ in range(MEMBERS)]
    free = [(0.0, worker) for worker in range(workers)]  # when each worker is free
    heapq.heapify(free)
    ready = [(0.0, number) for number in range(MEMBERS)]
    counter, trained, done = itertools.count(), 0, 0.0
    seen: dict[int, list[Member]] = {}  # by epoch, the members as they were there
    ends: list[tuple[float, int, int]] = []
    waiting: list[int] = []
    while ready or ends:
        # A free worker takes the member that has waited longest.
        while ready and free:
            since, number = heapq.heappop(ready)
            at, worker = heapq.heappop(free)
            member = members[number]
            steps = min(INTERVAL, EPOCHS - member.epoch)
            end = max(at, since) + steps * paces[worker]
            for _ in range(steps):
                member.state, member.value, _ = problem.advance(member.state, member.config)
            member.epoch += steps
            trained += steps
            heapq.heappush(ends, (end, next(counter), number))
            heapq.heappush(free, (end, worker))
        done, _, number = heapq.heappop(ends)
        if kind != "generation":
            if kind == "newest":
                _decide(problem, members, [number], rng)
            else:
                _decide_there(problem, members[number], seen, rng)
            if members[number].epoch < EPOCHS:
                heapq.heappush(ready, (done, number))
            continue
        waiting.append(number)
        if len(waiting) == MEMBERS:
            if members[0].epoch < EPOCHS:
                _decide(problem, members, waiting, rng)
                ready = [(done, number) for number in waiting]
            waiting = []
    return float(np.log10(min(m.value for m in members))), done, trained


def _decide(problem: NoisyQuadratic, members: list[Member], which: list[int], rng: Any) -> None:
    """Replaces those of these members that are among the worst by copies of the best."""
    order = sorted(range(MEMBERS), key=lambda number: members[number].value)
    best, worst = order[:QUARTER], order[-QUARTER:]
    for number in which:
        if number in worst and members[number].epoch < EPOCHS:
            parent = members[int(rng.choice(best))]
            config = problem.space.perturb(parent.config, rng, None, 0.25)
            members[number].copy(parent, config)


def _decide_there(
    problem: NoisyQuadratic, member: Member, seen: dict[int, list[Member]], rng: Any
) -> None:
    """Makes a member a copy of a better one at its epoch, if it is among the worst there so far."""
    others = seen.setdefault(member.epoch, [])
    others.append(replace(member))
    order = sorted(others, key=lambda one: one.value)
    quarter = round(len(order) * QUARTER / MEMBERS)
    if quarter and member.epoch < EPOCHS and member.value >= order[-quarter].value:
        parent = order[int(rng.integers(quarter))]
        member.copy(parent, problem.space.perturb(parent.config, rng, None, 0.25))


def main() -> None:
    """Prints a row for each number of workers, ratio of their speeds and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    given = parser.parse_args()
    for workers, ratio in itertools.product((8, 2), (1.0, 2.0, 4.0)):
        for kind in ("generation", "newest", "same epoch"):
            found = np.array([run(s, workers, ratio, kind) for s in range(given.seeds)])
            mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / given.seeds**0.5
            found_loss = f"{mean[0]:+.3f} ± {error[0]:.3f}"
            took = f"{mean[1]:6.0f} s  {mean[2]:.0f} epochs"
            print(f"{workers} workers, 1 to {ratio:.0f} s  {kind:10}  {found_loss}  {took}")


if __name__ == "__main__":
    main()
