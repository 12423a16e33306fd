"""Runs the examples of docstrings, and every ```python block of README, CONTRIBUTING and docs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Modules whose import needs an extra are examples of nothing here.
SKIPPED = (
    "kerashpo.training.loops.compiled.jax",
    "kerashpo.compare.__main__",
    "kerashpo.executors.ray.",
)


def doctests() -> int:
    """Runs the docstrings' examples; returns how many failed."""
    import kerashpo

    failed = tried = 0
    for module in pkgutil.walk_packages(kerashpo.__path__, "kerashpo."):
        if module.name.startswith(SKIPPED):
            continue
        result = doctest.testmod(importlib.import_module(module.name))
        failed, tried = failed + result.failed, tried + result.attempted
    print(f"docstrings: {tried} examples, {failed} failed")
    return failed


def blocks(path: Path) -> int:
    """Runs a page's python blocks as one script in an empty folder; returns 1 if it fails."""
    pattern = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
    found = pattern.findall(path.read_text("utf-8"))
    if not found:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "example.py"
        script.write_text("\n".join(found), "utf-8")
        command = [sys.executable, "-W", "ignore", str(script)]
        done = subprocess.run(command, cwd=folder, check=False)
    print(f"{path.relative_to(ROOT)}: {len(found)} blocks, {'failed' if done.returncode else 'ok'}")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    raise SystemExit(1 if doctests() + sum(map(blocks, pages)) else 0)
