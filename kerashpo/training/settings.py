"""How trials are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from kerashpo.core.records import Objective
from kerashpo.core.scoring import Scoring
from kerashpo.training.derived import Derived


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for every trial of a search.

    Attributes:
        objective: decides which epoch's weights are kept.
        seed: the study's seed.
        max_epochs: the most epochs that one trial is trained.
        runs: how often each configuration is trained, with other random streams.
        fast: ``"auto"``, True or False, see `kerashpo.training.ways.choose`.
        keep_in_memory: bytes of paused trials that stay in memory.
        checkpoint_every: seconds of training between checkpoints.
        max_model_size: parameters; a larger model fails its trial. None for no limit.
        scoring: which epochs of a run count.
        derived: metrics that are added to those that the model logs.
    """

    objective: Objective
    seed: int
    max_epochs: int
    runs: int = 1
    fast: bool | Literal["auto"] = "auto"
    keep_in_memory: int = 10**9
    checkpoint_every: float = 1.0
    max_model_size: int | None = None
    scoring: Scoring = Scoring()
    derived: Derived = Derived()
