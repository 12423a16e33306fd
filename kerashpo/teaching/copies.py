"""Finds the same search in hand-ins of different students.

Two searches never begin at the same microsecond, nor do their epochs take the same time. The one
exception is a virtual clock, where equal seeds give equal seconds: there only the date counts.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kerashpo.study.results import Results


@dataclass(frozen=True, slots=True)
class Owned:
    """A study of a hand-in, for comparison with those of others.

    Attributes:
        path: the file.
        author: the student's name.
        study: the study's name.
        marks: values that identify the search, see `marks_of`.
    """

    path: str
    author: str
    study: str
    marks: frozenset[str]


def marks_of(results: Results, virtual: bool) -> frozenset[str]:
    """Returns what identifies a search: when its sessions began, and how long its epochs took.

    Args:
        results: the study.
        virtual: whether its clock is a virtual one.
    """
    history = results.history
    marks = {f"began {wall!r}" for _, wall in history.sessions}
    seconds = [
        (trial.number, run, epoch, report.seconds)
        for trial in history.trials.values()
        for run, reports in trial.reports.items()
        for epoch, report in reports.items()
    ]
    if seconds and not virtual:
        marks.add(f"took {hashlib.sha256(repr(seconds).encode()).hexdigest()}")
    return frozenset(marks)


def copies(studies: Sequence[Owned]) -> Mapping[str, list[tuple[str, Owned]]]:
    """Returns by file the studies that a hand-in of another author has too.

    A student may hand in twice: the same author's files are not compared.

    Args:
        studies: those of all hand-ins.

    Returns:
        pairs of the study's name and the other hand-in's study.
    """
    owners: defaultdict[str, list[Owned]] = defaultdict(list)
    for one in studies:
        for mark in one.marks:
            owners[mark].append(one)
    found: dict[str, list[tuple[str, Owned]]] = {}
    for one in studies:
        others = list(_others(one, owners))
        if others:
            found.setdefault(one.path, []).extend((one.study, other) for other in others[:1])
    return found


def _others(one: Owned, owners: Mapping[str, Sequence[Owned]]) -> Iterator[Owned]:
    for mark in sorted(one.marks):
        for other in owners[mark]:
            if other.path != one.path and _name(other.author) != _name(one.author):
                yield other


def _name(author: str) -> str:
    """Returns a name without accents, case and spaces: one student may write it in several ways."""
    letters = unicodedata.normalize("NFKD", author.casefold())
    return "".join(letter for letter in letters if letter.isalnum())
