"""The command ``kerashpo``: looks at studies without Keras.

kerashpo status PATH     what a study holds and where it stands
kerashpo best PATH       the best values, as JSON
kerashpo trials PATH     every trial as CSV
kerashpo compare ...     the same as python -m kerashpo.compare
kerashpo doctor          versions, and whether what is needed is there
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import NoReturn

from kerashpo.core.errors import InvalidInput, KerashpoError, nearest

COMMANDS = ("status", "best", "trials", "compare", "doctor")


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
        return _doctor() if given.command == "doctor" else _look(given.command, given.path)
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
        command.add_argument("path", help="the study's folder: directory/project_name")
    commands.add_parser("compare", help="compare tuners on the same data (see its --help)")
    commands.add_parser("doctor", help="versions, and whether what is needed is there")
    return parser


def _look(command: str, path: str) -> int:
    from kerashpo.study.study import open_study

    results = open_study(path).results
    match command:
        case "status":
            history = results.history
            state = results.stopped or "not finished"
            print(f"{path}: {results!r}")
            print(
                f"objective {history.objective.name} ({history.objective.direction})   "
                f"seed {history.seed}   {results.seconds:.1f} s of search   state: {state}"
            )
        case "best":
            best = results.best
            told = {"trial": best.trial, "score": best.score, "epoch": best.epoch}
            print(json.dumps({**told, "config": best.config}, indent=2))
        case "trials":
            print(results.trials().to_csv(index=False), end="")
    return 0


def _doctor() -> int:
    from kerashpo.study.running import environment

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
