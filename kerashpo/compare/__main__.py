"""``python -m kerashpo.compare``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from kerashpo.compare.arguments import ComparisonOptions, parse
from kerashpo.compare.figures import Gallery
from kerashpo.compare.provenance import Provenance, Witness, cores
from kerashpo.compare.report import Comparison, verdict, write
from kerashpo.compare.run_one import carry_out, load_keras, needs_keras
from kerashpo.compare.runs import Result, Run, plan_runs
from kerashpo.compare.screen import Screen, tuner_name
from kerashpo.compare.statistics import Line, find, rank_all, summarise
from kerashpo.compare.storage import Folder, write_all
from kerashpo.compare.tuners import BASELINES, require_installed
from kerashpo.compare.workers import Workers
from kerashpo.core.errors import KerashpoError
from kerashpo.i18n.texts import Texts
from kerashpo.problems.registry import make_task
from kerashpo.problems.task import Task
from kerashpo.reporting.html import to_html
from kerashpo.reporting.markdown import to_markdown

Tasks = Mapping[str, Task]


def publish(
    options: ComparisonOptions,
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
    options: ComparisonOptions, results: Sequence[Result], tasks: Tasks, provenance: Provenance
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
    options: ComparisonOptions, folder: Path, told: Comparison, tasks: Tasks, screen: Screen
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


INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        for options in parse(arguments).budgets():
            code = _run(options, arguments)
            if code:
                return code
        return 0
    except KerashpoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(options: ComparisonOptions, arguments: Sequence[str]) -> int:
    texts = Texts(options.lang)
    width = None if sys.stdout.isatty() else 160
    screen = Screen(Console(highlight=False, markup=False, width=width), texts)
    tasks = {name: make_task(name) for name in options.problem}
    runs = plan_runs(options, tasks)
    folder = Folder(options, runs, tasks)
    if options.dry_run:
        allowances = {run.tuner: options.allowance(run.tuner) for run in runs}
        screen.plan(runs, allowances, set(folder.known()))
        return 0
    require_installed(options.tuners)
    folder.prepare()
    known, witness = folder.known(), Witness()
    todo = [run for run in runs if run.key not in known]
    talk = _Talk(screen, runs, options.quiet)
    talk.done_before(known)
    found = dict(known)
    for run, result in _carried_out(todo, options, talk):
        if result is not None:
            found[run.key] = result
    carried = len(found) - len(known)
    if carried:
        folder.keep_session(witness.session(arguments, carried, options.workers))
    if len(found) < len(runs):
        screen.say("interrupted")
        return INTERRUPTED
    publish(options, folder, runs, [found[run.key] for run in runs], tasks, screen)
    return 0


class _Talk:
    """Tells which run begins, and which were done before."""

    def __init__(self, screen: Screen, runs: Sequence[Run], quiet: bool) -> None:
        self._screen, self._quiet = screen, quiet
        self._numbers = {run.key: number for number, run in enumerate(runs, start=1)}
        self._runs = runs
        self._several = len({run.problem for run in runs}) > 1

    def done_before(self, known: Mapping[tuple[str, str, int], Result]) -> None:
        for run in self._runs:
            if run.key in known:
                self._tell("done_before", run)

    def running(self, run: Run) -> None:
        self._tell("running", run)

    def loading(self) -> None:
        if not self._quiet:
            self._screen.say("loading")

    def _tell(self, key: str, run: Run) -> None:
        if self._quiet:
            return
        name = tuner_name(self._screen.texts, run.tuner)
        self._screen.say(
            key,
            number=self._numbers[run.key],
            total=len(self._runs),
            tuner=f"{run.problem}, {name}" if self._several else name,
            seed=run.seed,
        )


def _carried_out(
    todo: Sequence[Run], options: ComparisonOptions, talk: _Talk
) -> Iterator[tuple[Run, Result | None]]:
    """Yields what runs, until the user interrupts."""
    try:
        if options.workers > 1 and todo:
            yield from Workers(options, cores(), talk.running).carry_out(todo)
            return
        for run in todo:
            talk.running(run)
            if needs_keras(run):
                talk.loading()
                load_keras()
            result = carry_out(run, options)
            yield run, result
            if result is None:
                return
    except KeyboardInterrupt:  # outside a search, which notices the first one by itself
        return


if __name__ == "__main__":
    raise SystemExit(main())
