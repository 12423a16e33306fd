"""The machines of a search whose workers are on several."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fleet:
    """The machines of a search, if it has several.

    Attributes:
        nodes: machines that are available now.
        workers: workers that are ready.
        waiting: workers that were asked for and are not placed yet.
        why: what they wait for, as a clause for messages: ``"1 GPU: the cluster has none free"``.
        lost: machines that were lost since the search began.
    """

    nodes: int = 0
    workers: int = 0
    waiting: int = 0
    why: str = ""
    lost: int = 0
