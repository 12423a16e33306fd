"""Tasks by name."""

from __future__ import annotations

from importlib import import_module

from kerashpo.core.errors import unknown
from kerashpo.problems.task import Task

_PLACES = {
    "breast_cancer": "breast_cancer:breast_cancer",
    "wine": "wine:wine",
    "digits": "digits:digits",
    "diabetes": "diabetes:diabetes",
}


def task_names() -> tuple[str, ...]:
    """Returns the names that `make_task` takes."""
    return tuple(_PLACES)


def make_task(name: str) -> Task:
    """Returns the task of that name.

    Raises:
        InvalidInput: for an unknown name, with the nearest match.
    """
    if name not in _PLACES:
        raise unknown("problem", name, _PLACES)
    module, _, maker = _PLACES[name].partition(":")
    task: Task = getattr(import_module(f"kerashpo.problems.{module}"), maker)()
    return task
