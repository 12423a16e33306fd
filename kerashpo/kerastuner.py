"""``import kerashpo.kerastuner`` makes ``kerastuner`` another name of kerashpo.

For scripts that use the package's name before 1.0.3, which work unchanged below that line:

    import kerashpo.kerastuner
    from kerastuner.tuners import RandomSearch
    from kerastuner.engine.hyperparameters import HyperParameters

KerasTuner's own package of that name, if installed, is then not imported in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import final

_OLD, _NEW = "kerastuner", "kerashpo"


@final
class _Alias(MetaPathFinder, Loader):
    """Import finder that resolves ``kerastuner`` and its submodules to those of kerashpo."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        known = fullname == _OLD or fullname.startswith(f"{_OLD}.")
        return ModuleSpec(fullname, self) if known else None

    def __init__(self) -> None:
        self._specs: dict[str, ModuleSpec | None] = {}

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        try:
            module = import_module(_NEW + spec.name.removeprefix(_OLD))
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name) from error
        self._specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has replaced the module's own specification by this finder's.
        assert module.__spec__ is not None
        module.__spec__ = self._specs.pop(module.__spec__.name)


if not any(isinstance(finder, _Alias) for finder in sys.meta_path):
    sys.meta_path.insert(0, _Alias())
    for _name in [one for one in sys.modules if one == _OLD or one.startswith(f"{_OLD}.")]:
        del sys.modules[_name]  # KerasTuner's own, imported before
