"""``python -m kerashpo.compare``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from kerashpo.compare.options import BASELINES, Options, parse
from kerashpo.compare.output import (
    Screen,
    write_curves,
    write_figure,
    write_results,
    write_summary,
    write_winners,
)
from kerashpo.compare.quiet import import_quietly
from kerashpo.compare.runs import Result, Run, plan_runs
from kerashpo.compare.summary import summarise
from kerashpo.compare.winner import run_majority, run_search
from kerashpo.core.errors import InvalidInput, KerashpoError
from kerashpo.problems.registry import make_task
from kerashpo.problems.task import Task
from kerashpo.reporting.language import Texts
from kerashpo.schedulers.hyperband import Hyperband

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    try:
        return _run(parse(sys.argv[1:] if argv is None else argv))
    except KerashpoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(options: Options) -> int:
    texts = Texts(options.lang)
    width = None if sys.stdout.isatty() else 160
    screen = Screen(Console(highlight=False, markup=False, width=width), texts)
    tasks = {name: make_task(name) for name in options.problem}
    runs = plan_runs(options, (*options.tuners, *BASELINES))
    if options.dry_run:
        screen.plan(runs, _budgets(options))
        return 0
    out = _prepare(options, runs)
    results: list[Result] = []
    for number, run in enumerate(runs, start=1):
        try:
            result = _result(run, number, len(runs), tasks[run.problem], options, screen)
        except KeyboardInterrupt:  # outside a search, which notices the first one by itself
            result = None
        if result is None:
            screen.console.print(texts("compare.interrupted"))
            return INTERRUPTED
        results.append(result)
    _report(out, runs, results, tasks, screen, options.quiet)
    return 0


def _prepare(options: Options, runs: Sequence[Run]) -> Path:
    """Makes the output folder, and forgets old runs if asked to, before anything is trained."""
    out = Path(options.out)
    try:
        for run in runs:
            if options.fresh and run.folder.exists():
                shutil.rmtree(run.folder)
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidInput(
            f"Cannot write to {options.out!r}: {error.strerror}. Choose another folder with --out."
        ) from error
    return out


def _result(
    run: Run, number: int, total: int, task: Task, options: Options, screen: Screen
) -> Result | None:
    known = run.result
    told = {"number": number, "total": total, "tuner": screen.name(run.tuner), "seed": run.seed}
    if known is not None:
        if not options.quiet:
            screen.console.print(screen.texts("compare.done_before", **told))
        return known
    if not options.quiet:
        screen.console.print(screen.texts("compare.running", **told))
    if run.tuner != "majority" and "keras" not in sys.modules:
        if not options.quiet:
            screen.console.print(screen.texts("compare.loading"))
        import_quietly("keras_tuner")
    found = run_majority(run, task) if run.tuner == "majority" else run_search(run, task, options)
    if found is not None:
        run.keep(found)
    return found


def _report(
    out: Path,
    runs: list[Run],
    results: list[Result],
    tasks: dict[str, Task],
    screen: Screen,
    quiet: bool,
) -> None:
    lines = summarise(results, {name: task.positive for name, task in tasks.items()})
    for name, task in tasks.items():
        mine = [line for line in lines if line.problem == name]
        screen.table(mine, task)
        if task.positive is not None and not quiet:
            for line in mine:
                if line.tuner not in BASELINES:
                    screen.confusion(line, task)
    write_results(out, results)
    write_summary(out, lines)
    write_winners(out, results, tasks)
    write_curves(out, runs)
    figures = write_figure(out, runs, screen.texts)
    files = ", ".join(["results.csv", "summary.csv", "curves.csv", "confusion.csv", *figures])
    if not quiet:
        screen.console.print(screen.texts("compare.written", folder=str(out), files=files))


def _budgets(options: Options) -> dict[str, tuple[str, str]]:
    """Returns trials and epochs that each tuner plans, as text."""
    bands = Hyperband(options.max_epochs, options.factor).plan()
    full = (str(options.max_trials), str(options.max_trials * options.max_epochs))
    return {
        "hyperband": (str(bands.trials), str(bands.epochs)),
        "bayesian": full,
        "random": full,
        "default": ("1", str(options.max_epochs)),
        "majority": ("0", "0"),
    }


if __name__ == "__main__":
    raise SystemExit(main())
