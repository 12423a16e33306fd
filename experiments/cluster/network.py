"""The cable to a node is pulled out for a while: packets are lost, in network namespaces.

    python -m experiments.cluster.network --seconds 5 120     # as root, Linux

The search and the head are in one network namespace, a node with a worker in another one, and a
virtual cable joins them. Cut for a short time, connections outlive it; cut for longer, Ray gives
the node up, and its trial continues on the head's node from its last checkpoint.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.cluster.kills import EPOCH_SECONDS, curve_of, undisturbed
from experiments.cluster.search import LOST
from kerashpo.core.history import History
from kerashpo.store.open import has_log, read_events

HEAD, NODE, MASK = "10.77.0.1", "10.77.0.2", "/24"
PORT = 6379
INSIDE = "--inside"
STORE = str(100 * 2**20)


def sh(*command: str) -> None:
    """Runs a command, quietly."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def ray_start(*options: str) -> None:
    """Starts a node of one CPU."""
    ray = str(Path(sys.executable).with_name("ray"))
    common = ("--num-cpus=1", "--object-store-memory", STORE, "--disable-usage-stats")
    sh(ray, "start", *common, *options)


class Network:
    """Two namespaces, of which the other one lives as long as a sleeping process."""

    def __init__(self) -> None:
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "add", "cable", "type", "veth", "peer", "name", "plug")
        sh("ip", "addr", "add", HEAD + MASK, "dev", "cable")
        sh("ip", "link", "set", "cable", "up")
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        time.sleep(1.0)
        sh("ip", "link", "set", "plug", "netns", str(self.holder.pid))
        self.there("ip", "link", "set", "lo", "up")
        self.there("ip", "addr", "add", NODE + MASK, "dev", "plug")
        self.there("ip", "link", "set", "plug", "up")

    def there(self, *command: str) -> None:
        """Runs a command in the other namespace."""
        sh("nsenter", "-t", str(self.holder.pid), "-n", *command)

    def cut(self, seconds: float) -> None:
        """Pulls the cable out for a while."""
        sh("ip", "link", "set", "cable", "down")
        time.sleep(seconds)
        sh("ip", "link", "set", "cable", "up")


def search_through(network: Network, seconds: float) -> str:
    """Returns what became of a search whose node was cut off for so long."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        command = [sys.executable, "-m", "experiments.cluster.search", str(folder)]
        with (Path(place) / "log").open("w") as log:
            process = subprocess.Popen(
                [*command, f"{HEAD}:{PORT}", str(EPOCH_SECONDS)], stdout=log, stderr=log
            )
            while process.poll() is None:
                # Both workers train, so one is on the node that is cut off.
                if has_log(folder):
                    history = History(read_events(folder))
                    if len({trial.node for trial in history.trials.values()} - {""}) > 1:
                        break
                time.sleep(0.1)
            time.sleep(1.0)
            began = time.monotonic()
            network.cut(seconds)
            code = process.wait(400)
        took = time.monotonic() - began
        events = read_events(folder)
        history = History(events)
        lost = [t.facts["worker_lost"] for t in history.trials.values() if "worker_lost" in t.facts]
        equal = curve_of(events) == undisturbed("curves")
        what = "message" if code == LOST else f"exit code {code}"
        return (
            f"cut for {seconds:g} s: {what} {took:.0f} s after the cut, {history.epochs} epochs, "
            f"{'equal to' if equal else 'DIFFERENT from'} the undisturbed search; {lost}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[5.0, 120.0])
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        command = ["unshare", "--net", sys.executable, "-m", "experiments.cluster.network", INSIDE]
        variables = {**os.environ, "RAY_AUTH_MODE": "disabled"}  # nobody else is in there
        os.execvpe(command[0], [*command, "--seconds", *map(str, given.seconds)], variables)
    network = Network()
    ray = str(Path(sys.executable).with_name("ray"))
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        try:
            for seconds in given.seconds:
                ray_start(
                    "--head",
                    f"--node-ip-address={HEAD}",
                    f"--port={PORT}",
                    "--include-dashboard=false",
                    f"--temp-dir={folder}",
                )
                network.there(
                    ray,
                    "start",
                    f"--address={HEAD}:{PORT}",
                    f"--node-ip-address={NODE}",
                    "--num-cpus=1",
                    "--object-store-memory",
                    STORE,
                )
                print(search_through(network, seconds), flush=True)
                end_ray(folder)
        finally:
            end_ray(folder)
            network.holder.kill()


def end_ray(folder: str) -> None:
    """Ends the processes of the cluster whose files are in this folder."""
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        if any(folder in part for part in process.info["cmdline"] or ()):
            for child in [*process.children(recursive=True), process]:
                try:
                    child.kill()
                except psutil.Error:
                    continue
    time.sleep(1.0)


if __name__ == "__main__":
    main()
