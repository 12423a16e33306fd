"""A package that is missing is named, with what installs it, wherever the user meets it first."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from kerashpo import cli
from kerashpo.core.requirements import REQUIRED, chosen_backend, explain_missing

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
{code}
"""


def run_without(missing, code):
    """Runs code in a process that lacks a package; returns what it printed."""
    script = WITHOUT.format(missing=missing, code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.stdout + done.stderr


TUNER = """
import kerashpo as kt
try:
    kt.Hyperband
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "missing", ["numpy", "keras", pytest.param("keras_tuner", marks=pytest.mark.slow)]
)
def test_a_tuner_names_what_is_missing(missing):
    name = REQUIRED[missing]
    assert run_without(missing, TUNER).startswith(
        f"The package {name} is not installed, and kerashpo needs it. "
        f"Install it: pip install {name}."
    )


def test_the_comparison_and_the_command_end_with_one_line():
    code = "from kerashpo.compare.__main__ import main; main([])\nfrom kerashpo.cli import main; "
    out = run_without("numpy", code + "main(['status', '.'])")
    assert out.count("error: The package numpy is not installed") == 2 and "Traceback" not in out


def test_a_cell_of_the_comparison_ends_with_one_line(tmp_path):
    words = ["--problem", "wine", "--tuners", "random", "--max-epochs", "2", "--out", str(tmp_path)]
    out = run_without(
        "keras", f"from kerashpo.compare.__main__ import main; print(main({words!r}))"
    )
    assert "error: random on wine, seed 0: The package keras is not installed" in out
    assert "Traceback" not in out and out.splitlines()[0].startswith("[1/")


RESULTS = """
import kerashpo as kt
space = {{"x": kt.space.uniform(0, 1)}}
found = kt.optimize(lambda c: c["x"], space, max_trials=2, algorithm="random", seed=0, verbose=0)
try:
    {call}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("missing", "call"),
    [
        ("matplotlib", "found.plot.history()"),
        ("pandas", "found.trials()"),
        ("matplotlib", "kt.plots.compare([found])"),
        ("scipy", "kt.optimize(len, space, max_trials=9, verbose=0)"),
    ],
)
def test_figures_and_tables_name_what_is_missing(missing, call):
    out = run_without(missing, RESULTS.format(call=call))
    assert out.startswith(f"The package {missing} is not installed") and "Traceback" not in out


def test_the_backends_package_is_named_as_such():
    text = str(explain_missing(ModuleNotFoundError("No module named 'jax'", name="jax")))
    assert "backend 'jax'" in text and 'pip install "kerashpo[jax]"' in text
    assert "set KERAS_BACKEND=tensorflow" in text


@pytest.mark.parametrize("by", ["variable", "file"])
def test_the_doctor_names_the_backend_that_is_missing(by, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert chosen_backend() == "tensorflow"
    (tmp_path / "keras.json").write_text("{")
    assert chosen_backend() == "tensorflow"
    if by == "variable":
        monkeypatch.setenv("KERAS_BACKEND", "torch")
    else:
        (tmp_path / "keras.json").write_text('{"backend": "torch"}')

    def version(name):
        if name == "torch":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(cli, "version", version)
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"(?m)^torch +absent$", out)
    assert "set to the backend torch, which is missing. Install it: pip install torch" in out
    assert "Missing:" not in out


def test_modules_of_the_users_own_are_not_ours_to_explain():
    assert explain_missing(ModuleNotFoundError("No module named 'mine'", name="mine")) is None
    assert explain_missing(ModuleNotFoundError("no name")) is None
