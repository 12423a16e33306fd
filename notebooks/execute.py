"""Builds the notebooks from their sources and executes them from top to bottom.

python notebooks/execute.py [NAME...]           in place, with their outputs
python notebooks/execute.py --text [NAME...]    takes over changed texts, keeps the outputs;
                                                refused where code has changed
python notebooks/execute.py --check [NAME...]   what CI runs: the notebooks are those of the
                                                sources, every cell has its output, and with
                                                FAST and the solutions they run to a hand-in
                                                that is accepted and complete

NAME is a source (lab, functional, ...) or a notebook's file name without its ending.
"""

from __future__ import annotations

import argparse
import base64
import io
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from catalogue import INSTALL, NAMES, Page, pages, tagged
from figure_code import FIGURE_CODE, of_figures
from nbclient import NotebookClient
from PIL import Image

from kerashpo.teaching import check_submission

SECONDS = 600
HAND_IN = "results.json"


def execute(page: Page) -> None:
    """Runs a notebook as it is, and writes it with its outputs."""
    book = page.build()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        _run(book, folder)
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_greeting(output)]
            for output in cell.outputs:
                _shrink(output.get("data", {}))
    # The kernel adds its own version, which differs between machines and tells nothing.
    book.metadata = page.build().metadata
    book.metadata[FIGURE_CODE] = of_figures()
    nbformat.write(book, page.path)
    print(f"{page.path.name}: {time.perf_counter() - began:.0f} s", flush=True)


def retell(page: Page) -> None:
    """Writes a notebook with the source's texts and the outputs that it has.

    The cell that installs kerashpo has no output and is taken over, too.

    Raises:
        SystemExit: if its code is not the source's.
    """
    book, kept = page.build(), nbformat.read(page.path, as_version=4)
    new, old = ([c for c in b.cells if _has_output(c)] for b in (book, kept))
    if [cell.source for cell in new] != [cell.source for cell in old]:
        raise SystemExit(f"{page.path.name}: its code has changed, so it must be executed.")
    for cell, before in zip(new, old):
        cell.outputs = [output for output in before.outputs if not _is_greeting(output)]
    codes = [cell for cell in book.cells if cell.cell_type == "code"]
    for number, cell in enumerate(codes, start=1):
        cell.execution_count = number
    book.metadata[FIGURE_CODE] = kept.metadata.get(FIGURE_CODE, "")
    nbformat.write(book, page.path)


def _has_output(cell: Any) -> bool:
    installs = INSTALL in cell.metadata.get("tags", ())
    return cell.cell_type == "code" and bool(cell.source.strip()) and not installs


def check(page: Page) -> None:
    """Compares a notebook with its source, then runs it with FAST and the solutions.

    Raises:
        SystemExit: telling what is wrong.
    """
    book = page.build()
    if problem := _differs(page, book):
        raise SystemExit(f"{page.path.name}: {problem} Run: make notebooks ARGS={page.name}")
    parameters = tagged(book, "parameters")
    parameters.source = re.sub(r"^FAST = .*$", "FAST = True", parameters.source, flags=re.M)
    tagged(book, "answers").source = page.solution
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        _run(book, folder)
        review = check_submission(Path(folder) / HAND_IN, page.language)
    if not review.complete:
        raise SystemExit(f"{page.path.name}: the solutions' hand-in: {review}")
    print(f"{page.path.name}: {time.perf_counter() - began:.0f} s", flush=True)


def _run(book: Any, folder: str) -> None:
    place = {"metadata": {"path": folder}}
    NotebookClient(book, timeout=SECONDS, kernel_name="python3", resources=place).execute()


def _differs(page: Page, book: Any) -> str:
    """Returns what is wrong with the committed notebook, empty if nothing is."""
    if not page.path.exists():
        return "it was never executed."
    kept = nbformat.read(page.path, as_version=4)
    if [c.source for c in kept.cells] != [c.source for c in book.cells]:
        return "it is not what its source says."
    if kept.metadata.get(FIGURE_CODE) != of_figures():
        return "its figures were drawn by other code of kerashpo.plots."
    counts = [c.execution_count for c in kept.cells if c.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        return "its cells were not executed in order."
    outputs = [o for c in kept.cells if c.cell_type == "code" for o in c.outputs]
    if any(output.output_type == "error" for output in outputs):
        return "a cell ended in an error."
    return ""


def _shrink(data: dict[str, Any]) -> None:
    """Keeps 128 colours of a figure, which the eye does not tell from all of them."""
    if "image/png" in data:
        image = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
        small = io.BytesIO()
        image.quantize(128).save(small, "png", optimize=True)
        data["image/png"] = base64.b64encode(small.getvalue()).decode("ascii")


def _is_greeting(output: Any) -> bool:
    """Whether this is what TensorFlow says about the machine when it is loaded."""
    said = output.get("text", "")
    return output.get("name") == "stderr" and ("absl::InitializeLog" in said or "cuInit" in said)


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="what CI runs; writes nothing")
    parser.add_argument("--text", action="store_true", help="change texts, keep outputs")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    given = parser.parse_args()
    known = {label: page for page in pages() for label in (page.path.stem, page.name)}
    for name in given.names:
        if name not in known:
            parser.error(f"unknown notebook {name!r}; known: {', '.join(known)}")
    wanted = [p for p in pages() if not given.names or {p.name, p.path.stem} & {*given.names}]
    act = check if given.check else retell if given.text else execute
    for page in wanted:
        act(page)


if __name__ == "__main__":
    main()
