"""Fingerprint of the code that draws figures, by which a stored picture is known to be current."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

FIGURE_CODE = "figure_code"
"""The key of a notebook's metadata: the fingerprint of the code that drew its figures."""
PLOTS = Path(__file__).resolve().parents[1] / "kerashpo" / "plots"


def fingerprint(files: Iterable[Path]) -> str:
    """Returns a hash of files, of Python files without comments and docstrings."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(path.name.encode())
        body = path.read_bytes().replace(b"\r\n", b"\n")
        whole.update(_code(body) if path.suffix == ".py" else body)
    return whole.hexdigest()[:16]


def of_figures() -> str:
    """Returns the fingerprint of the package that draws the notebooks' figures."""
    return fingerprint(path for path in PLOTS.glob("*.py") if path.name != "interactive.py")


def _code(body: bytes) -> bytes:
    tree = ast.parse(body)
    for node in ast.walk(tree):
        inside = getattr(node, "body", None)
        if isinstance(inside, list):
            node.body = [one for one in inside if not _is_text(one)]
    return ast.dump(tree).encode()


def _is_text(node: ast.AST) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(value, ast.Constant)
