"""Spaces as plain mappings: the form that TOML and JSON files have."""

from __future__ import annotations

import json
import numbers
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from kerashpo.core.errors import InvalidInput, InvalidSpace, nearest
from kerashpo.core.import_string import load_object
from kerashpo.space.constructors import Under, choice
from kerashpo.space.domains import Boolean, Choice, Fixed, Float, Integer
from kerashpo.space.lazy import Lazy, lazy
from kerashpo.space.params import Param

Part: TypeAlias = "dict[str, Any]"
"""One entry of a space: a name, and a domain, a condition or another such entry."""

_KEYS: dict[str, tuple[str, ...]] = {
    "uniform": ("low", "high", "step", "default"),
    "loguniform": ("low", "high", "step", "default"),
    "reverse_log": ("low", "high", "step", "default"),
    "integer": ("low", "high", "step", "log", "reverse_log", "default"),
    "choice": ("values", "options", "ordered", "default"),
    "boolean": ("default",),
    "fixed": ("value",),
    "lazy": ("function",),
}
"""By type, the keys of a definition besides ``type`` and ``when``."""
_SCALES = {"uniform": "linear", "loguniform": "log", "reverse_log": "reverse_log"}


def read_file(path: str | Path) -> Mapping[str, Any]:
    """Returns the mapping that a TOML or JSON file holds; lazy functions are found beside it.

    Raises:
        InvalidInput: if there is no such file, or it is neither.
    """
    file = Path(path)
    readers: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": _read_json}
    if file.suffix not in readers:
        raise InvalidInput(f"Expected a file that ends in .toml or .json. Received: {str(path)!r}.")
    try:
        body = readers[file.suffix](file.read_text("utf-8-sig"))
    except OSError as error:
        raise InvalidInput(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # of TOML, JSON and UTF-8
        raise InvalidInput(
            f"{str(path)!r} is not valid {file.suffix[1:].upper()}: {error}."
        ) from None
    if not isinstance(body, Mapping):
        raise InvalidInput(f"{str(path)!r} must hold an object. Received: {type(body).__name__}.")
    found: Mapping[str, Any] = _found_beside(body, file.resolve().parent)
    return found


def _read_json(text: str) -> Any:
    """Returns what a JSON text holds; a repeated key is an error, as in TOML."""
    return json.loads(text, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the key {twice!r} appears twice")
    return dict(pairs)


def _found_beside(body: Any, folder: Path) -> Any:
    """Returns a file's content, with lazy functions in files resolved relative to its folder."""
    if isinstance(body, list):
        return [_found_beside(one, folder) for one in body]
    if not isinstance(body, Mapping):
        return body
    found = {key: _found_beside(value, folder) for key, value in body.items()}
    function = found.get("function")
    if found.get("type") == "lazy" and isinstance(function, str):
        place, _, _ = function.rpartition(":")
        if place.endswith(".py") and (folder / place).exists():
            found["function"] = f"{folder}/{function}"
    return found


def parts_of(body: Mapping[str, Any]) -> list[Part]:
    """Returns a space's entries from their plain form, in order, for `Space(*parts)`.

    Raises:
        InvalidSpace: naming the entry that is no definition.
    """
    if not isinstance(body, Mapping):
        raise InvalidSpace(f"A space must be a table of definitions. Received: {body!r}.")
    return list(_walk(body, ""))


def _walk(body: Mapping[str, Any], prefix: str) -> Iterator[Part]:
    for name, definition in body.items():
        place = f"{prefix}{name}"
        if _is_several(definition):
            yield from ({name: _definition(one, place)} for one in definition)
        elif isinstance(definition, Mapping) and not isinstance(definition.get("type"), str):
            yield from ({name: part} for part in _walk(definition, f"{place}/"))
        elif isinstance(definition, Mapping):
            yield {name: _definition(definition, place)}
        elif definition is None or isinstance(definition, (str, int, float, bool)):
            yield {name: Fixed(definition)}
        else:
            raise InvalidSpace(
                f"Parameter {place!r}: expected a definition such as "
                f'{{"type": "uniform", "low": 0, "high": 1}}. Received: {definition!r}.'
            )


def _is_several(definition: Any) -> bool:
    """Whether an entry is a list of definitions: one name, declared under several conditions."""
    return isinstance(definition, list) and all(
        isinstance(one, Mapping) and isinstance(one.get("type"), str) for one in definition
    )


def _definition(body: Mapping[str, Any], place: str) -> Any:
    """Returns a domain or a choice of spaces, under its conditions."""
    fields = dict(body)
    kind, conditions = fields.pop("type"), fields.pop("when", {})
    if kind not in _KEYS:
        raise InvalidSpace(
            f"Parameter {place!r}: unknown type {kind!r}.{nearest(kind, _KEYS)} "
            f"Known: {', '.join(_KEYS)}."
        )
    for key in fields:
        if key not in _KEYS[kind]:
            raise InvalidSpace(
                f"Parameter {place!r}: a {kind} has no {key!r}.{nearest(key, _KEYS[kind])} "
                f"Known: {', '.join((*_KEYS[kind], 'when'))}."
            )
    try:
        found: Any = _domain(kind, fields, place)
    except KeyError as error:
        raise InvalidSpace(f"Parameter {place!r}: a {kind} needs {error.args[0]!r}.") from None
    except (InvalidSpace, TypeError, ValueError) as error:
        raise InvalidSpace(f"Parameter {place!r}: {error}") from None
    if not isinstance(conditions, Mapping):
        raise InvalidSpace(
            f"Parameter {place!r}: when must map a parent to its values. Received: {conditions!r}."
        )
    for parent, values in reversed(list(conditions.items())):
        found = Under(parent, tuple(values) if isinstance(values, list) else (values,), found)
    return found


_NUMBERS = ("low", "high", "step")
_FLAGS = ("log", "reverse_log", "ordered")


def _check_types(kind: str, fields: Mapping[str, Any]) -> None:
    """Raises InvalidSpace for a text where a number, a boolean or a list belongs."""
    amounts = (*_NUMBERS, *(["default"] if kind not in ("choice", "boolean") else []))
    flags = (*_FLAGS, *(["default"] if kind == "boolean" else []))
    for name, value in fields.items():
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if name in amounts and value is not None and not number:
            raise InvalidSpace(f"{name} must be a number. Received: {value!r}")
        if name in flags and value is not None and not isinstance(value, bool):
            raise InvalidSpace(f"{name} must be true or false. Received: {value!r}")
        if name == "values" and not isinstance(value, (list, tuple)):
            raise InvalidSpace(f"values must be a list. Received: {value!r}")


def _domain(kind: str, fields: dict[str, Any], place: str) -> Any:
    _check_types(kind, fields)
    preset = fields.pop("default", None)
    match kind:
        case "uniform" | "loguniform" | "reverse_log":
            low, high = float(fields["low"]), float(fields["high"])
            step = None if fields.get("step") is None else float(fields["step"])
            start = None if preset is None else float(preset)
            return Float(low, high, step, _SCALES[kind], start)  # type: ignore[arg-type]
        case "integer":
            scale = "log" if fields.get("log") else "linear"
            scale = "reverse_log" if fields.get("reverse_log") else scale
            return Integer(fields["low"], fields["high"], fields.get("step"), scale, preset)  # type: ignore[arg-type]
        case "choice" if "options" in fields:
            return choice(_options(fields["options"], place), default=preset)
        case "choice":
            return Choice(tuple(fields["values"]), bool(fields.get("ordered")), preset)
        case "boolean":
            return Boolean(bool(preset))
        case "lazy":
            return lazy(load_object(fields["function"]))
    return Fixed(fields["value"])


def _options(given: Any, place: str) -> Any:
    """Returns the spaces to choose from, by label or in a list."""
    if isinstance(given, Mapping):
        return {label: _merged(one, f"{place}={label}") for label, one in given.items()}
    if isinstance(given, list):
        return [_merged(one, f"{place}={i}") for i, one in enumerate(given)]
    raise InvalidSpace("options must be a table of spaces, or a list of them")


def _merged(given: Any, place: str) -> Any:
    return tuple(_walk(given, f"{place}: ")) if isinstance(given, Mapping) else given


def mapping_of(params: Sequence[Param]) -> dict[str, Any]:
    """Returns a space's parameters as a plain mapping that JSON and TOML can hold.

    A name that is declared several times is a list of definitions.

    Raises:
        InvalidSpace: for a choice among values that have no plain form, such as functions.
    """
    domains = {param.name: param.domain for param in params}
    found: dict[str, Any] = {}
    for param in params:
        body = _plain_definition(param)
        if param.conditions:
            body["when"] = {
                c.parent: [_plain(domains[c.parent].realise(v), param.name) for v in c.values]
                for c in param.conditions
            }
        known = found.get(param.name)
        several = [*known, body] if isinstance(known, list) else [known, body]
        found[param.name] = body if known is None else several
    return found


def _plain_definition(param: Param) -> dict[str, Any]:
    match param.domain:
        case Float(low, high, step, scale, preset):
            kind = next(name for name, known in _SCALES.items() if known == scale)
            return _without_none(type=kind, low=low, high=high, step=step, default=preset)
        case Integer(low, high, step, scale, preset):
            body = _without_none(type="integer", low=low, high=high, step=step, default=preset)
            return body if scale == "linear" else {**body, scale: True}
        case Choice(values, ordered, preset):
            items = [_plain(value, param.name) for value in values]
            body = {"type": "choice", "values": items}
            if ordered:
                body["ordered"] = True
            return body if preset is None else {**body, "default": _plain(preset, param.name)}
        case Boolean(preset):
            return {"type": "boolean", **({"default": True} if preset else {})}
        case Fixed(value):
            return {"type": "fixed", "value": value}
        case Lazy(compute) if (place := _import_string(compute)) is not None:
            return {"type": "lazy", "function": place}
    raise InvalidSpace(f"Parameter {param.name!r} has no plain form: {param.domain!r}.")


def _import_string(compute: Any) -> str | None:
    """Returns the import string of a module's function, None for any other callable."""
    module, name = getattr(compute, "__module__", None), getattr(compute, "__qualname__", "")
    importable = module not in (None, "__main__") and name.isidentifier()
    return f"{module}:{name}" if importable else None


def _plain(value: Any, name: str) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        raise InvalidSpace(
            f"Parameter {name!r}: its value {value!r} has no form in a file. Choose among names, "
            "and look the object up in your function."
        ) from None


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
