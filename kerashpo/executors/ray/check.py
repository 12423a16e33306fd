"""``kerashpo doctor --cluster``: the versions and resources of all nodes of a Ray cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from kerashpo.executors.ray.connection import Node, connect
from kerashpo.executors.remote import versions as of_versions
from kerashpo.executors.remote.versions import differences, versions
from kerashpo.i18n.texts import Texts

_PATIENCE = 60.0
"""Seconds in which each node must have answered."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A node and its versions.

    Attributes:
        node: the node.
        versions: its versions; empty if it did not answer.
        differs: its differences from this process, a clause each.
    """

    node: Node
    versions: Mapping[str, str]
    differs: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether a search can use it."""
        return bool(self.versions) and not self.differs

    def line(self, texts: Texts) -> str:
        """Returns what was found, as one line in the reader's language."""
        resources = self.node.resources
        has = f"{resources.get('CPU', 0):g} CPU, {resources.get('GPU', 0):g} GPU"
        if not self.versions:
            silent = texts("doctor.silent", seconds=f"{_PATIENCE:g}")
            return f"{self.node.address:16} {has:16} {silent}"
        found = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        differs = ", ".join(self.differs)
        verdict = texts("doctor.differs", names=differs) if self.differs else "ok"
        return f"{self.node.address:16} {has:16} {found}: {verdict}"


def examine_cluster(address: str) -> tuple[Examined, ...]:
    """Returns all nodes of a cluster with their versions.

    Args:
        address: see `kerashpo.executors.ray.connection.connect`.

    Raises:
        InvalidInput: if there is no cluster at the address.
    """
    connection = connect(address, None)
    try:
        asked = {_ask(node): node for node in connection.nodes}
        answered, _ = ray.wait([*asked], num_returns=len(asked), timeout=_PATIENCE)
        found = {asked[call].identity: _answer(call) for call in answered}
        here = versions()
        return tuple(_examined(node, found.get(node.identity, {}), here) for node in asked.values())
    finally:
        connection.close()


def _ask(node: Node) -> Any:
    """Asks a node for its versions; the function is sent by value, for nodes without kerashpo."""
    ray.cloudpickle.register_pickle_by_value(of_versions)
    try:
        there = NodeAffinitySchedulingStrategy(node.identity, soft=False)
        return (
            ray.remote(num_cpus=0, max_retries=0)(versions)
            .options(scheduling_strategy=there)
            .remote()
        )
    finally:
        ray.cloudpickle.unregister_pickle_by_value(of_versions)


def _answer(call: Any) -> Mapping[str, str]:
    try:
        found: Mapping[str, str] = ray.get(call)
    except ray.exceptions.RayError:
        return {}
    return found


def _examined(node: Node, found: Mapping[str, str], here: Mapping[str, str]) -> Examined:
    return Examined(node, found, differences(here, found) if found else ())
