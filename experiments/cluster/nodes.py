"""A Ray cluster of several nodes on this machine, whose nodes and head can be killed or cut off."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from typing import Any

import psutil

STORE = 100 * 2**20


class Nodes:
    """A head without CPUs, and nodes of one CPU each, which are replaced when they are killed.

    Args:
        count: the number of nodes besides the head.
    """

    def __init__(self, count: int = 2) -> None:
        self._count = count
        self.start()

    def start(self) -> None:
        """Starts a new cluster."""
        from ray.cluster_utils import Cluster

        head: dict[str, Any] = {"num_cpus": 0, "object_store_memory": STORE}
        head |= {"include_dashboard": False, "no_monitor": True}
        head["_system_config"] = {"worker_niceness": 5}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.workers = [self.join() for _ in range(self._count)]

    def join(self) -> Any:
        """Adds a node."""
        return self.cluster.add_node(num_cpus=1, object_store_memory=STORE)

    def kill_node(self, number: int) -> None:
        """Kills a node with its workers; another one joins."""
        lost = self.workers.pop(number)
        agents = self._agents(lost)
        self.cluster.remove_node(lost, allow_graceful=False)
        _end(agents)
        self.workers.append(self.join())

    def kill_head(self, rng: random.Random) -> None:
        """Kills the head's server, whose nodes notice only later, or all nodes with it."""
        if rng.random() < 0.5:
            self.cluster.head_node.kill_gcs_server(check_alive=False)
        else:
            self.end()

    def cut(self, rng: random.Random, seconds: float) -> None:
        """Stops the raylet of a node for a while; if it is given up by then, another one joins."""
        node = rng.choice(self.workers)
        process = psutil.Process(node.all_processes["raylet"][0].process.pid)
        process.send_signal(signal.SIGSTOP)

        def go_on() -> None:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGCONT)

        timer = threading.Timer(seconds, go_on)
        timer.daemon = True
        timer.start()
        if seconds > 30.0 and node in self.workers:
            self.workers.remove(node)
            self.workers.append(self.join())

    def end(self) -> None:
        """Ends the cluster, also nodes that are stopped."""
        agents = []
        for node in self.cluster.list_all_nodes():
            agents += self._agents(node)
            for found in node.all_processes.get("raylet", []):
                with contextlib.suppress(OSError):
                    os.kill(found.process.pid, signal.SIGCONT)
        self.cluster.shutdown()
        _end(agents)

    @staticmethod
    def _agents(node: Any) -> list[psutil.Process]:
        """Returns Ray's helpers of a node, which outlive its raylet for a while."""
        found = []
        for raylet in node.all_processes.get("raylet", []):
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(raylet.process.pid).children():
                    if child.cmdline()[:1] and child.cmdline()[0].endswith("Agent"):
                        found.append(child)
        return found

    @property
    def address(self) -> str:
        """Its address."""
        return str(self.cluster.address)


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def training_actors() -> list[psutil.Process]:
    """Returns the workers' processes that train on this process's clusters."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::RayWorker"):
                found.append(process)
    return found
