"""Import strings, ``my_file.py:function`` and ``package.module:function``, imported and checked."""

from __future__ import annotations

import ast
import hashlib
import sys
import traceback
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.quiet_import import without_notices


def is_import_string(text: object) -> bool:
    """Whether a name is an import string rather than the name of something built in."""
    return isinstance(text, str) and (":" in text or text.endswith(".py"))


def load_object(text: str) -> Any:
    """Imports the object that an import string names.

    A file is executed once for each version of its text, with its folder at the end of
    ``sys.path``, so that it can import neighbouring files. Modules are also searched in the
    current folder.

    Args:
        text: ``my_file.py:name`` or ``package.module:name``.

    Raises:
        InvalidInput: if there is no such file, module or name, or importing it raises.
    """
    place, name = _split(text)
    with without_notices():  # a file of a model's imports Keras
        module = _file(Path(place), text) if place.endswith(".py") else _module(place, text)
    if not name:
        raise InvalidInput(
            f"{text!r} names no function. Write {place}:FUNCTION. It defines: {_defined(module)}."
        )
    if not hasattr(module, name):
        hint = nearest(name, _public(module))
        raise InvalidInput(f"{place} has no {name!r}.{hint} It defines: {_defined(module)}.")
    return getattr(module, name)


def short_name(text: str) -> str:
    """Returns an import string as a name: ``my_file.function`` or ``module.function``."""
    place, name = _split(text)
    stem = Path(place).stem if place.endswith(".py") else place.rpartition(".")[2]
    return f"{stem}.{name}"


def code_hash(text: str) -> str:
    """Returns a digest of the code in an import string's file; comments and layout do not count.

    Files that it imports are not included.
    """
    place, _ = _split(text)
    if place.endswith(".py"):
        path = Path(place)
    else:
        found = util.find_spec(place)
        path = Path(found.origin) if found is not None and found.origin else Path(place)
    return _digest(path.read_text("utf-8"))


def _digest(source: str) -> str:
    return hashlib.sha256(ast.dump(ast.parse(source)).encode()).hexdigest()[:8]


def _split(text: str) -> tuple[str, str]:
    """Splits at the last colon: on Windows a path may hold another one."""
    place, colon, name = text.rpartition(":")
    if not colon or (name.endswith(".py") and not place.endswith(".py")):
        return text, ""
    return place, name.strip()


def _file(path: Path, text: str) -> ModuleType:
    try:
        source = path.read_text("utf-8")
        digest = _digest(source)
    except FileNotFoundError:
        raise InvalidInput(
            f"There is no file {str(path)!r} (from {text!r}) in {str(Path.cwd())!r}."
        ) from None
    except (OSError, UnicodeDecodeError, ValueError, SyntaxError) as error:
        raise _broken(str(path), error) from error
    name = f"kerashpo_file_{path.stem}_{digest}_{_place_digest(path)}"
    if name in sys.modules:
        return sys.modules[name]
    _add_to_path(path.resolve().parent)
    spec = util.spec_from_file_location(name, path)
    assert spec is not None
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # Not by the loader: compiled files of a version of the same second and length are older.
        exec(compile(source, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(str(path), error) from error
    # No other process can import a module of this name.
    cloudpickle.register_pickle_by_value(module)
    return module


def _place_digest(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]


def _module(name: str, text: str) -> ModuleType:
    _add_to_path(Path.cwd())
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise InvalidInput(
                f"There is no module {name!r} (from {text!r}). A file is named with its ending: "
                f"{name.replace('.', '/')}.py:FUNCTION."
            ) from None
        raise _broken(name, error) from error
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def _add_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _broken(place: str, error: BaseException) -> InvalidInput:
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).name == Path(place).name:
            line = frame.lineno
    where = "" if line is None else f" in line {line}"
    what = f"{type(error).__name__}: {error}"
    return InvalidInput(f"{place} cannot be imported: {what}{where}. Correct it and try again.")


def _public(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and callable(value)
        and getattr(value, "__module__", None) == module.__name__
    ]


def _defined(module: ModuleType) -> str:
    return ", ".join(sorted(_public(module))) or "no function"
