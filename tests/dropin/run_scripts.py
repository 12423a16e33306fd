"""Runs the scripts one after another, warnings being errors, and prints what came of them.

python -W error tests/dropin/run_scripts.py
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

# Third parties' own, by name: numpy's notice while TensorFlow reads protobuf files, its notice
# where Keras reads a TensorFlow variable, and Python's deprecations inside the packages.
warnings.filterwarnings("ignore", ".*np.object.*", FutureWarning)
warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
for package in ("tensorflow", "keras_tuner", "google", "jax"):
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=rf"{package}(\.|$)")

SCRIPTS = Path(__file__).parent / "scripts"


def run(script: Path) -> dict[str, object]:
    """Runs one script in a folder of its own; returns its output, error and namespace's facts."""
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(printed):
                names = runpy.run_path(str(script))
            outcome = {"error": None, **facts(names["tuner"])}
            found = [one for one in names.values() if not isinstance(one, type)]
            searched = [one for one in found if hasattr(one, "results")]
            outcome["failures"] = [text for one in searched for text in facts(one)["failures"]]
        except Exception:
            outcome = {"error": traceback.format_exc(), "failures": []}
        os.chdir(SCRIPTS)
    return {"script": script.stem, "printed": printed.getvalue(), **outcome}


def facts(tuner: object) -> dict[str, object]:
    """Returns what the tests look at."""
    trials = tuner.results.history.trials.values()
    return {
        "trials": len(trials),
        "scores": [trial.score for trial in trials],
        "epochs": [trial.epoch for trial in trials],
        "runs": [len(trial.reports) for trial in trials],
        "statuses": [trial.status.value for trial in trials],
        "configs": [dict(trial.config) for trial in trials],
        "reasons": [trial.facts.get("training_reason") for trial in trials],
        "failures": [t.failure.traceback for t in trials if t.failure is not None],
    }


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.stem for path in SCRIPTS.glob("*.py")):
        print("\x1e" + json.dumps(run(SCRIPTS / f"{name}.py"), default=float), flush=True)
