"""What `results_summary` and `search_space_summary` print."""

from __future__ import annotations

from collections.abc import Iterable

from kerashpo.space.space import Space
from kerashpo.study.results import Results


def space_text(space: Space) -> str:
    """Returns a line for each parameter: definition and conditions."""
    lines = [f"Search space: {len(space.params)} parameters, {space.size:g} configurations"]
    for param in space.params:
        body = param.domain.to_json()
        kind = body.pop("kind")
        told = ", ".join(f"{name} {value}" for name, value in body.items())
        where = " and ".join(f"{c.parent} in {list(c.values)}" for c in param.conditions)
        lines.append(f"  {param.name}: {kind} {told}" + (f"   where {where}" if where else ""))
    return "\n".join(lines)


def results_text(results: Results, ranked: Iterable[int], folder: str) -> str:
    """Returns the given trials, the best first: score, epoch and values."""
    objective = results.history.objective
    lines = [
        f"Results in {folder}",
        f"Objective: {objective.name} ({objective.direction})",
    ]
    for number in ranked:
        trial = results.history.trials[number]
        lines.append(
            f"\nTrial {number}   score {trial.score:.6g} at epoch {trial.best_epoch}   "
            f"{trial.status.value}"
        )
        values = results.space.realise(trial.config)
        lines += [f"  {name}: {value}" for name, value in values.items()]
    return "\n".join(lines)
