"""The command ``python -m kerashpo.compare``: plans the cells, runs them, writes the report."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from kerashpo.compare.comparison_options import ComparisonOptions, parse
from kerashpo.compare.figures import Gallery
from kerashpo.compare.front_report import front_tables
from kerashpo.compare.hypervolumes import by_hypervolume
from kerashpo.compare.outside import check_outside, load_tasks
from kerashpo.compare.provenance import Provenance, SessionClock
from kerashpo.compare.report import Comparison, ties_text, verdict, write
from kerashpo.compare.run_cells import run_cells
from kerashpo.compare.run_one import load_keras
from kerashpo.compare.runs import Result, Run, plan_runs
from kerashpo.compare.screen import ComparisonProgress, Screen
from kerashpo.compare.statistics import Line, find, rank_all, summarise
from kerashpo.compare.storage import Folder, write_all
from kerashpo.compare.tuners import BASELINES, check_objectives, require_installed
from kerashpo.core.import_string import is_import_string
from kerashpo.i18n.texts import Texts
from kerashpo.problems.task import Task
from kerashpo.reporting.html import to_html
from kerashpo.reporting.markdown import to_markdown

Tasks = Mapping[str, Task]
INTERRUPTED = 130
"""The exit code of a comparison that the user interrupted, as a shell has it."""


def compare(arguments: Sequence[str]) -> int:
    """Runs the comparison that a command line asks for; returns its exit code.

    Raises:
        KerashpoError: for invalid arguments.
    """
    for options in parse(arguments).budgets():
        code = _run(options, arguments)
        if code:
            return code
    return 0


def _run(options: ComparisonOptions, arguments: Sequence[str]) -> int:
    """Plans the runs, runs those without a result, and writes the report."""
    screen = _screen(options)
    tasks = load_tasks(options.problem, options.objective)
    check_objectives(options.tuners, tasks.values(), options.final_round)
    runs = plan_runs(options, tasks)
    folder = Folder(options, runs)
    if options.dry_run:
        allowances = {run.tuner: options.allowance(run.tuner) for run in runs}
        screen.plan(runs, allowances, options.fresh)
        return 0
    known = {} if options.fresh else folder.finished()
    todo = [run for run in runs if run.key not in known]
    require_installed(options.tuners)
    progress = ComparisonProgress(screen, runs, options.quiet)
    if todo:
        _check(options, tasks, todo, progress)
    folder.prepare()
    progress.finished_before(run for run in runs if run.key in known)
    clock, found = SessionClock(), dict(known)
    try:
        for run, result in run_cells(todo, options, progress.begins, progress.loading):
            found[run.key] = result
    finally:
        if len(found) > len(known):
            finished = len(found) - len(known)
            folder.add_session(clock.session(arguments, finished, options.workers))
    if len(found) < len(runs):
        screen.say("interrupted")
        return INTERRUPTED
    publish(options, folder, runs, [found[run.key] for run in runs], tasks, screen)
    return 0


def _screen(options: ComparisonOptions) -> Screen:
    width = None if sys.stdout.isatty() else 160
    return Screen(Console(highlight=False, markup=False, width=width), Texts(options.lang))


def _check(
    options: ComparisonOptions, tasks: Tasks, todo: Sequence[Run], progress: ComparisonProgress
) -> None:
    """Checks problems and tuners from outside before anything is trained."""
    if any(map(is_import_string, (*options.problem, *options.tuners))):
        progress.loading()
        load_keras()
        check_outside(options, tasks, todo)


def publish(
    options: ComparisonOptions,
    folder: Folder,
    runs: Sequence[Run],
    results: Sequence[Result],
    tasks: Tasks,
    screen: Screen,
) -> None:
    """Prints a comparison and writes its files.

    Args:
        options: the comparison.
        folder: the folder of its files.
        runs: its cells.
        results: their results, in the same order.
        tasks: its problems by name.
        screen: prints the results.
    """
    measured = results
    results, tasks, fronts = by_hypervolume(measured, tasks)
    lines = summarise(results, {name: task.positive for name, task in tasks.items()})
    files = write_all(folder.path, runs, results, lines, tasks, measured)
    comparison = Comparison(
        [find(results, task, options.target) for task in tasks.values()],
        rank_all(results, tasks),
        results,
        Provenance.read(folder.path),
        options.simulated,
        fronts,
    )
    _print_tables(lines, tasks, screen, options.quiet)
    for findings in comparison.findings:
        title = findings.task.titled(options.lang)
        screen.console.print(verdict(findings.ranking, title, screen.texts))
        mine = [result for result in results if result.problem == findings.task.name]
        if not options.quiet:
            if ties := ties_text(mine, screen.texts):
                screen.console.print(ties)
            screen.models(mine, findings.task)
            screen.blocks(front_tables(fronts.get(findings.task.name), screen.texts))
    if comparison.overall is not None:
        what = screen.texts("verdict.all", problems=len(tasks))
        screen.console.print(verdict(comparison.overall, what, screen.texts))
    files += _write_report(options, folder.path, comparison, tasks, screen)
    if not options.quiet:
        screen.say("written", folder=str(folder.path), files=", ".join(files))


def _print_tables(lines: Sequence[Line], tasks: Tasks, screen: Screen, quiet: bool) -> None:
    for name, task in tasks.items():
        mine = [line for line in lines if line.problem == name]
        screen.table(mine, task)
        if task.positive is not None and not quiet:
            for line in mine:
                if line.tuner not in BASELINES:
                    screen.confusion(line, task)


def _write_report(
    options: ComparisonOptions, folder: Path, comparison: Comparison, tasks: Tasks, screen: Screen
) -> list[str]:
    """Writes figures, ``report.md`` and ``report.html``; returns the files' names."""
    stem = Path(options.report) if options.report else folder / "report"
    stem.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{stem.name}_" if options.report else ""
    known, fronts = comparison.results, comparison.fronts
    gallery = Gallery(folder, stem.parent, prefix, known, tasks, screen.texts, fronts)
    blocks = write(comparison, gallery, screen.texts)
    pages = {".md": to_markdown(blocks), ".html": to_html(blocks, options.lang)}
    for ending, text in pages.items():
        stem.with_name(stem.name + ending).write_text(text, "utf-8")
    return [*gallery.files, *(stem.name + ending for ending in pages)]
