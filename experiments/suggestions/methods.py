"""Every method by name: the peers."""

from __future__ import annotations

from experiments.suggestions.peers import PEERS, Peer
from kerashpo.space import Space


def make_method(name: str, space: Space, seed: int) -> Peer:
    """Returns a fresh search of that name."""
    if name not in PEERS:
        raise KeyError(f"unknown method {name!r}; known: {', '.join(PEERS)}")
    return PEERS[name](space, seed)
