"""Our whole search of the lab against KerasTuner's, alternating; prints the ratios.

    pip install "kerashpo[peers]"
    python experiments/speed/lab.py --repeats 3

Each search runs in a fresh process. Time counts from the first call of `search` to its end;
imports and the tuner's constructor do not count, on either side.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from environment import describe

HERE = Path(__file__).parent
FIELDS = (
    "library",
    "tuner",
    "seed",
    "backend",
    "seconds",
    "cpu",
    "epochs",
    "best",
    "test_accuracy",
)
SIDES = ("kerashpo", "kerastuner")


def search(library: str, kind: str, seed: int, trials: int) -> dict[str, Any]:
    """Runs one search in a process of its own.

    Raises:
        RuntimeError: with what the process said, if it failed.
    """
    command = [sys.executable, str(HERE / "lab_search.py"), library, kind, str(seed), str(trials)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{library} {kind} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(rows: list[dict[str, Any]]) -> str:
    """Returns a Markdown table: for each tuner both sides and their ratios, one a repeat."""
    lines = [
        "| tuner | clock | kerashpo | KerasTuner | ratio, each repeat | median ratio |",
        "|---|---|---|---|---|---|",
    ]
    for kind in sorted({row["tuner"] for row in rows}):
        for clock in ("seconds", "cpu"):
            lines.append(_line(kind, f"{clock}", _pairs(rows, kind, lambda r, c=clock: r[c])))
        if kind == "hyperband":
            per = _pairs(rows, kind, lambda r: 1000 * r["cpu"] / r["epochs"])
            lines.append(_line(kind, "CPU ms an epoch", per))
        accuracy = _pairs(rows, kind, lambda r: 100 * r["test_accuracy"])
        gap = np.array([ours - theirs for ours, theirs in accuracy])
        spread = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else float("nan")
        lines.append(
            f"| {kind} | test accuracy % | {np.mean([a for a, _ in accuracy]):.1f} "
            f"| {np.mean([b for _, b in accuracy]):.1f} | difference {gap.mean():+.1f} "
            f"| standard error {spread:.1f} |"
        )
    return "\n".join(lines)


def _pairs(rows: list[dict[str, Any]], kind: str, value: Any) -> list[tuple[float, float]]:
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        if row["tuner"] == kind:
            found.setdefault(int(row["seed"]), {})[row["library"]] = float(value(row))
    return [(pair[SIDES[0]], pair[SIDES[1]]) for pair in found.values() if len(pair) == 2]


def _line(kind: str, clock: str, pairs: list[tuple[float, float]]) -> str:
    ratios = [theirs / ours for ours, theirs in pairs]
    ours, theirs = (", ".join(f"{pair[side]:.1f}" for pair in pairs) for side in (0, 1))
    each = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    return f"| {kind} | {clock} | {ours} | {theirs} | {each} | {np.median(ratios):.1f} |"


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draws the best validation accuracy against seconds, a line a search."""
    import matplotlib.pyplot as plt

    kinds = sorted({row["tuner"] for row in rows})
    figure, axes = plt.subplots(1, len(kinds), figsize=(5 * len(kinds), 3.2), squeeze=False)
    for axis, kind in zip(axes[0], kinds, strict=True):
        for row in (row for row in rows if row["tuner"] == kind):
            steps = [*row["steps"], (row["seconds"], row["best"])]
            colour = "C0" if row["library"] == "kerashpo" else "C1"
            axis.step(*zip(*steps, strict=True), where="post", color=colour, label=row["library"])
        axis.set(xscale="log", xlabel="seconds", ylabel="best val_accuracy", title=kind)
        handles = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
        axis.legend(handles.values(), handles.keys())
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Runs the comparison and writes ``lab-<backend>.csv`` and ``.svg`` beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trials", type=int, default=25, help="of the Bayesian tuner")
    parser.add_argument("--tuners", nargs="+", default=["bayesian", "hyperband"])
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    print(describe(), flush=True)
    rows = []
    for seed in range(options.repeats):
        for kind in options.tuners:
            for library in SIDES if seed % 2 == 0 else SIDES[::-1]:
                rows.append(search(library, kind, seed, options.trials))
                print({name: rows[-1][name] for name in FIELDS}, flush=True)
    options.out.mkdir(exist_ok=True)
    name = f"lab-{rows[0]['backend']}"
    with (options.out / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, options.out / f"{name}.svg")
    print(table(rows))


if __name__ == "__main__":
    main()
