"""The median of numbers that keep coming, in O(log n) a number."""

from __future__ import annotations

import heapq
import math
from typing import final


@final
class RunningMedian:
    """Two heaps that meet at the median."""

    def __init__(self) -> None:
        self._low: list[float] = []
        self._high: list[float] = []

    def __len__(self) -> int:
        return len(self._low) + len(self._high)

    def add(self, value: float) -> None:
        """Takes in a number; inf is welcome, NaN is not."""
        if self._low and value < -self._low[0]:
            heapq.heappush(self._low, -value)
        else:
            heapq.heappush(self._high, value)
        if len(self._low) > len(self._high):
            heapq.heappush(self._high, -heapq.heappop(self._low))
        elif len(self._high) > len(self._low) + 1:
            heapq.heappush(self._low, -heapq.heappop(self._high))

    @property
    def value(self) -> float:
        """The median so far; NaN before the first number."""
        if not self._high:
            return math.nan
        if len(self._high) > len(self._low):
            return self._high[0]
        return (self._high[0] - self._low[0]) / 2
