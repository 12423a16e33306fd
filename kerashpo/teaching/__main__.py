"""For teachers: ``python -m kerashpo.teaching FILE... [--lang es] [--csv FILE]``."""

from __future__ import annotations

import csv
import glob
import sys
from collections.abc import Sequence
from pathlib import Path

from kerashpo.command_parser import CommandParser, pipe_may_close
from kerashpo.core.errors import InvalidInput, KerashpoError
from kerashpo.i18n.texts import LANGUAGES, Texts
from kerashpo.teaching.review import Review, check_submissions

COLUMNS = ("file", "author", "exercise", "accepted", "right", "asked")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the reviews of hand-ins; returns 1 if one is not accepted, 2 for wrong arguments."""
    try:
        given = _parser().parse_args(argv)
        texts = Texts.of(given.lang)
        reviews = check_submissions(_expanded(given.files), given.lang, given.exercise)
    except KerashpoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with pipe_may_close():
        print("\n\n".join(map(str, reviews)))
    if given.csv:
        write_table(Path(given.csv), reviews, texts)
    return 0 if all(review.accepted for review in reviews) else 1


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m kerashpo.teaching", description="Reviews hand-ins of the notebooks."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="results.json files, or patterns")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of remarks and table")
    parser.add_argument("--csv", metavar="PATH", help="write a row for each file")
    parser.add_argument(
        "--exercise",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE.py:FUNCTION",
        help="exercises of your own: functions that return a kerashpo.teaching.Exercise",
    )
    return parser


def _expanded(names: Sequence[str]) -> list[str]:
    """Returns the files that names and patterns stand for: Windows expands no patterns."""
    files: list[str] = []
    for name in names:
        if Path(name).exists() or not glob.has_magic(name):
            files.append(name)
            continue
        found = sorted(glob.glob(name))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not found:
            raise InvalidInput(f"No file matches {name!r} in {str(Path.cwd())!r}.")
        files += found
    return list(dict.fromkeys(files))


def write_table(path: Path, reviews: Sequence[Review], texts: Texts) -> None:
    """Writes a row for each review, as spreadsheets of the language read it.

    Columns are those of `COLUMNS`, the notebooks' parameters, the remarks, and the answers in
    words. The file begins with a byte order mark, without which Excel spoils accents, and its
    separator is the language's.

    Args:
        path: the file.
        reviews: the rows.
        texts: the sentences of the output language.
    """
    parameters = list(dict.fromkeys(name for one in reviews for name in one.parameters))
    essays = list(dict.fromkeys(name for one in reviews for name in one.essays))
    heads = [texts(f"grades.{name}") for name in (*COLUMNS, "remarks")]
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=texts("grades.separator"))
        writer.writerow([*heads[:-1], *parameters, heads[-1], *essays])
        for one in reviews:
            accepted = texts("grades.yes" if one.accepted else "grades.no")
            writer.writerow(
                [
                    *(one.path, one.author, one.exercise, accepted, one.right, one.asked),
                    *(one.parameters.get(name, "") for name in parameters),
                    " ".join((*one.problems, *one.wrong)),
                    *(one.essays.get(name, "") for name in essays),
                ]
            )


if __name__ == "__main__":
    sys.exit(main())
