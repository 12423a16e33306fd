"""Whether trials of a search are trained as one program: the rule, and what the display says."""

from __future__ import annotations

import math
from typing import Any

import keras

from kerashpo.algorithms.registry import algorithm_entry
from kerashpo.core.records import Plan
from kerashpo.core.rng import stream
from kerashpo.schedulers.pbt import PBT
from kerashpo.study.run_study import SearchParts
from kerashpo.training.factory import RunnerFactory
from kerashpo.training.joint_training import LARGEST, places
from kerashpo.training.loops.base import find_obstacle
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.tuners.tuner_options import TunerOptions

USUAL = 8
"""Trials at once where the plan does not say how many: more gain little."""
_DRAWN = 4
"""Configurations whose models are compared."""
MOST_WEIGHTS = 200_000
"""Weights up to which a program of several models is faster on a processor."""
COMPILING = 3.5
"""CPU seconds to compile the program of a shape; one model by one needs `ALONE`, once."""
ALONE = 2.5
SAVED, SAVED_A_STEP = 1e-3, 5e-5
"""CPU seconds that an epoch of one trial saves, at least, and each of its steps.

Measured with ``python -m experiments.populations.together``; the rule uses no clock of its own,
because the last bits of values depend on its outcome: a resumed search decides the same.
"""


def choose_population(
    options: TunerOptions,
    parts: SearchParts,
    factory: RunnerFactory,
    plan: Plan,
) -> tuple[int, int, tuple[str, ...]]:
    """Returns how many trials are handed out at once, the program's places, and notes.

    Args:
        options: the tuner's arguments.
        parts: the search.
        factory: builds the runner.
        plan: the search's plan.
    """
    asked, callbacks = options.population, bool(factory.callbacks)
    alone = "trials with callbacks are trained one by one"
    if asked is None:
        return 1, 1, ()
    if asked != "auto":
        return asked, places(asked), (alone,) if callbacks else ()
    mine = isinstance(parts.scheduler, PBT)
    if keras.backend.backend() != "jax":
        return 1, 1, () if mine else ("population: one by one, as the backend is not JAX",)
    trials = _at_once(plan) if mine else USUAL
    why = alone if callbacks else _obstacle(options, parts, factory, plan)
    if trials < 2 or why:
        return 1, 1, (f"population: one by one, as {why}",) if why else ()
    size = places(trials)
    note = f"population: {min(trials, size)} trials of one shape are trained as one program"
    return min(trials, LARGEST), size, (note,)


def _at_once(plan: Plan) -> int:
    return max((bracket[0].trials for bracket in plan.brackets), default=USUAL)


def _obstacle(options: TunerOptions, parts: SearchParts, factory: RunnerFactory, plan: Plan) -> str:
    """Returns why trials are trained one by one; empty if one program pays."""
    if not options.serial:
        return "workers train"
    if algorithm_entry(parts.algorithm).reads_scores or not parts.scheduler.deterministic:
        return "each trial is to know the scores before it"
    if not factory.settings.derived.of_metrics:
        return "an objective is measured on the model after each epoch"
    if not _on_processor():
        return "it is measured on processors only"
    models = _models(parts, factory)
    data = factory.data.first
    if not models or any(find_obstacle(model, data, ()) for model in models):
        return "epochs are not compiled"
    loop = CompiledLoop()
    keys = [loop.population_key(model, data) for model in models]
    if None in keys or not all(_is_dense(model) for model in models):
        return "only dense networks gain"
    if max(model.count_params() for model in models) > MOST_WEIGHTS:
        return f"networks of more than {MOST_WEIGHTS} weights do not gain"
    return _pays(len(set(keys)), data.steps, plan.epochs)


def _pays(shapes: int, steps: int, epochs: int | None) -> str:
    """Returns why it does not pay to compile programs for these shapes; empty if it does."""
    if shapes == _DRAWN:
        return "hardly any two trials have one shape"
    saved = SAVED + SAVED_A_STEP * steps
    needed = math.ceil((COMPILING * shapes - ALONE) / saved)
    if epochs is not None and epochs < needed:
        return f"it pays from about {needed} epochs on"
    return ""


def _models(parts: SearchParts, factory: RunnerFactory) -> list[Any]:
    """Returns models of a few configurations; none if one cannot be built."""
    models = []
    for number in range(_DRAWN):
        config = factory.space.sample(stream(0, "population", number))
        try:
            model = factory.builder.make(config, factory.space, factory.settings.seed, number)[0]
        except Exception:  # a trial with these values fails for the same reason
            return []
        models.append(model)
    return models


def _is_dense(model: keras.Model) -> bool:
    from kerashpo.training.loops.compiled.signature import structure_of

    return structure_of(model).free


def _on_processor() -> bool:
    import jax

    return bool(jax.default_backend() == "cpu")
