"""Trains the search policy by REINFORCE: ``python -m experiments.policy.train``.

An episode is a search of 40 trials on a recorded task of ``experiments/suggestions``. In each
step the policy draws one of the candidates by a softmax of its scores. The reward of a step is the
fall of the log10 regret, and what a step is credited with is the sum of all later rewards and its
own, less the mean of the episodes on the same task (the baseline).

    python -m experiments.policy.train                        # all tasks: the package's weights
    python -m experiments.policy.train --fold 0               # without every other task
    python -m experiments.policy.train --fold 0 --shuffled    # the rewards of other episodes
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from experiments.suggestions.problems import Problem, make_problem, normalised, problem_names
from kerashpo.algorithms.evaluations import initial_row
from kerashpo.algorithms.policy import FEATURES, Network, draw_candidates, features
from kerashpo.space.cube import Cube

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "kerashpo" / "algorithms" / "policy_weights.json"
TRIALS, INITIAL, EPISODES = 40, 4, 6
Numbers = np.ndarray[Any, Any]


@final
@dataclass(frozen=True)
class Episode:
    """One search by the policy.

    Attributes:
        inputs: for each step the features of the candidates (steps, candidates, inputs).
        chosen: the candidate that was drawn at each step (steps,).
        rewards: the fall of the log10 regret at each step (steps,).
        regrets: the log10 regret after each trial (trials,).
    """

    inputs: Numbers
    chosen: Numbers
    rewards: Numbers
    regrets: Numbers


def play(
    problem: Problem,
    network: Network,
    seed: int,
    rng: np.random.Generator,
    trials: int = TRIALS,
) -> Episode:
    """Returns one search of the policy on a task, which draws its candidates by a softmax."""
    cube = Cube(problem.space)
    spread = problem.optimum - problem.median
    rows: list[Numbers] = []
    costs: list[float] = []
    inputs, chosen, regrets = [], [], []
    for trial in range(trials):
        if trial < INITIAL:
            row = initial_row(cube, trial, seed)
        else:
            known, paid = np.array(rows), np.array(costs)
            offered = draw_candidates(cube, known[np.argsort(paid, kind="stable")], rng)
            seen = features(cube, offered, known, paid)
            scores = network.scores(seen)
            odds = np.exp(scores - scores.max())
            pick = int(rng.choice(len(offered), p=odds / odds.sum()))
            inputs.append(seen)
            chosen.append(pick)
            row = offered[pick]
        config = cube.decode(row)
        rows.append(row)
        costs.append(-problem.observe(config, seed))
        best = rows[int(np.argmin(costs))]
        regrets.append(normalised(problem.optimum - problem.true(cube.decode(best)), spread))
    falls = -np.diff(regrets[INITIAL - 1 :])
    return Episode(np.array(inputs), np.array(chosen), falls, np.array(regrets))


def gradients(network: Network, episode: Episode, credit: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Returns the gradient of the sum of log probabilities, each times its credit."""
    steps, count, width = episode.inputs.shape
    outputs = [episode.inputs.reshape(-1, width)]
    for weights, bias in network.layers[:-1]:
        outputs.append(np.tanh(outputs[-1] @ weights + bias))
    weights, bias = network.layers[-1]
    scores = (outputs[-1] @ weights + bias).reshape(steps, count)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    slope = -odds / odds.sum(axis=1, keepdims=True)
    slope[np.arange(steps), episode.chosen] += 1.0
    back = (slope * credit[:, None]).reshape(-1, 1)
    found = []
    for (weights, _), given in zip(reversed(network.layers), reversed(outputs)):
        found.append((given.T @ back, back.sum(axis=0)))
        back = (back @ weights.T) * (1.0 - given**2)
    return found[::-1]


def credits_of(episodes: list[Episode]) -> list[Numbers]:
    """Returns for each step the later rewards and its own, less the mean over the episodes."""
    later = np.array([np.cumsum(one.rewards[::-1])[::-1] for one in episodes])
    return list((later - later.mean(axis=0)) / (later.std() + 1e-8))


def train(tasks: list[Problem], hidden: int, iterations: int, seed: int, shuffled: bool) -> Network:
    """Returns a trained network.

    Args:
        tasks: the tasks to learn from.
        hidden: units of the hidden layer; 0 for a linear policy.
        iterations: updates, each from several episodes on every task.
        seed: of everything random.
        shuffled: whether each episode gets the credit of another one, which must destroy
            what is learnt.
    """
    rng = np.random.default_rng(seed)
    sizes = [2 * FEATURES, *([hidden] if hidden else []), 1]
    flat = [
        (rng.standard_normal((a, b)) * (0.0 if b == 1 else a**-0.5), np.zeros(b))
        for a, b in zip(sizes, sizes[1:])
    ]
    network = Network(tuple(flat))
    moments = [[np.zeros_like(x) for x in pair] for pair in network.layers for _ in range(2)]
    for step in range(1, iterations + 1):
        total = [[np.zeros_like(x) for x in pair] for pair in network.layers]
        ends = []
        for task in tasks:
            draw = int(rng.integers(1_000, 2**31))  # seeds below 1,000 are for tables
            episodes = [play(task, network, draw, rng) for _ in range(EPISODES)]
            credit = credits_of(episodes)
            if shuffled:
                credit = [credit[i] for i in rng.permutation(len(credit))]
            for episode, one in zip(episodes, credit):
                ends.append(float(episode.rewards.sum()))
                for pair, change in zip(total, gradients(network, episode, one)):
                    for where, value in zip(pair, change):
                        where += value / (EPISODES * len(tasks))
        network = adam(network, total, moments, step)
        if step % 10 == 0:
            print(f"{step} mean fall of log10 regret {np.mean(ends):.3f}", flush=True)
    return network


def adam(network: Network, total: Any, moments: Any, step: int, rate: float = 0.03) -> Network:
    """Returns the network after a step upwards (Kingma and Ba, 2015)."""
    layers = []
    for index, pair in enumerate(network.layers):
        moved = []
        for place, value in enumerate(pair):
            first, second = moments[2 * index][place], moments[2 * index + 1][place]
            first += 0.1 * (total[index][place] - first)
            second += 0.01 * (total[index][place] ** 2 - second)
            scale = np.sqrt(second / (1 - 0.99**step)) + 1e-8
            moved.append(value + rate * first / (1 - 0.9**step) / scale)
        layers.append((moved[0], moved[1]))
    return Network(tuple(layers))


def save(network: Network, path: Path) -> None:
    """Writes a network as JSON."""
    layers = [
        {"weights": np.round(weights, 5).tolist(), "bias": np.round(bias, 5).tolist()}
        for weights, bias in network.layers
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"layers": layers}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fold", type=int, choices=(0, 1), help="leave out every other task")
    parser.add_argument("--hidden", type=int, default=8, help="units of the hidden layer")
    parser.add_argument("--iterations", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shuffled", action="store_true")
    given = parser.parse_args()
    names = [
        name
        for place, name in enumerate(problem_names())
        if given.fold is None or place % 2 != given.fold
    ]
    network = train(
        [make_problem(name) for name in names],
        given.hidden,
        given.iterations,
        given.seed,
        given.shuffled,
    )
    kind = f"{'shuffled' if given.shuffled else 'fold'}{given.fold}"
    kind += "" if given.hidden else "_linear"
    save(network, PACKAGE if given.fold is None else HERE / "weights" / f"{kind}.json")


if __name__ == "__main__":
    main()
