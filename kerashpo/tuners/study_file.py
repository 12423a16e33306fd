"""Runs a search that a TOML or JSON file describes: `kerashpo run study.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.import_string import load_object
from kerashpo.space.formats.definitions import read_file
from kerashpo.space.space import Space
from kerashpo.study.results import Results
from kerashpo.tuners.optimize import optimize
from kerashpo.tuners.plain_goal import from_table

SCHEMA = Path(__file__).with_name("study.schema.json")
"""The JSON Schema of these files, for editors."""
_OF_FUNCTIONS = ("function", "space", "search")
_OF_MODELS = ("model", "data", "tuner", "fit")
_TUNERS = (
    "Recommended", "Hyperband", "ASHA", "BayesianOptimization",
    "RandomSearch", "GridSearch", "NSGA2", "Search",
)  # fmt: skip


def run_file(path: str | Path) -> Results:
    """Runs the search that a TOML or JSON file describes; returns its results.

    Args:
        path: a TOML or JSON file. Either ``function``, ``space`` and ``search`` (arguments of
            `optimize`), or ``model``, ``data``, ``tuner`` (its ``name`` and arguments) and
            ``fit`` (arguments of `search`); see docs/spaces.md.

    Raises:
        InvalidInput: before anything is trained, for a missing or unknown entry.
    """
    body, folder = read_file(path), Path(path).resolve().parent
    keys = ("$schema", *_OF_FUNCTIONS, *_OF_MODELS)
    _require_known(body, keys, f"{str(path)!r}")
    if ("function" in body) == ("model" in body):
        raise InvalidInput(
            f"{str(path)!r} must name either a function of a configuration (function = "
            '"my_file.py:loss") or a function that builds a model (model = "my_file.py:build").'
        )
    own = _OF_FUNCTIONS if "function" in body else _OF_MODELS
    stray = next((key for key in body if key not in (*own, "$schema")), None)
    if stray is not None:
        raise InvalidInput(f"{str(path)!r}: {stray!r} cannot be combined with {own[0]!r}.")
    tables = {key: dict(body.get(key, {})) for key in ("search", "tuner", "fit")}
    run = _run_function if "function" in body else _run_model
    return run(body, tables, folder)


def _run_function(
    body: Mapping[str, Any], tables: Mapping[str, dict[str, Any]], folder: Path
) -> Results:
    if "space" not in body:
        raise InvalidInput("A file with a function needs a table [space].")
    space, arguments = Space.from_dict(body["space"]), tables["search"]
    if not space.params:
        raise InvalidInput(
            "[space] is empty: there is nothing to search. Give it a parameter, such as "
            'x = {type = "uniform", low = 0, high = 1}.'
        )
    for taken in ("fn", "space", "listeners", "executor"):
        if taken in arguments:
            raise InvalidInput(f"[search] has no {taken!r}.")
    function = _load(body["function"], folder)
    return optimize(function, space, **_placed(from_table(arguments), folder))


def _run_model(
    body: Mapping[str, Any], tables: Mapping[str, dict[str, Any]], folder: Path
) -> Results:
    import kerashpo

    arguments = tables["tuner"]
    name = arguments.pop("name", "Recommended")
    if name not in _TUNERS:
        raise InvalidInput(
            f"[tuner] has no tuner {name!r}.{nearest(name, _TUNERS)} Known: {', '.join(_TUNERS)}."
        )
    if "data" not in body:
        raise InvalidInput(
            'A file with a model needs data = "my_file.py:load", a function that returns the '
            "arguments of search: a dict, or a tuple such as (x, y)."
        )
    build, data = _load(body["model"], folder), _load(body["data"], folder)()
    tuner = getattr(kerashpo, name)(build, **_placed(from_table(arguments), folder))
    given = (data, {}) if isinstance(data, tuple) else ((), dict(data))
    tuner.search(*given[0], **given[1], **tables["fit"])
    results: Results = tuner.results
    return results


def _load(text: Any, folder: Path) -> Any:
    """Imports ``my_file.py:name``, beside the study's file, or ``package.module:name``."""
    if not isinstance(text, str):
        raise InvalidInput(f'Expected "my_file.py:function". Received: {text!r}.')
    place, _, name = text.rpartition(":")
    beside = folder / place
    found = load_object(f"{beside}:{name}" if place.endswith(".py") and beside.exists() else text)
    if not callable(found):
        raise InvalidInput(f"{text!r} must be a function. Received: {found!r}.")
    return found


def _placed(arguments: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Returns arguments with their directory and earlier studies resolved relative to the file."""
    found = dict(arguments)
    if "directory" in found:
        found["directory"] = folder / found["directory"]
    if "warm_start" in found:
        found["warm_start"] = _placed_studies(found["warm_start"], folder)
    return found


def _placed_studies(given: Any, folder: Path) -> Any:
    match given:
        case str():
            return folder / given
        case Mapping():
            return {**given, "study": _placed_studies(given.get("study"), folder)}
        case list():
            return [_placed_studies(one, folder) for one in given]
    return given


def _require_known(given: Iterable[str], known: tuple[str, ...], place: str) -> None:
    for key in given:
        if key not in known:
            raise InvalidInput(
                f"{place} has an unknown entry {key!r}.{nearest(key, known)} "
                f"Known: {', '.join(known)}."
            )
