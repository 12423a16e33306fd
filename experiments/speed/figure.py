"""Draws docs/images/search_time.png: the lab's searches by both libraries, on one time axis.

python experiments/speed/figure.py
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from paired import read

PATH = Path(__file__).resolve().parents[2] / "docs" / "images" / "search_time.png"
SEARCHES = {"hyperband": "Hyperband\n50 epochs, factor 3", "bayesian": "Bayesian\n25 × 50 epochs"}
SIDES = {"kerastuner": ("KerasTuner", "#b8b8b8"), "kerashpo": ("kerashpo", "#0072b2")}
HEIGHT = 0.36


def main() -> None:
    """Draws the median over the seeds as a bar, and each seed as a point."""
    rows = read()
    figure, axes = plt.subplots(figsize=(7.2, 2.9), dpi=150)
    for place, kind in enumerate(SEARCHES):
        for side, (library, (name, colour)) in enumerate(SIDES.items()):
            seconds = [
                float(r["cpu"]) for r in rows if (r["library"], r["tuner"]) == (library, kind)
            ]
            at = -place + (0.5 - side) * HEIGHT * 1.15
            axes.barh(at, median(seconds), HEIGHT, color=colour)
            axes.plot(seconds, [at] * len(seconds), "o", color="black", ms=2.5, alpha=0.5)
            axes.text(
                max(seconds) + 6, at, f"{name}: {median(seconds):.0f} s", va="center", fontsize=9
            )
    axes.set_yticks([-place for place in range(len(SEARCHES))], list(SEARCHES.values()))
    axes.set_xlabel("CPU seconds of the whole search (median; a point for each of 10 seeds)")
    axes.set_title("The course's lab, searched with the same arguments", loc="left", fontsize=11)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.16)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PATH, metadata={"Software": None})


if __name__ == "__main__":
    main()
