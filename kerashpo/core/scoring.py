"""How the epochs of a run become its score: the best one, the last one, or a mean of the last."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput


@dataclass(frozen=True, slots=True, order=True)
class Best:
    """The epoch that a run is judged by. Ordered: less is better.

    Attributes:
        cost: the objective as something to minimise, inf where it was not finite.
        loss: the loss of the same split, which breaks ties.
        epoch: the earliest epoch with that cost and loss; 0 where none was finite.
    """

    cost: float
    loss: float
    epoch: int

    @property
    def finite(self) -> bool:
        """Whether any epoch had a finite objective."""
        return self.cost < math.inf


NOTHING = Best(math.inf, math.inf, 0)


@final
@dataclass(frozen=True, slots=True)
class Scoring:
    """Which epochs count.

    Attributes:
        last: 0 for the best epoch, else the mean of so many last ones with a finite objective.
    """

    last: int = 0

    @classmethod
    def read(cls, given: Any) -> Scoring:
        """Returns what ``"best"``, ``"last"`` or ``"mean_last_5"`` says.

        Raises:
            InvalidInput: for anything else.
        """
        if given in ("best", "last"):
            return cls(0 if given == "best" else 1)
        match = re.fullmatch(r"mean_last_([1-9]\d*)", given) if isinstance(given, str) else None
        if match is None:
            raise InvalidInput(
                'score must be "best", "last" or "mean_last_" and a number, e.g. "mean_last_5". '
                f"Received: {given!r}."
            )
        return cls(int(match[1]))

    def pick(self, epochs: Sequence[Best]) -> Best:
        """Returns a run's score from its judged epochs, in the order of epochs.

        A mean keeps the number of the last epoch, whose weights it describes.
        """
        if not self.last:
            return min(epochs, default=NOTHING)
        tail = [one for one in epochs if one.finite][-self.last :]
        if not tail:
            return NOTHING
        n = len(tail)
        cost, loss = sum(one.cost for one in tail) / n, sum(one.loss for one in tail) / n
        return Best(cost, loss, tail[-1].epoch)
