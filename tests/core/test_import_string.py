"""``my_file.py:function`` and ``package.module:function``."""

from __future__ import annotations

import subprocess
import sys

import cloudpickle
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.import_string import code_hash, is_import_string, load_object, short_name


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a.py:f", True),
        ("a.b:f", True),
        ("a.py", True),
        ("wine", False),
        (3, False),
        ("a.b", False),
    ],
)
def test_what_is_an_import_string(text, is_one):
    assert is_import_string(text) is is_one


def test_a_file_is_executed_once_for_each_version_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "mine.py"
    file.write_text("def f():\n    return 1\n")
    first = load_object(f"{file}:f")
    assert first() == 1 and load_object(f"{file}:f") is first
    file.write_text("def f():\n    return 2\n")
    assert load_object(f"{file}:f")() == 2


def test_a_file_may_import_its_neighbour(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "neighbour_of_mine.py").write_text("VALUE = 7\n")
    (tmp_path / "mine.py").write_text("from neighbour_of_mine import VALUE\ndef f(): return VALUE")
    assert load_object(f"{tmp_path / 'mine.py'}:f")() == 7


def test_a_module_of_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_module_of_mine.py").write_text("def f(): return 3\n")
    assert load_object("a_module_of_mine:f")() == 3


def test_functions_of_a_file_are_sent_to_other_processes(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def g(): return 5\n\ndef f(): return g()\n")
    data = cloudpickle.dumps(load_object(f"{file}:f"))
    code = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1]))())"
    done = subprocess.run([sys.executable, "-c", code, data.hex()], capture_output=True, check=True)
    assert done.stdout == b"5\n"


def test_comments_and_layout_do_not_change_the_hash(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def f():\n    return 1\n")
    before = code_hash(f"{file}:f")
    file.write_text("# a comment\n\n\ndef f():\n    return (1)  # one\n")
    assert code_hash(f"{file}:f") == before
    file.write_text("def f():\n    return 2\n")
    assert code_hash(f"{file}:f") != before
    assert code_hash("kerashpo.problems.wine:wine") == code_hash("kerashpo.problems.wine:load")


def test_short_names():
    assert short_name("over/here/mine.py:task") == "mine.task"
    assert short_name("package.module:task") == "module.task"
    assert short_name("C:\\here\\mine.py:task").endswith("mine.task")


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        (None, ":f", "There is no file .*mine.py"),
        ("def f(): pass\n", ":g", "has no 'g'.*It defines: f"),
        ("def train(): pass\n", ":trian", "Did you mean 'train'"),
        ("def f(): pass\ndef g(): pass\n", "", "names no function.*mine.py:FUNCTION.*f, g"),
        ("X = 1\n", "", "It defines: no function"),
        ("def f(:\n", ":f", "cannot be imported: SyntaxError.*in line 1"),
        ("\n\n1 / 0\n", ":f", "cannot be imported: ZeroDivisionError.*in line 3"),
        ("import not_installed_here\n", ":f", "No module named 'not_installed_here'"),
        ("raise SystemExit(3)\n", ":f", "SystemExit"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(source, name, message, tmp_path):
    file = tmp_path / "mine.py"
    if source is not None:
        file.write_text(source)
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        load_object(f"{file}{name}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no_such_package_here.tasks:f", "no module .*no_such_package_here/tasks.py:FUNCTION"),
        ("json:nope", "json has no 'nope'"),
    ],
)
def test_what_is_wrong_with_a_module_is_named(text, message):
    with pytest.raises(InvalidInput, match=message):
        load_object(text)
