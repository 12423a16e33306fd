"""The command ``kerashpo``: looks at studies without Keras.

kerashpo status PATH     what a study holds and where it stands
kerashpo best PATH       the best values, as JSON
kerashpo trials PATH     every trial as CSV
kerashpo report PATH     the report as one HTML file
kerashpo export PATH     the study as another library's: --to optuna
kerashpo compare ...     the same as python -m kerashpo.compare
kerashpo resume PATH     runs the script that searched it again, after showing it
kerashpo doctor          versions, and whether what is needed is there
kerashpo doctor PATH     whether a study is whole; --repair saves what is whole of a damaged one
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from kerashpo.core.errors import InvalidInput, KerashpoError, nearest

COMMANDS = ("status", "best", "trials", "report", "export", "resume", "compare", "doctor")


_FOLDER = "the study's folder: directory/project_name"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        words = [word.strip("',") for word in message.split()]
        hints = [h for w in words if w not in COMMANDS and (h := nearest(w, COMMANDS))]
        raise InvalidInput(f"{message}.{hints[0] if hints else ''} See kerashpo --help.")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["compare"]:
            from kerashpo.compare.__main__ import main as compare

            return compare(words[1:])
        given = _parser().parse_args(words)
        match given.command:
            case "doctor":
                return _examine(Path(given.path), given.repair) if given.path else _doctor()
            case "resume":
                return _resume(Path(given.path), given.yes)
            case "report":
                return _report(given.path, given.out, given.lang)
            case "export":
                return _export(given.path, given.to, given.out)
        return _look(given.command, given.path)
    except KerashpoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="kerashpo", description="Looks at hyperparameter searches.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, told in (
        ("status", "what a study holds and where it stands"),
        ("best", "the best values, as JSON"),
        ("trials", "every trial as CSV"),
    ):
        command = commands.add_parser(name, help=told)
        command.add_argument("path", help=_FOLDER)
    report = commands.add_parser("report", help="the report as one HTML file")
    report.add_argument("path", help=_FOLDER)
    report.add_argument(
        "--out", metavar="FILE", help="where to (PATH/report.html); .md is Markdown"
    )
    report.add_argument("--lang", metavar="en|es", default="en", help="its language (en)")
    export = commands.add_parser("export", help="the study as another library's")
    export.add_argument("path", help=_FOLDER)
    export.add_argument("--to", required=True, metavar="optuna", help="which library's")
    export.add_argument("--out", metavar="FILE", help="where to (PATH/optuna.sqlite3)")
    again = commands.add_parser("resume", help="run the script that searched it again")
    again.add_argument("path", help=_FOLDER)
    again.add_argument("--yes", action="store_true", help="do not ask before running it")
    commands.add_parser("compare", help="compare tuners on the same data (see its --help)")
    doctor = commands.add_parser("doctor", help="versions; with a folder, whether it is whole")
    doctor.add_argument("path", nargs="?", help=_FOLDER)
    doctor.add_argument("--repair", action="store_true", help="save what is whole of a damaged log")
    return parser


def _look(command: str, path: str) -> int:
    from kerashpo.display.progress import folder_bytes, size
    from kerashpo.study.study import open_study

    results = open_study(path).results
    match command:
        case "status":
            history = results.history
            state = results.stopped or "not finished"
            print(f"{path}: {results!r}")
            print(
                f"objective {history.objective.name} ({history.objective.direction})   "
                f"seed {history.seed}   {results.seconds:.1f} s of search   state: {state}   "
                f"{size(folder_bytes(path) or 0)} on disk"
            )
            if not history.finished:
                print(f"to go on: run the same search again, or kerashpo resume {path}")
        case "best":
            best = results.best
            told = {"trial": best.trial, "score": best.score, "epoch": best.epoch}
            print(json.dumps({**told, "config": best.config}, indent=2))
        case "trials":
            print(results.trials().to_csv(index=False), end="")
    return 0


def _report(path: str, out: str | None, lang: str) -> int:
    from kerashpo.study.study import open_study

    print(open_study(path).report(out, lang))
    return 0


def _export(path: str, to: str, out: str | None) -> int:
    from kerashpo.export.optuna import export_study

    print(export_study(to, Path(path), None if out is None else Path(out)))
    return 0


def _resume(folder: Path, sure: bool) -> int:
    from kerashpo.study.rerun import resume_study
    from kerashpo.study.study import open_study

    def agreed(question: str) -> bool:
        if sure:
            return True
        if not sys.stdin.isatty():
            raise InvalidInput("There is nobody to ask: pass --yes to run it.")
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

    return resume_study(folder, open_study(folder).history, agreed, print)


def _examine(folder: Path, mend: bool) -> int:
    from kerashpo.study.doctor import examine, repair_study

    health = examine(folder)
    if mend and health.log:
        done = repair_study(folder)
        print(f"repaired: {done.events} events kept; the damaged log is {done.original}")
        health = examine(folder)
    print(*health.lines(), sep="\n")
    return 0 if health.well else 1


def _doctor() -> int:
    from kerashpo.study.run import environment

    packages = ("kerashpo", "keras", "tensorflow", "keras-tuner", "scikit-learn", "matplotlib",
                "numpy", "scipy", "pandas", "rich")  # fmt: skip
    found = environment(packages)
    for name, version in found.items():
        print(f"{name:14} {version}")
    missing = [name for name, version in found.items() if version == "absent"]
    if missing:
        print(f"Missing: {', '.join(missing)}. Install them: pip install kerashpo")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
