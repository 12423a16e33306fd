"""Runs KerasTuner's own unit tests of its oracles against ours.

    pip download keras-tuner==1.3.5 --no-deps     # the last wheel that ships its tests
    unzip keras_tuner-1.3.5-py3-none-any.whl -d checkout
    python -m experiments.traps.upstream checkout [--oracles theirs]

The tests are copied to a temporary folder, the lines named in ``EDITS`` are changed there,
those in ``LEFT_OUT`` are not run, and `substitute` puts our classes in the place of theirs.
With ``--oracles theirs`` all of them meet KerasTuner's own classes, and nothing is changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

FILES = (
    "keras_tuner/tuners/bayesian_test.py",
    "keras_tuner/tuners/hyperband_test.py",
    "keras_tuner/tuners/randomsearch_test.py",
    "keras_tuner/tuners/gridsearch_test.py",
    "keras_tuner/engine/oracle_test.py",
)
LEFT_OUT = {
    "test_hyperband_oracle_bracket_configs": "asserts bracket internals alone",
    "test_hyperband_load_weights": "fails with KerasTuner's own oracle on Keras 3.15 too",
    "test_linked_list": "a data structure of KerasTuner's that ours does without",
}
EDITS = (
    (r"            assert len\(\n +oracle\._brackets.*\n +\) == .*\n", "", "bracket internals"),
    (r" +assert len\(oracle\._brackets\) == \d\n", "", "bracket internals"),
    (r" +(assert )?tuner\.oracle\._current_iteration =+ 0\n", "", "bracket internals"),
    (r"for i in range\(4\):", "for i in range(3):", "the paper promotes floor(3 / 2) of a rung"),
)
"""Pattern, replacement and reason; all in hyperband_test.py."""
_HERE = "experiments.traps.substitute"


def prepare(checkout: Path, folder: Path, oracles: str) -> dict[str, int]:
    """Copies the tests, edited for ours; returns how often each reason for an edit applied."""
    edits: Counter[str] = Counter()
    shutil.copy(checkout / "keras_tuner/conftest.py", folder)
    for file in FILES:
        text = (checkout / file).read_text()
        if oracles == "ours" and file.endswith("hyperband_test.py"):
            for pattern, new, reason in EDITS:
                text, count = re.subn(pattern, new, text)
                edits[reason] += count
        (folder / Path(file).name).write_text(text)
    return dict(edits)


def run(folder: Path, oracles: str) -> dict[tuple[str, str], str]:
    """Runs the tests; returns by file and test whether it passed, failed or errored."""
    report = folder / "report.xml"
    left = " and ".join(f"not {name}" for name in LEFT_OUT)
    options = ["-q", "-p", "no:cacheprovider", "-p", _HERE, "-W", "ignore"]
    chosen = ["-k", left] if oracles == "ours" else []
    command = [sys.executable, "-m", "pytest", *options, *chosen]
    paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "TRAPS_ORACLES": oracles, "PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run(
        [*command, f"--junitxml={report}", str(folder)], cwd=folder, env=env, timeout=1200
    )
    found = {}
    for case in ET.parse(report).iter("testcase"):
        bad = [child.tag for child in case if child.tag in ("failure", "error")]
        place = (case.get("classname", "").rpartition(".")[2], case.get("name", ""))
        found[place] = bad[0] if bad else "passed"
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="folder that holds keras_tuner/, with tests")
    parser.add_argument("--oracles", choices=("ours", "theirs"), default="ours")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        edits = prepare(arguments.checkout, Path(folder), arguments.oracles)
        found = run(Path(folder), arguments.oracles)
    print("\n| file | passed | failed |\n|---|---|---|")
    for file in sorted({file for file, _ in found}):
        results = [result for (one, _), result in found.items() if one == file]
        print(
            f"| {file}.py | {results.count('passed')} | {len(results) - results.count('passed')} |"
        )
    for reason, count in edits.items():
        print(f"edited: {count} x {reason}")
    for test, reason in LEFT_OUT.items():
        if arguments.oracles == "ours":
            print(f"left out: {test} ({reason})")
    for (file, test), result in found.items():
        if result != "passed":
            print(f"{result}: {file}.py {test}")
    sys.exit(any(result != "passed" for result in found.values()))


if __name__ == "__main__":
    main()
