"""Stored pictures and notebooks' figures are not older than the code that draws them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import nbformat
import pytest

from notebooks.catalogue import pages
from notebooks.figure_code import FIGURE_CODE, fingerprint, of_figures

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
spec = importlib.util.spec_from_file_location("pictures", IMAGES / "pictures.py")
stored = importlib.util.module_from_spec(spec)
spec.loader.exec_module(stored)


def test_every_picture_is_listed():
    files = {path.name for path in IMAGES.iterdir() if path.suffix in (".png", ".svg")}
    assert files == set(stored.pictures())


@pytest.mark.parametrize("name", stored.pictures())
def test_a_picture_is_as_new_as_what_it_is_made_from(name):
    picture = stored.pictures()[name]
    assert all(list(stored.ROOT.glob(pattern)) for pattern in picture["made_from"])
    assert picture["fingerprint"] == stored.fingerprint_of(picture), (
        f"run: python docs/images/pictures.py {name}"
    )


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path.stem)
def test_a_notebooks_figures_are_drawn_by_todays_code(page):
    drawn_by = nbformat.read(page.path, as_version=4).metadata.get(FIGURE_CODE)
    assert drawn_by == of_figures(), f"run: make notebooks ARGS={page.name}"


def test_a_fingerprint_changes_with_code_and_data_and_not_with_comments(tmp_path):
    code, data = tmp_path / "a.py", tmp_path / "b.csv"
    code.write_text('"""Text."""\nx = 1\n')
    data.write_text("1\n")
    first = fingerprint([code, data])
    code.write_text('"""Another."""\n# A note.\nx = 1\n')
    assert fingerprint([data, code]) == first
    code.write_text("x = 2\n")
    assert fingerprint([code, data]) != first
    code.write_text("x = 1\n")
    data.write_text("2\n")
    assert fingerprint([code, data]) != first
