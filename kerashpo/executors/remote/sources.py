"""The user's own modules travel to other machines as source text.

Functions of the script itself are pickled by value. What they import from files beside the
script, now or later, is not installed on other machines, so those files' texts are sent along
and imported from memory there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final, TypeAlias, final

_MOST_FILES: Final = 1000
_MOST_BYTES: Final = 20_000_000
_MOST_FOLDERS: Final = 500
"""Beyond these limits a folder is no project's; only modules that are imported are sent."""


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a module.

    Attributes:
        text: its source.
        path: its file on the machine of the search, for tracebacks.
        package: whether it has submodules.
    """

    text: str
    path: str
    package: bool


Sources: TypeAlias = "Mapping[str, Source]"
"""Modules by their full names."""


def local_sources(
    folder: Path, modules: Mapping[str, ModuleType], installed: Sequence[Path]
) -> dict[str, Source]:
    """Returns the modules of the user's project: beside the script, and imported from elsewhere.

    Args:
        folder: the script's folder.
        modules: the imported modules, as in ``sys.modules``.
        installed: folders whose modules are installed on every machine.
    """
    found = {} if _is_installed(folder, installed) else dict(_beside(folder))
    for name, module in [*modules.items()]:
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if name.partition(".")[0] in ("kerashpo", "__main__") or not origin:
            continue
        path = Path(origin)
        if path.suffix == ".py" and not _is_installed(path, installed) and path.is_file():
            found[name] = _read(path)
    return _with_parents(found)


def project_sources() -> dict[str, Source]:
    """Returns the modules of the project that this process runs."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    folder = Path(main).resolve().parent if main else Path.cwd()
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    return local_sources(folder, sys.modules, [Path(prefix) for prefix in prefixes])


@final
class SourceFinder(MetaPathFinder, InspectLoader):
    """Imports modules from their source texts.

    Args:
        sources: the modules.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Returns the specification of a module that was sent, None for others."""
        source = self._sources.get(fullname)
        if source is None:
            return None
        spec = ModuleSpec(fullname, self, origin=source.path, is_package=source.package)
        spec.has_location = True
        return spec

    def get_source(self, fullname: str) -> str:
        """Returns a module's text."""
        return self._sources[fullname].text

    def is_package(self, fullname: str) -> bool:
        """Whether a module has submodules."""
        return self._sources[fullname].package


def make_importable(sources: Sources) -> None:
    """Makes the modules importable in this process, before those of the same names here."""
    if sources:
        sys.meta_path.insert(0, SourceFinder(sources))


def _beside(folder: Path) -> Iterator[tuple[str, Source]]:
    """Yields the modules and packages of a folder; nothing if there are too many."""
    found: list[tuple[str, Source]] = []
    size = folders = 0
    waiting = [(folder, "")]
    while waiting:
        here, prefix = waiting.pop()
        folders += 1
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.suffix == ".py" and entry.stem.isidentifier() and entry.is_file():
                source = _read(entry)
                size += len(source.text)
                name = prefix.removesuffix(".") if source.package else prefix + entry.stem
                found += [(name, source)] if name else []
            elif entry.name.isidentifier() and entry.is_dir() and not entry.is_symlink():
                waiting += [(entry, f"{prefix}{entry.name}.")] if _holds_code(entry) else []
        if len(found) > _MOST_FILES or size > _MOST_BYTES or folders > _MOST_FOLDERS:
            return
    yield from found


def _holds_code(folder: Path) -> bool:
    if folder.name == "__pycache__":
        return False
    try:
        return any(folder.glob("*.py")) and not (folder / "pyvenv.cfg").exists()
    except OSError:
        return False


def _read(path: Path) -> Source:
    text = path.read_text(encoding="utf-8", errors="replace")
    return Source(text, str(path), path.name == "__init__.py")


def _with_parents(found: Mapping[str, Source]) -> dict[str, Source]:
    """Adds the folders without an ``__init__.py`` that modules lie in."""
    whole = dict(found)
    for name, source in found.items():
        parent = name.rpartition(".")[0]
        while parent and parent not in whole:
            whole[parent] = Source("", source.path, True)
            parent = parent.rpartition(".")[0]
    return whole


def _is_installed(path: Path, installed: Sequence[Path]) -> bool:
    if not {"site-packages", "dist-packages"}.isdisjoint(path.parts):
        return True
    return any(path.is_relative_to(folder) for folder in installed)
