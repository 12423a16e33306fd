"""``python -m kerashpo.compare``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console

from kerashpo.compare.carry import carry_out, load_keras, needs_keras
from kerashpo.compare.folder import Folder
from kerashpo.compare.options import Options, parse
from kerashpo.compare.output import Screen, tuner_name
from kerashpo.compare.provenance import Witness, cores
from kerashpo.compare.results import publish
from kerashpo.compare.runs import Result, Run, plan_runs
from kerashpo.compare.tuners import require_installed
from kerashpo.compare.workers import Workers
from kerashpo.core.errors import KerashpoError
from kerashpo.problems.registry import make_task
from kerashpo.reporting.language import Texts

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


def _run(options: Options, arguments: Sequence[str]) -> int:
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
    todo: Sequence[Run], options: Options, talk: _Talk
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
