"""The timelines of one search: who climbs, and who trains what when.

    python -m experiments.schedulers.timelines

draws ``figures/timelines.png``: Hyperband and ASHA on LCBench's task 3945, four virtual
workers, ten trainings, seed 0.
"""

from __future__ import annotations

from pathlib import Path

from experiments.schedulers.lcbench import EPOCHS, LCBench
from kerashpo.tuners.simulate import simulate


def main() -> None:
    """The command line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(2, 2, figsize=(12, 8), layout="constrained")
    for row, tuner in zip(grid, ("hyperband", "asha")):
        problem = LCBench("3945")
        results = simulate(problem, tuner=tuner, workers=4, budget_epochs=10 * EPOCHS, seed=0)
        results.plot.rungs(ax=row[0]).set_title(f"{tuner}: epochs")
        results.plot.gantt(ax=row[1]).set_title(f"{tuner}: workers")
    path = Path(__file__).parent / "figures" / "timelines.png"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
