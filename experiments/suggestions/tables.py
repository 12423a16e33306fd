"""The tables and the figures of this folder's README, from its result files.

python -m experiments.suggestions.tables
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.suggestions.problems import problem_names
from experiments.suggestions.run import RESULTS
from experiments.suggestions.scores import Regrets, compare, landmarks, regrets

KINDS = (("all", ""), ("LCBench", "lcbench"), ("HPOBench", "hpobench"))
AT = (25, 50)
OURS = "kerashpo"
NAMED_PEERS = (
    ("cmaes", "cmaes_peer"),
    ("pso", "pyswarms"),
    ("pso", "pyswarms_clerc"),
    ("de", "dehb_de"),
    ("de", "dehb_de_10"),
)
NOT_SEARCHES = ("landmarks", "cost", "fidelity", "bounded")


def load(folder: Path = RESULTS) -> dict[str, Regrets]:
    """Returns the regrets of every method that was run."""
    marks = landmarks(RESULTS / "landmarks.csv", list(problem_names()))
    paths = sorted(folder.glob("*.csv"))
    return {p.stem: regrets(p, marks) for p in paths if p.stem not in NOT_SEARCHES}


def against(found: dict[str, Regrets], others: list[str]) -> str:
    """Returns the table of paired differences ours - other: negative, ours is better."""
    head = "| against | seeds | " + " | ".join(f"{k}, {t}" for k, _ in KINDS for t in AT) + " |"
    lines = [head, "|---" * (2 + len(KINDS) * len(AT)) + "|"]
    for other in others:
        gaps = [compare(found[OURS], found[other], t, kind) for _, kind in KINDS for t in AT]
        cells = [_cell(gap, half) for gap, half, _ in gaps]
        lines.append(f"| {other} | {max(n for _, _, n in gaps)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ablations(found: dict[str, Regrets], variants: list[str]) -> str:
    """Returns the table of variant - ours on LCBench: positive, the settings are better."""
    lines = ["| variant | seeds | 25 trials | 50 trials |", "|---|---|---|---|"]
    for variant in variants:
        gaps = [compare(found[variant], found[OURS], t, "lcbench") for t in AT]
        cells = [_cell(gap, half) for gap, half, _ in gaps]
        lines.append(f"| {variant} | {gaps[0][2]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def beside(found: dict[str, Regrets]) -> str:
    """Returns the table of our other algorithms minus the peers that have the same idea."""
    head = "| ours | minus | " + " | ".join(f"{k}, {t}" for k, _ in KINDS for t in AT) + " |"
    lines = [head, "|---" * (2 + len(KINDS) * len(AT)) + "|"]
    for ours, peer in NAMED_PEERS:
        gaps = [compare(found[ours], found[peer], t, kind) for _, kind in KINDS for t in AT]
        cells = [_cell(gap, half) for gap, half, _ in gaps]
        lines.append(f"| `{ours}` | {peer} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(gap: float, half: float) -> str:
    return f"{gap:+.2f}" if np.isnan(half) else f"{gap:+.2f} ± {half:.2f}"


def means(found: dict[str, Regrets], methods: list[str], trial: int) -> str:
    """Returns the mean log10 regret by task, over the seeds that all methods have."""
    lines = ["| task | " + " | ".join(methods) + " |", "|---" * (1 + len(methods)) + "|"]
    shared = found[methods[0]].index
    for method in methods[1:]:
        shared = shared.intersection(found[method].index)
    for task in problem_names():
        rows = shared[[name == task for name, _ in shared]]
        cells = [f"{found[m].loc[rows, trial].mean():.2f}" for m in methods]
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def trials_saved(found: dict[str, Regrets], other: str) -> pd.Series:
    """Returns by kind of task after how many trials ours has the other's mean regret at 50."""
    out = {}
    for label, kind in KINDS:
        both = found[OURS].index.intersection(found[other].index)
        both = both[[task.startswith(kind) for task, _ in both]]
        target = found[other].loc[both, AT[-1]].mean()
        curve = found[OURS].loc[both].mean()
        out[label] = next((int(t) for t, v in curve.items() if v <= target), None)
    return pd.Series(out)


def figure(found: dict[str, Regrets], methods: list[str]) -> None:
    """Draws mean log10 regret by trial, with 95 % intervals over seeds."""
    import matplotlib.pyplot as plt

    from kerashpo.plots.style import colour, line, tidy

    fig, panels = plt.subplots(1, 2, figsize=(9.6, 4.0), layout="constrained")
    for ax, (label, kind) in zip(panels, KINDS[1:]):
        for index, method in enumerate(methods):
            frame = found[method]
            rows = frame.index[[task.startswith(kind) for task, _ in frame.index]]
            by_seed = frame.loc[rows].groupby("seed").mean()
            mean, error = by_seed.mean(), 1.96 * by_seed.std(ddof=1) / len(by_seed) ** 0.5
            ax.plot(mean.index, mean, color=colour(index), linestyle=line(index), label=method)
            ax.fill_between(mean.index, mean - error, mean + error, color=colour(index), alpha=0.15)
        ax.set(title=label, xlabel="trials", ylabel="log10 normalised regret")
        tidy(ax)
    panels[0].legend(frameon=False)
    fig.savefig(RESULTS / "anytime.png", dpi=120)


def cost_figure(path: Path) -> str:
    """Draws CPU milliseconds by observations; returns our exponent of a power law."""
    import matplotlib.pyplot as plt

    from kerashpo.plots.style import colour, line, tidy

    frame = pd.read_csv(path).groupby(["method", "observations"])["cpu_ms"].median()
    fig, ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    for index, method in enumerate([OURS, "optuna_gp", "optuna_tpe"]):
        row = frame.loc[method]
        style = {"color": colour(index), "linestyle": line(index)}
        ax.loglog(row.index, row.to_numpy(), marker="o", markersize=4, label=method, **style)
    ax.set(xlabel="observations", ylabel="CPU ms of ask and tell")
    ax.legend(frameon=False)
    tidy(ax)
    fig.savefig(RESULTS / "cost.png", dpi=120)
    ours = frame.loc[OURS]
    return f"exponent {np.polyfit(np.log(ours.index), np.log(ours.to_numpy()), 1)[0]:.2f}"


def main() -> None:
    """The command line."""
    found, former = load(), load(RESULTS / "former")
    peers = ["random", "sobol", "hyperopt", "optuna_tpe", "kerastuner", "optuna_gp"]
    peers = [p for p in peers if p in found]
    variants = [m for m in found if m.startswith(f"{OURS}_")]
    print(against(found, peers), "\n")
    print(beside(found), "\n")
    print(means(found, [OURS, "optuna_gp", "optuna_tpe", "random"], 50), "\n")
    print(trials_saved(found, "optuna_gp"), "\n")
    if variants:
        print(ablations(found, variants), "\n")
    print(ablations({**former, "former": former[OURS], OURS: found[OURS]}, ["former"]), "\n")
    print(ablations(former, [m for m in former if m != OURS]), "\n")
    print(cost_figure(RESULTS / "cost.csv"))
    figure(found, [OURS, "optuna_gp", "optuna_tpe", "random"])


if __name__ == "__main__":
    main()
