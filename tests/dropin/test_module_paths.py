"""Import lines written for KerasTuner, with the package's name replaced."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module

import keras_tuner
import pytest

import kerashpo

THEIRS = sorted(
    name
    for _, name, _ in pkgutil.walk_packages(keras_tuner.__path__, "keras_tuner.")
    if ".src" not in name
)
OLDER = [
    "applications.resnet",
    "engine.multi_execution_tuner",
    "engine.objective",
    "tuners.bayesian",
    "tuners.gridsearch",
    "tuners.hyperband",
    "tuners.randomsearch",
    "tuners.sklearn_tuner",
]
LINES = """
from kerashpo.applications import HyperResNet
from kerashpo.engine.hyperparameters import HyperParameters, Int
from kerashpo.tuners import *; RandomSearch, Tuner
from kerashpo.engine.trial import Trial, TrialStatus
from kerashpo.engine.tuner import Tuner
import kerashpo as kt; kt.engine.trial.Trial
from kerashpo.engine import base_tuner; base_tuner.BaseTuner
import kerashpo.engine.hyperparameters as hps; hps.Choice
from kerashpo import HyperModel, HyperParameters
from kerashpo.tuners.randomsearch import RandomSearch
from kerashpo.engine.multi_execution_tuner import MultiExecutionTuner
import kerashpo; kerashpo.tuners.randomsearch.RandomSearch
from kerashpo import *; Hyperband, oracles
from kerashpo.oracles import BayesianOptimizationOracle
""".strip().splitlines()


def python(code: str) -> str:
    """Runs code in a fresh interpreter; returns what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("line", LINES)
def test_an_import_line_of_a_public_script(line):
    names: dict[str, object] = {}
    exec(line, names)
    bound = names.keys() - {"__builtins__"}
    assert bound and all(names[name] is not None for name in bound)
    assert any(name in line for name in bound) or "import *" in line


@pytest.mark.parametrize("path", THEIRS)
def test_every_public_name_of_kerastuner_is_at_its_place(path):
    ours = import_module(path.replace("keras_tuner", "kerashpo", 1))
    for name in dir(import_module(path)):
        if not name.startswith("_") and name != "src":
            assert getattr(ours, name) is not None


@pytest.mark.parametrize("path", OLDER)
def test_older_paths(path):
    module = import_module(f"kerashpo.{path}")
    assert any(not name.startswith("_") for name in dir(module))


def test_what_is_ours_is_ours_everywhere():
    from kerashpo.engine import base_tuner, hyperparameters, multi_execution_tuner, tuner

    assert tuner.Tuner is base_tuner.BaseTuner is kerashpo.Tuner
    assert multi_execution_tuner.MultiExecutionTuner is kerashpo.Tuner
    assert hyperparameters.HyperParameters is kerashpo.HyperParameters
    assert kerashpo.tuners.gridsearch.GridSearch is kerashpo.GridSearch


def test_a_path_imports_nothing_before_a_name_is_asked_for():
    code = "import kerashpo.engine.trial, kerashpo.applications, sys; print('keras' in sys.modules)"
    assert python(code).strip() == "False"


def test_paths_that_do_not_exist():
    with pytest.raises(ModuleNotFoundError, match=r"kerashpo\.engine\.engines"):
        import_module("kerashpo.engine.engines")
    with pytest.raises(AttributeError, match=r"'kerashpo\.engine\.trial' has no attribute 'Trail'"):
        _ = kerashpo.engine.trial.Trail
    with pytest.raises(ImportError, match="Randomsearch"):
        exec("from kerashpo.tuners import Randomsearch", {})


@pytest.fixture
def _fresh_spelling():
    """Removes what `import kerashpo.kerastuner` does to the process, before and after."""

    def remove():
        for name in [*sys.modules]:
            if name.partition(".")[0] == "kerastuner" or name == "kerashpo.kerastuner":
                del sys.modules[name]

    finders = [*sys.meta_path]
    remove()
    yield
    remove()
    sys.meta_path[:] = finders


@pytest.mark.filterwarnings("ignore:.*kerastuner.*is deprecated:DeprecationWarning")
@pytest.mark.usefixtures("_fresh_spelling")
def test_the_old_spelling_is_another_name_of_the_package():
    theirs = import_module("kerastuner")
    assert theirs is not kerashpo
    import_module("kerashpo.kerastuner")
    kerastuner = import_module("kerastuner")
    tuners = import_module("kerastuner.tuners")
    values = import_module("kerastuner.engine.hyperparameters")
    assert kerastuner is kerashpo and tuners is kerashpo.tuners
    assert import_module("kerastuner.tuners.hyperband").Hyperband is kerashpo.Hyperband
    assert values.HyperParameters is kerashpo.HyperParameters
    assert (kerashpo.__spec__.name, kerashpo.tuners.__spec__.name) == (
        "kerashpo", "kerashpo.tuners",
    )  # fmt: skip
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'kerastuner\.nothing'$"):
        import_module("kerastuner.nothing")
