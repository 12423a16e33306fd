"""What importing costs: nothing heavy (and no database), for everything that needs no Keras."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kerashpo

HEAVY = (
    "tensorflow",
    "keras",
    "keras_tuner",
    "pandas",
    "matplotlib",
    "sklearn",
    "jax",
    "torch",
    "sqlite3",
)

SEARCH = """
import kerashpo
kerashpo.optimize(lambda c: c["x"], {{"x": kerashpo.space.uniform(0, 1, step=0.5)}},
                  algorithm={algorithm!r}, max_trials=2, seed=0)
"""

CODE = {
    "kerashpo": "import kerashpo",
    "the menu": "import kerashpo; kerashpo.optimize, kerashpo.Space, kerashpo.open_study",
    "tuners": "import kerashpo.tuners",
    "study": "import kerashpo.study.study, kerashpo.analysis.tables, kerashpo.analysis.anytime",
    "testing": "import kerashpo.testing",
    **{name: SEARCH.format(algorithm=name) for name in ("random", "grid", "sobol", "bayesian")},
}


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
def test_nothing_heavy_is_imported(code):
    ask = f"{code}\nimport sys; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    # The search shows its progress before.
    assert done.stdout.splitlines()[-1].split() == []


def test_random_search_needs_no_scipy():
    ask = f"{SEARCH.format(algorithm='random')}\nimport sys; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_misspelt_name_gets_the_nearest_one():
    with pytest.raises(AttributeError, match="no attribute 'optimise'. Did you mean 'optimize'?"):
        _ = kerashpo.optimise


def test_the_menu_is_listed():
    assert {"optimize", "open_study", "Space", "space", "__version__"} <= set(dir(kerashpo))


def test_the_package_and_its_metadata_agree_on_the_version():
    with (Path(__file__).parents[1] / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["version"] == kerashpo.__version__
