"""Executes the notebooks from top to bottom.

python notebooks/execute.py           in place, with their outputs
python notebooks/execute.py --check   only see that they run (CI)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
SECONDS = 600


def execute(path: Path, check: bool) -> None:
    """Runs one notebook in an empty folder; keeps its outputs unless `check`."""
    notebook = nbformat.read(path, as_version=4)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute()
        if not (Path(folder) / "results.json").exists():
            raise SystemExit(f"{path.name}: the last cell wrote no results.json")
    print(f"{path.name}: {time.perf_counter() - began:.0f} s")
    if not check:
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    for found in sorted(FOLDER.glob("*.ipynb")):
        execute(found, "--check" in sys.argv[1:])
