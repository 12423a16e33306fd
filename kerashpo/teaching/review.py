"""A hand-in in sentences: what is missing, wrong, impossible or not answered yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kerashpo.core.errors import nearest
from kerashpo.i18n.texts import Texts
from kerashpo.study.results import Results
from kerashpo.teaching.exercises import EXERCISES, Exercise
from kerashpo.teaching.plausibility import Finding, examine, is_share
from kerashpo.teaching.submission import Submission, Unreadable, read_submission


@final
@dataclass(frozen=True, slots=True)
class Review:
    """What is to say about a hand-in.

    Attributes:
        path: the file.
        exercise: which notebook, empty where it cannot be read.
        author: who handed in.
        problems: sentences; a hand-in with one is not accepted.
        unanswered: names of the answers that are missing.
        wrong: sentences about answers that do not follow from the student's own search.
        right: how many answers are right.
        asked: how many answers are asked for.
        studies: the results that were handed in, for tables and figures.
        summary: accepted or not, in one sentence.
    """

    path: str
    exercise: str
    author: str
    problems: tuple[str, ...]
    unanswered: tuple[str, ...]
    wrong: tuple[str, ...]
    right: int
    asked: int
    studies: Mapping[str, Results]
    summary: str

    @property
    def accepted(self) -> bool:
        """Whether nothing is missing or impossible; answers may still be wrong."""
        return not self.problems

    @property
    def complete(self) -> bool:
        """Whether it is accepted and every answer is right."""
        return self.accepted and self.right == self.asked

    def __str__(self) -> str:
        lines = [self.summary, *(f"- {text}" for text in (*self.problems, *self.wrong))]
        return "\n".join(lines)


def check_submission(path: str | Path, lang: str = "en") -> Review:
    """Returns what is to say about a hand-in; ``print`` it to read it.

    Args:
        path: the file that `write_submission` wrote.
        lang: ``"en"`` or ``"es"``.

    Raises:
        InvalidInput: for another language.
    """
    say = _Sayer(str(path), Texts(lang))
    try:
        found = read_submission(path)
        exercise = _exercise(found)
    except Unreadable as error:
        problem = say(error.key, **error.values)
        refused = say("refused", author="?", count=1)
        return Review(str(path), "", "", (problem,), (), (), 0, 0, {}, refused)
    doubts = list(_studies(found, exercise))
    problems = tuple(say(key, **values) for key, values in [*_rest(found, exercise), *doubts])
    # Answers are read against the student's own studies, so those must be sound.
    judged = {} if doubts else _judge(found, exercise)
    return _review(found, problems, judged, len(exercise.answers), say)


@final
@dataclass(frozen=True, slots=True)
class _Sayer:
    """Sentences of section ``submission`` about one file."""

    path: str
    texts: Texts

    def __call__(self, key: str, **values: Any) -> str:
        return self.texts(f"submission.{key}", **{"path": self.path, **values})


def _review(
    found: Submission,
    problems: tuple[str, ...],
    judged: Mapping[str, bool | None],
    asked: int,
    say: _Sayer,
) -> Review:
    missing = tuple(name for name, verdict in judged.items() if verdict is None)
    wrong = [name for name, verdict in judged.items() if verdict is False]
    sentences = [say("wrong", name=name, value=found.answers[name]) for name in wrong]
    if missing:
        sentences.append(say("unanswered", names=", ".join(missing)))
    right = sum(verdict is True for verdict in judged.values())
    author = found.author.strip()
    key = "refused" if problems else "complete" if right == asked else "accepted"
    summary = say(key, author=author or "?", count=len(problems), right=right, asked=asked)
    return Review(
        say.path, found.exercise, author, problems, missing, tuple(sentences), right, asked,
        found.studies, summary,
    )  # fmt: skip


def _exercise(found: Submission) -> Exercise:
    if found.exercise not in EXERCISES:
        hint = nearest(found.exercise, EXERCISES)
        raise Unreadable("exercise", name=found.exercise, hint=hint, known=", ".join(EXERCISES))
    return EXERCISES[found.exercise]()


def _studies(found: Submission, exercise: Exercise) -> Iterator[Finding]:
    """Yields what is wrong with the studies."""
    for name, expected in exercise.studies.items():
        if name not in found.studies:
            yield "no_study", {"study": name}
            continue
        for key, values in examine(found.studies[name], expected, name in found.grown):
            yield key, {"study": name, **values}


def _rest(found: Submission, exercise: Exercise) -> Iterator[Finding]:
    """Yields what is wrong with the author and the scores on the test set."""
    if not found.author.strip():
        yield "no_author", {}
    for name, count in exercise.test.items():
        accuracy = found.test.get(name, {}).get("accuracy")
        if not isinstance(accuracy, (int, float)):
            yield "no_test", {"study": name}
        elif not 0 <= accuracy <= 1 or not is_share(accuracy, count):
            yield "impossible_test", {"study": name, "value": accuracy, "count": count}


def _judge(found: Submission, exercise: Exercise) -> dict[str, bool | None]:
    """Returns for each answer whether it is right, None where it is missing."""
    judged: dict[str, bool | None] = {}
    for name, answer in exercise.answers.items():
        given = found.answers.get(name)
        missing = given is None or (isinstance(given, str) and not given.strip())
        judged[name] = None if missing else answer.accepts(given, found.studies)
    return judged
