"""The notebooks as they are committed: whole, in both languages, without traces of a machine."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess

import nbformat
import pytest

from kerashpo.teaching.exercises import EXERCISES
from notebooks.catalogue import FOLDER, LANGUAGES, NAMES, Page, install_code, pages, tagged

PAGES = pages()
EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.stem)


def names(code: str) -> set[str]:
    """The names that code assigns at its top level."""
    body = ast.parse(code).body
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def test_every_notebook_has_an_exercise_and_a_solution():
    assert set(NAMES) == set(EXERCISES)
    sources = {*(FOLDER / "sources").glob("*.py")}
    assert sources == {path for page in PAGES for path in page.sources}
    assert {p.stem for p in FOLDER.glob("*.ipynb")} == {page.path.stem for page in PAGES}


@EACH
def test_the_first_code_cells_install_kerashpo_and_hold_the_parameters(page):
    install, first, *_ = (cell for cell in page.build().cells if cell.cell_type == "code")
    assert install.metadata.tags == ["install"]
    assert first.metadata.tags == ["parameters"]
    assert names(first.source) == {"FAST", "SEED", "EPOCHS"}


def test_the_install_cell_does_nothing_here_and_elsewhere_finds_wheel_or_clone(
    tmp_path, monkeypatch
):
    code = compile((FOLDER / "install.py").read_text("utf-8"), "install", "exec")
    called = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: called.append(command[-1]))
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert not called
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"neither its wheel nor.*ni su wheel ni su"):
        exec(code, {})
    clone = tmp_path / "kerashpo-main"
    (clone / "kerashpo").mkdir(parents=True)
    (clone / "notebooks").mkdir()
    (clone / "pyproject.toml").touch()
    exec(code, {})
    monkeypatch.chdir(clone / "notebooks")  # the repository that the notebook lies in
    exec(code, {})
    wheel = clone / "notebooks" / "kerashpo-0.1.0-py3-none-any.whl"
    wheel.touch()
    exec(code, {})
    assert called == [str(clone), str(clone), str(wheel)]


def test_the_install_cell_takes_the_address_from_pyproject(tmp_path, monkeypatch):
    address = "https://example.org/kerashpo"
    project = f'[project]\nname = "k"\n[project.urls]\nRepository = "{address}"\n'
    code, called = compile(install_code(project), "install", "exec"), []
    monkeypatch.setattr(subprocess, "run", lambda command, check: called.append(command[-1]))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    (tmp_path / "kerashpo-0.1.0-py3-none-any.whl").touch()
    exec(code, {})
    assert called[0] == f"git+{address}" and called[1].endswith(".whl")


@EACH
def test_the_exercises_ask_for_what_is_checked_and_the_solutions_answer_it(page):
    exercise = EXERCISES[page.name]()
    cell = tagged(page.build(), "answers")
    asked = ast.literal_eval(cell.source.partition("answers = ")[2])
    assert asked == dict.fromkeys(exercise.answers)
    assert {"AUTHOR", "answers"} <= names(page.solution)
    assert all(f'"{name}"' in page.solution for name in exercise.answers)
    text = "".join(c.source for c in page.build().cells if c.cell_type == "markdown")
    assert all(f"`{name}`" in text for name in exercise.answers)


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_cells(name):
    spanish, english = (Page(name, language).build().cells for language in LANGUAGES)
    assert [c.cell_type for c in spanish] == [c.cell_type for c in english]
    for one, other in zip(spanish, english):
        if one.cell_type == "markdown":
            assert one.source != other.source, "a text that is not translated"
        else:
            translated = other.source.replace('lang="en"', 'lang="es"')
            assert one.source == translated.replace('LANG"] = "en"', 'LANG"] = "es"')


@EACH
def test_the_notebook_is_its_source_executed_in_order(page):
    kept = nbformat.read(page.path, as_version=4)
    assert [c.source for c in kept.cells] == [c.source for c in page.build().cells]
    code = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(o.output_type == "error" for cell in code for o in cell.outputs)
    assert sum(o.output_type == "display_data" for cell in code for o in cell.outputs) >= 1


@EACH
def test_no_output_names_a_place_of_the_machine_that_ran_it(page):
    text = page.path.read_text("utf-8")
    assert not re.search(r"/(tmp|root|home|Users|work|usr)/", text)
    assert '"stderr"' not in text, "a warning was printed"
    assert len(text) < 400_000
