"""Runs each drop-in script with KerasTuner and with kerashpo, and prints the table.

Both run from compiled bytecode, as installed packages do: each is imported once before.

python -m experiments.dropin.run [--out FILE.csv] [SCRIPT ...]
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "tests" / "dropin" / "scripts", ROOT / "tests" / "dropin" / "more")
OURS, THEIRS = "kerashpo", "keras_tuner"
COLUMNS = ("script", "library", "exit", "wall", "cpu")


def environment(bytecode: str) -> dict[str, str]:
    """Returns the environment of the scripts, where modules are compiled into a folder once.

    Not all environments of development write bytecode, and pip compiles what it installs.
    """
    own = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    named = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPYCACHEPREFIX": bytecode}
    return own | named


def warm_up(env: dict[str, str]) -> None:
    """Imports both libraries, which compiles them."""
    ours = f"import {OURS} as k; k.SklearnTuner, k.Hyperband, k.BayesianOptimization, k.oracles"
    for code in (f"import {THEIRS}", ours):
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)


def measure(script: Path, library: str, env: dict[str, str]) -> dict[str, object]:
    """Runs one script as a process of its own, in a folder of its own."""
    text = script.read_text().replace(f"import {OURS} as kt", f"import {library} as kt")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "script.py").write_text(text)
        done = subprocess.run(
            [sys.executable, "script.py"],
            cwd=folder,
            env=env,
            capture_output=True,
            check=False,
        )
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    values = (script.stem, library, done.returncode, round(wall, 2), round(cpu, 2))
    return dict(zip(COLUMNS, values))


def table(rows: list[dict[str, object]]) -> str:
    """Returns the measurements as a Markdown table, a line a script."""
    by = {(row["script"], row["library"]): row for row in rows}
    lines = [
        "| script | exit: KerasTuner, kerashpo | wall s | CPU s | ratio of CPU |",
        "|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["script"] for row in rows):
        theirs, ours = by.get((name, THEIRS)), by.get((name, OURS))
        if theirs is None or ours is None:
            continue
        ratio = float(str(ours["cpu"])) / float(str(theirs["cpu"]))
        pairs = [f"{theirs[column]}, {ours[column]}" for column in ("exit", "wall", "cpu")]
        lines.append(f"| {name} | {' | '.join(pairs)} | {ratio:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Runs what the command line names, all scripts without a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="a CSV; what it holds is not run again")
    parser.add_argument("scripts", nargs="*")
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    if given.out is not None and given.out.exists():
        with given.out.open() as file:
            rows = list(csv.DictReader(file))
    known = {(row["script"], row["library"]) for row in rows}
    bytecode = tempfile.TemporaryDirectory()
    env = environment(bytecode.name)
    warm_up(env)
    found = [path for folder in FOLDERS for path in sorted(folder.glob("*.py"))]
    for script in found:
        for library in (THEIRS, OURS):
            wanted = not given.scripts or script.stem in given.scripts
            if wanted and (script.stem, library) not in known:
                rows.append(measure(script, library, env))
                print(*rows[-1].values(), flush=True)
                if given.out is not None:
                    with given.out.open("w", newline="") as file:
                        writer = csv.DictWriter(file, COLUMNS)
                        writer.writeheader()
                        writer.writerows(rows)
    print(table(rows))


if __name__ == "__main__":
    main()
