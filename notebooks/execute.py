"""Executes the notebooks from top to bottom.

python notebooks/execute.py           in place, with their outputs
python notebooks/execute.py --check   only see that they run (CI)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
SECONDS = 600


def execute(path: Path, check: bool) -> None:
    """Runs one notebook in an empty folder; keeps its outputs unless `check`."""
    notebook = nbformat.read(path, as_version=4)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        place = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place).execute()
        if not (Path(folder) / "results.json").exists():
            raise SystemExit(f"{path.name}: the last cell wrote no results.json")
    print(f"{path.name}: {time.perf_counter() - began:.0f} s")
    if not check:
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            if cell.cell_type == "code":
                cell.outputs = [o for o in cell.outputs if not _is_greeting(o)]
        nbformat.write(notebook, path)


def _is_greeting(output: Any) -> bool:
    """Whether this is what TensorFlow says about the machine when it is loaded."""
    return output.get("name") == "stderr" and "absl::InitializeLog" in output.get("text", "")


if __name__ == "__main__":
    for found in sorted(FOLDER.glob("*.ipynb")):
        execute(found, "--check" in sys.argv[1:])
