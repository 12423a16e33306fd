"""The conditions under which a peer searches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kerashpo.compare.tuners import Allowance
from kerashpo.problems.task import Split, Task


@dataclass(frozen=True, slots=True)
class Terms:
    """What a peer is given, the same as ours.

    Attributes:
        task: what to tune.
        split: the data of the seed.
        allowed: trials, epochs and rounds.
        folder: where the peer may keep files.
        seed: the search's seed.
        max_epochs: the most epochs of a trial.
        factor: Hyperband's reduction factor.
        initial_points: trials before a model decides.
    """

    task: Task
    split: Split
    allowed: Allowance
    folder: Path
    seed: int
    max_epochs: int
    factor: int
    initial_points: int
