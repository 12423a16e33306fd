"""Problems and tuners from outside the package, loaded by import string and checked.

A problem is a function that returns a `kerashpo.Task`. A tuner is made by a function
``make_tuner(build_model, budget, **common)``, where `budget` is a `TunerBudget` and `common` holds
the objective (a list of several), seed, directory and project_name::

    def my_tuner(build_model, budget, **common):
        return kt.BayesianOptimization(build_model, max_trials=budget.trials, **common)

It returns a tuner of kerashpo, or anything with KerasTuner's ``search``, whose epochs a callback
then records.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.search_and_test import search_and_test
from kerashpo.compare.tuners import TunerBudget
from kerashpo.core.errors import InvalidInput, KerashpoError
from kerashpo.core.import_string import is_import_string, load_object
from kerashpo.problems.baselines import labels_of
from kerashpo.problems.registry import make_task
from kerashpo.problems.splits import Split
from kerashpo.problems.task import Task
from kerashpo.store.open import has_log


def load_tasks(sources: Sequence[str], objective: Sequence[str] = ()) -> dict[str, Task]:
    """Returns the problems of a comparison by their names.

    Args:
        sources: names and import strings.
        objective: replaces their objectives; empty for their own.

    Raises:
        InvalidInput: if one cannot be loaded, or two have the same name.
    """
    tasks: dict[str, Task] = {}
    for source in sources:
        task = make_task(source)
        task = task.with_objectives(objective) if objective else task
        if task.name in tasks:
            raise InvalidInput(
                f"Two problems are called {task.name!r}. Give the task of {source!r} another name."
            )
        tasks[task.name] = task
    return tasks


def load_maker(source: str) -> Any:
    """Returns the function that makes a tuner.

    Raises:
        InvalidInput: if it cannot be imported, or is no function.
    """
    maker = load_object(source)
    if not callable(maker):
        raise InvalidInput(
            f"{source} must be a function (build_model, budget, **common) that returns a tuner. "
            f"Received: {maker!r}."
        )
    return maker


def check_outside(
    options: ComparisonOptions, tasks: Mapping[str, Task], runs: Sequence[Run]
) -> None:
    """Checks what comes from outside, with one batch and no search; imports Keras.

    Args:
        options: the comparison.
        tasks: its problems by name.
        runs: its cells.

    Raises:
        InvalidInput: naming the problem or the tuner and what is wrong with it.
    """
    for source, task in zip(options.problem, tasks.values(), strict=True):
        if is_import_string(source):
            for seed in options.seeds:
                check_split(source, task, _loaded(source, task, seed))
            split = _loaded(source, task, options.seeds[0])
            _check_model(source, task, split, options.max_epochs)
            _check_rival(source, task, split)
    seen = set()
    for run in runs:
        if run.own_tuner and run.maker not in seen:
            seen.add(run.maker)
            _check_tuner(run, tasks[run.problem], options)


def _loaded(source: str, task: Task, seed: int) -> Split:
    try:
        split = task.load(seed)
    except KerashpoError:
        raise
    except Exception as error:
        raise InvalidInput(
            f"{source}: load({seed}) raised {type(error).__name__}: {error}."
        ) from error
    if not isinstance(split, Split):
        raise InvalidInput(
            f"{source}: load(seed) must return a kerashpo.problems.Split. "
            f"Received: {type(split).__name__}."
        )
    return split


def check_split(source: str, task: Task, split: Split) -> None:
    """Checks that a split has three parts with as many targets as samples.

    Raises:
        InvalidInput: naming the part and what is wrong with it.
    """
    for name in ("train", "validation", "test"):
        part = getattr(split, name)
        if not isinstance(part, tuple) or len(part) != 2:
            raise InvalidInput(f"{source}: the {name} part must be a pair (x, y).")
        x, y = part
        inputs = list(x.values()) if isinstance(x, Mapping) else x
        inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if not all(isinstance(one, np.ndarray) for one in (*inputs, y)):
            raise InvalidInput(
                f"{source}: samples and targets of the {name} part must be numpy arrays, x perhaps "
                f"a dict or list of them. Received: {type(x).__name__} and {type(y).__name__}."
            )
        counts = {len(one) for one in (*inputs, y)}
        if len(counts) != 1 or counts == {0}:
            raise InvalidInput(
                f"{source}: the {name} part must have as many samples as targets, at least one. "
                f"Received: {', '.join(map(str, sorted(counts)))}."
            )
        if task.classes:
            _check_labels(source, name, labels_of(y), task)


def _check_labels(source: str, name: str, labels: Any, task: Task) -> None:
    count = len(task.classes)
    if labels.min() < 0 or labels.max() >= count:
        raise InvalidInput(
            f"{source}: the labels of the {name} part must be 0 to {count - 1}, for the task has "
            f"{count} classes. Received: {labels.min()} to {labels.max()}."
        )


def _check_model(source: str, task: Task, split: Split, epochs: int) -> None:
    """Builds the default model and passes one batch through it."""
    import keras_tuner

    from kerashpo.training.data import FitData
    from kerashpo.training.folds import read_fit_hp
    from kerashpo.training.preflight import check_objectives

    try:
        read_fit_hp(task.fit_hp)
    except KerashpoError as error:
        raise InvalidInput(f"{source}: {error}") from error
    try:
        model = task.build(keras_tuner.HyperParameters())
    except Exception as error:
        raise InvalidInput(
            f"{source}: build_model(hp) raised {type(error).__name__}: {error} with the default "
            "values."
        ) from error
    if not hasattr(model, "fit"):
        raise InvalidInput(
            f"{source}: build_model(hp) must return a compiled Keras model. "
            f"Received: {type(model).__name__}."
        )
    if len(getattr(model, "outputs", None) or [0]) > 1:
        raise InvalidInput(f"{source}: a comparison needs a model with one output.")
    data = FitData.from_fit(*split.train, validation_data=split.validation, batch_size=8)
    try:
        logged = [one for one in task.objectives if one.of is None]
        check_objectives(model, data, logged, [], epochs)
    except KerashpoError as error:
        raise InvalidInput(f"{source}: {error}") from error
    except Exception as error:
        raise InvalidInput(
            f"{source}: the default model cannot be trained on these data: "
            f"{type(error).__name__}: {error}"
        ) from error


def _check_rival(source: str, task: Task, split: Split) -> None:
    """Calls a problem's rival and constant once: they need the objective on both parts."""
    for what in ("rival", "constant"):
        function = getattr(task, what)
        if function is None:
            continue
        try:
            found = function(split)
        except Exception as error:
            raise InvalidInput(
                f"{source}: {what}(split) raised {type(error).__name__}: {error}."
            ) from error
        wanted = {task.objective.name, f"test_{task.metric}"}
        if not isinstance(found, Mapping) or not wanted <= set(found):
            raise InvalidInput(
                f"{source}: {what}(split) must return {' and '.join(sorted(wanted))} by name. "
                f"Received: {found!r}."
            )


def _check_tuner(run: Run, task: Task, options: ComparisonOptions) -> None:
    """Makes the tuner once, in a folder that is deleted."""
    from kerashpo.compare.peers.tuned_fit import with_tuned_fit

    with tempfile.TemporaryDirectory() as folder:
        tuner = make_own_tuner(
            run, task, with_tuned_fit(task), options.allowance(run.tuner), folder
        )
        planned = tuner.plan().epochs if _is_ours(tuner) else None
    if options.total is not None and planned is not None and planned > options.total:
        raise InvalidInput(
            f"{run.maker} plans {planned} epochs, and every search gets {options.total} "
            "(--epochs). Use budget.epochs or budget.trials in the function."
        )


def make_own_tuner(run: Run, task: Task, build: Any, budget: TunerBudget, directory: str) -> Any:
    """Returns the tuner that a function from outside makes.

    Args:
        run: the cell.
        task: the task whose hypermodel is tuned.
        build: its ``build_model``, a wrapper of it, or a `HyperModel` that tunes `fit` too.
        budget: the budget of the search.
        directory: the folder of the tuner's files.

    Raises:
        InvalidInput: if the function raises, or returns no tuner.
    """
    maker = load_maker(run.maker)
    import keras_tuner

    # KerasTuner takes no other class of objective, and kerashpo takes both. It has no fronts.
    one = keras_tuner.Objective(task.objective.name, task.objective.direction)
    objective = list(task.objectives) if task.further else one
    common = {"seed": run.seed, "directory": directory, "project_name": run.project}
    try:
        tuner = maker(build, budget, objective=objective, **common)
    except KerashpoError as error:
        raise InvalidInput(f"{run.maker}: {error}") from error
    except Exception as error:
        raise InvalidInput(
            f"{run.maker} raised {type(error).__name__}: {error}. It is called with build_model, "
            "budget and objective=, seed=, directory=, project_name=."
        ) from error
    if not callable(getattr(tuner, "search", None)):
        raise InvalidInput(
            f"{run.maker} must return a tuner with search(x, y, ...). "
            f"Received: {type(tuner).__name__}."
        )
    _check_place(run, tuner, Path(directory, run.project))
    wanted = {one.name for one in task.objectives}
    if _is_ours(tuner) and not wanted <= {one.name for one in tuner.objectives}:
        raise InvalidInput(
            f"{run.maker} must return a tuner for all objectives of the comparison "
            f"({', '.join(sorted(wanted))}): pass on objective=. Received one for "
            f"{', '.join(one.name for one in tuner.objectives)}."
        )
    return tuner


def _check_place(run: Run, tuner: Any, expected: Path) -> None:
    """Refuses a tuner in another folder, where it would go on with another seed's search."""
    folder = getattr(tuner, "project_dir", None)
    if isinstance(folder, str) and Path(folder).resolve() != expected.resolve():
        raise InvalidInput(
            f"{run.maker} must return a tuner in the folder that it is given, for each seed has "
            f"one of its own: pass on directory= and project_name=. Received one in {folder!r}."
        )


def _is_ours(tuner: Any) -> bool:
    from kerashpo.tuners.base import Tuner

    return isinstance(tuner, Tuner)


def run_own_tuner(run: Run, task: Task, options: ComparisonOptions) -> Result | None:
    """Searches with a tuner from outside and takes its winner to the test set.

    Returns:
        the result, None where the user interrupted.

    Raises:
        NoResult: if no epoch had a finite score.
    """
    from kerashpo.compare.peers.recorder import Recorder, recorded
    from kerashpo.compare.peers.run_peer import record_search
    from kerashpo.compare.peers.tuned_fit import with_tuned_fit

    budget = options.allowance(run.tuner)
    recorder = Recorder(task.objective, budget.epochs, task.further)
    build = with_tuned_fit(task, lambda build: recorded(build, recorder))
    if run.study.exists() and not has_log(run.study):
        shutil.rmtree(run.study)  # of another library, whose searches start again
    tuner = make_own_tuner(run, task, build, budget, str(run.folder))
    if _is_ours(tuner):
        return search_and_test(run, task, tuner, options, always_epochs=True)
    x, y = task.load(run.seed).train

    def search(split: Split) -> None:
        tuner.search(
            x,
            y,
            validation_data=split.validation,
            batch_size=task.batch_size,
            epochs=options.max_epochs,
            callbacks=[recorder],
            verbose=0,
        )

    return record_search(run, task, recorder, search)
