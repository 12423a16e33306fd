"""For teachers: ``python -m kerashpo.teaching FILE... [--lang es] [--csv FILE]``."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from kerashpo.i18n.texts import LANGUAGES
from kerashpo.teaching.review import Review, check_submission

COLUMNS = ("file", "author", "exercise", "accepted", "right", "asked", "remarks")


def main(argv: Sequence[str] | None = None) -> int:
    """Reads hand-ins and says what is to say; returns 1 if one is not accepted."""
    parser = argparse.ArgumentParser(
        prog="python -m kerashpo.teaching", description="Reads hand-ins of the notebooks."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="results.json files")
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the remarks")
    parser.add_argument("--csv", metavar="PATH", help="write a row for each file")
    given = parser.parse_args(argv)
    reviews = [check_submission(file, given.lang) for file in given.files]
    print("\n\n".join(map(str, reviews)))
    if given.csv:
        _write(Path(given.csv), reviews)
    return 0 if all(review.accepted for review in reviews) else 1


def _write(path: Path, reviews: Sequence[Review]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in reviews:
            remarks = " ".join((*one.problems, *one.wrong))
            told = (one.path, one.author, one.exercise, one.accepted, one.right, one.asked)
            writer.writerow((*told, remarks))


if __name__ == "__main__":
    sys.exit(main())
