"""Which notebooks there are: one source, one notebook a language.

A source is a jupytext percent script, ``NAME.py``; a long one goes on in ``NAME_PART.py``.
``install.py`` is put before its code as a cell. A cell with
``lang="es"`` or ``lang="en"`` belongs to
that language alone; all others belong to both.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat

FOLDER = Path(__file__).resolve().parent
LANGUAGES = ("es", "en")
NAMES = {
    "lab": {
        "es": "optimizacion_hiperparametros_keras_tuner",
        "en": "hyperparameter_optimisation_keras_tuner",
    },
    "functional": {"es": "espacio_y_optimize", "en": "space_and_optimize"},
    "rungs": {"es": "hyperband_y_asha", "en": "hyperband_and_asha"},
    "population": {"es": "entrenamiento_por_poblaciones", "en": "population_based_training"},
    "gaussian": {"es": "proceso_gaussiano", "en": "gaussian_process"},
    "moving": {"es": "desde_keras_tuner", "en": "from_keras_tuner"},
}
INSTALL = "install"
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass(frozen=True, slots=True)
class Page:
    """One notebook: its exercise's name and its language."""

    name: str
    language: str

    @property
    def path(self) -> Path:
        """The notebook's file."""
        return FOLDER / f"{NAMES[self.name][self.language]}.ipynb"

    @property
    def sources(self) -> list[Path]:
        """The files of its source, in order."""
        folder = FOLDER / "sources"
        return [folder / f"{self.name}.py", *sorted(folder.glob(f"{self.name}_*.py"))]

    @property
    def solution(self) -> str:
        """The code that answers the exercises, which takes the place of the cell ``answers``."""
        return (FOLDER / "solutions" / f"{self.name}.py").read_text("utf-8")

    def build(self) -> Any:
        """Returns the notebook without outputs."""
        source = "\n".join(part.read_text("utf-8") for part in self.sources)
        read = jupytext.reads(source, fmt="py:percent")
        cells = [c for c in read.cells if c.metadata.get("lang", self.language) == self.language]
        first = next(n for n, cell in enumerate(cells) if cell.cell_type == "code")
        cells.insert(first, _install_cell())
        for number, cell in enumerate(cells):
            tags = cell.metadata.get("tags")
            cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
            cell.id = f"{self.name}-{self.language}-{number:02d}"
        book = nbformat.v4.new_notebook(cells=cells)
        book.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": _LANGUAGE})
        return book


def _install_cell() -> Any:
    """Returns the first code cell, which installs kerashpo where it is missing."""
    code = install_code((FOLDER.parent / "pyproject.toml").read_text("utf-8"))
    return nbformat.v4.new_code_cell(code, metadata={"tags": [INSTALL]})


def install_code(pyproject: str) -> str:
    """Returns the code of the install cell, with the repository's address from pyproject.toml."""
    code = (FOLDER / "install.py").read_text("utf-8").strip()
    address = tomllib.loads(pyproject)["project"].get("urls", {}).get("Repository")
    if address is None:
        return code
    return re.sub(r'^ADDRESS = "".*$', f'ADDRESS = "{address}"', code, flags=re.MULTILINE)


_LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}


def pages() -> list[Page]:
    """Returns every notebook."""
    return [Page(name, language) for name in NAMES for language in LANGUAGES]


def tagged(book: Any, tag: str) -> Any:
    """Returns the one cell with a tag.

    Raises:
        ValueError: if there is none, or there are several.
    """
    (cell,) = (c for c in book.cells if tag in c.metadata.get("tags", ()))
    return cell
