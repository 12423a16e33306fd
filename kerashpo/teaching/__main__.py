"""For teachers: ``python -m kerashpo.teaching FILE... [--lang es] [--csv FILE]``."""

from __future__ import annotations

import csv
import glob
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerashpo.command_parser import CommandParser, pipe_may_close, print_error
from kerashpo.core.errors import InvalidInput, KerashpoError
from kerashpo.i18n.texts import AUTO, LANGUAGES, Texts
from kerashpo.teaching.review import Review, check_submissions

COLUMNS = ("file", "author", "exercise", "accepted", "right", "asked")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the reviews of hand-ins; returns 1 if one is not accepted, 2 for wrong arguments."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        given = _parser(words).parse_args(words)
        texts = Texts.of(given.lang)
        reviews = check_submissions(_expanded(given.files), given.lang, given.exercise)
    except KerashpoError as error:
        print_error(error, words)
        return 2
    with pipe_may_close():
        print("\n\n".join(map(str, reviews)))
    if given.csv:
        try:
            write_table(Path(given.csv), reviews, texts)
        except OSError as error:
            why = texts("grades.not_written", path=given.csv, error=error.strerror)
            print(f"error: {why}", file=sys.stderr)
            return 2
    return 0 if all(review.accepted for review in reviews) else 1


def _parser(words: Sequence[str] = ()) -> CommandParser:
    parser = CommandParser(
        words, prog="python -m kerashpo.teaching", description="Reviews hand-ins of the notebooks."
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="results.json files, patterns, or folders of them"
    )
    parser.add_argument("--lang", choices=(*LANGUAGES, AUTO), help="language of remarks and table")
    parser.add_argument("--csv", metavar="PATH", help="write a row for each file")
    parser.add_argument(
        "--exercise",
        action="append",
        default=[],
        metavar="FILE.py:FUNCTION",
        help="an exercise of your own: a function that returns a kerashpo.teaching.Exercise; "
        "may be repeated",
    )
    return parser


def _expanded(names: Sequence[str]) -> list[str]:
    """Returns the files that names, patterns and folders stand for.

    Windows expands no patterns. A folder stands for the JSON files in it and below; one without
    any is reviewed itself, so that it is refused with a sentence.
    """
    files: list[str] = []
    for name in names:
        found = [name]
        if not Path(name).exists() and glob.has_magic(name):
            # Path.glob takes no absolute pattern.
            found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207
            if not found:
                raise InvalidInput(f"No file matches {name!r} in {str(Path.cwd())!r}.")
        for one in found:
            files += _inside(Path(one)) or [one]
    return list(dict.fromkeys(files))


def _inside(folder: Path) -> list[str]:
    """Returns the JSON files in a folder and below, without those of hidden folders."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.rglob("*.json") if path.is_file()]
    return sorted(str(path) for path in found if not _hidden(path.relative_to(folder)))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


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
            row = [
                *(one.path, one.author, one.exercise),
                *(texts("grades.yes" if one.accepted else "grades.no"), one.right, one.asked),
                *(one.parameters.get(name, "") for name in parameters),
                " ".join((*one.problems, *one.wrong)),
                *(one.essays.get(name, "") for name in essays),
            ]
            writer.writerow([_cell(value, texts) for value in row])


def _cell(value: Any, texts: Texts) -> Any:
    """Returns a value as a spreadsheet of the language reads it: no text becomes a formula."""
    if isinstance(value, float):
        return str(value).replace(".", texts("number.mark"))
    if isinstance(value, str) and value.lstrip().startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return value


if __name__ == "__main__":
    sys.exit(main())
