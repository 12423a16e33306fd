"""Tasks by name, and by import string."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.core.import_string import is_import_string, load_object
from kerashpo.problems.task import Task

_PLACES = {
    "breast_cancer": "breast_cancer:breast_cancer",
    "wine": "wine:wine",
    "digits": "digits:digits",
    "digits_cost": "digits_cost:digits_cost",
    "diabetes": "diabetes:diabetes",
    "sp500": "sp500:sp500",
    "fashion": "fashion:fashion",
    "cartpole": "cartpole:cartpole",
    "reuters": "reuters:reuters",
    "movielens": "movielens:movielens",
    "multimodal": "multimodal:multimodal",
}


def task_names() -> tuple[str, ...]:
    """Returns the names that `make_task` takes."""
    return tuple(_PLACES)


def make_task(name: str) -> Task:
    """Returns a task.

    Args:
        name: one of `task_names`, or ``my_file.py:function`` or ``package.module:function`` of a
            function without arguments that returns a `Task`; the name of a `Task` will do, too.

    Raises:
        InvalidInput: for an unknown name, with the nearest match, or if the function cannot be
            imported, raises or returns something else.
    """
    if is_import_string(name):
        return _from_outside(name)
    if name not in _PLACES:
        raise unknown("problem", name, _PLACES, "or my_file.py:FUNCTION for one of your own")
    module, _, maker = _PLACES[name].partition(":")
    task: Task = getattr(import_module(f"kerashpo.problems.{module}"), maker)()
    return task


def _from_outside(name: str) -> Task:
    found = load_object(name)
    if isinstance(found, Task):
        return found
    if not callable(found):
        raise InvalidInput(_wrong(name, f"{found!r}, which is no function"))
    _check_arguments(name, found)
    try:
        made = found()
    except InvalidInput:
        raise
    except Exception as error:
        raise InvalidInput(
            f"{name} raised {type(error).__name__}: {error}. It is called without arguments and "
            "must return a kerashpo.Task."
        ) from error
    if not isinstance(made, Task):
        raise InvalidInput(_wrong(name, f"{type(made).__name__}"))
    return made


def _check_arguments(name: str, function: Any) -> None:
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise InvalidInput(f"{name} must be a function without arguments: {error}.") from error
    except ValueError:  # without a signature that could be looked at
        return


def _wrong(name: str, what: str) -> str:
    return (
        f"{name} must be a function that returns a kerashpo.Task, such as "
        f"kerashpo.Task.from_arrays(build_model, x, y, name=..., objective=...). Received: {what}."
    )
