"""The names of checkpoints and weights."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast

_KEY = re.compile(r"(\d+)/(checkpoint|best)-(\d+)\.npz")
_CUT_SHORT = re.compile(rf"{_KEY.pattern}\.\d+\.tmp")


class Key(NamedTuple):
    """What a key names: the checkpoint or the best weights of one run of a trial."""

    trial: int
    kind: Literal["checkpoint", "best"]
    run: int


def checkpoint_key(trial: int, run: int = 0) -> str:
    """Returns the key of a run's checkpoint."""
    return f"{trial}/checkpoint-{run}.npz"


def best_key(trial: int, run: int = 0) -> str:
    """Returns the key of the weights of a run's best epoch."""
    return f"{trial}/best-{run}.npz"


def read_key(key: str) -> Key | None:
    """Returns what a key names, None for a file that is none of ours."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    kind = cast(Literal["checkpoint", "best"], match[2])
    return Key(int(match[1]), kind, int(match[3]))


def is_cut_short(key: str) -> bool:
    """Tells whether a file is what a killed process had begun to write."""
    return _CUT_SHORT.fullmatch(key) is not None
