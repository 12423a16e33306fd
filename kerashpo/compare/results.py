"""What a finished comparison leaves: tables on the screen, CSV files, figures, a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kerashpo.compare.document import Comparison, write
from kerashpo.compare.figures import Gallery
from kerashpo.compare.files import write_all
from kerashpo.compare.findings import find, rank_all
from kerashpo.compare.folder import Folder
from kerashpo.compare.options import Options
from kerashpo.compare.output import Screen
from kerashpo.compare.provenance import Provenance
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.summary import Line, summarise
from kerashpo.compare.tuners import BASELINES
from kerashpo.compare.verdict import verdict
from kerashpo.problems.task import Task
from kerashpo.reporting.markdown import to_markdown
from kerashpo.reporting.page import to_html

Tasks = Mapping[str, Task]


def publish(
    options: Options,
    folder: Folder,
    runs: Sequence[Run],
    results: Sequence[Result],
    tasks: Tasks,
    screen: Screen,
) -> None:
    """Prints and writes a comparison.

    Args:
        options: the comparison.
        folder: where it lives.
        runs: its cells.
        results: their rows, in the same order.
        tasks: its problems by name.
        screen: where to print.
    """
    lines = summarise(results, {name: task.positive for name, task in tasks.items()})
    files = write_all(folder.path, runs, results, lines, tasks)
    told = compared(options, results, tasks, folder.keep_budgets())
    _print_tables(lines, tasks, screen, options.quiet)
    for findings in told.findings:
        screen.console.print(verdict(findings.ranking, findings.task.name, screen.texts))
    if told.overall is not None:
        what = screen.texts("verdict.all", problems=len(tasks))
        screen.console.print(verdict(told.overall, what, screen.texts))
    files += _write_report(options, folder.path, told, tasks, screen)
    if not options.quiet:
        screen.say("written", folder=str(folder.path), files=", ".join(files))


def compared(
    options: Options, results: Sequence[Result], tasks: Tasks, provenance: Provenance
) -> Comparison:
    """Returns what the report of these results tells."""
    return Comparison(
        [find(results, task, options.target) for task in tasks.values()],
        rank_all(results, tasks),
        results,
        provenance,
        options.simulated,
    )


def _print_tables(lines: Sequence[Line], tasks: Tasks, screen: Screen, quiet: bool) -> None:
    for name, task in tasks.items():
        mine = [line for line in lines if line.problem == name]
        screen.table(mine, task)
        if task.positive is not None and not quiet:
            for line in mine:
                if line.tuner not in BASELINES:
                    screen.confusion(line, task)


def _write_report(
    options: Options, folder: Path, told: Comparison, tasks: Tasks, screen: Screen
) -> list[str]:
    """Writes figures, ``report.md`` and ``report.html``; returns the files' names."""
    stem = Path(options.report) if options.report else folder / "report"
    stem.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{stem.name}_" if options.report else ""
    gallery = Gallery(folder, stem.parent, prefix, told.results, tasks, screen.texts)
    blocks = write(told, gallery, screen.texts)
    pages = {".md": to_markdown(blocks), ".html": to_html(blocks, options.lang)}
    for ending, text in pages.items():
        stem.with_name(stem.name + ending).write_text(text, "utf-8")
    return [*gallery.files, *(stem.name + ending for ending in pages)]
