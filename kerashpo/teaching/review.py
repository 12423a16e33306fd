"""Reviews hand-ins: what is missing, wrong, impossible, copied or not answered, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from kerashpo.core.errors import closest
from kerashpo.i18n.texts import Texts
from kerashpo.study.results import Results
from kerashpo.teaching.copies import Owned, copies, marks_of
from kerashpo.teaching.exercises import Essay, Exercise, load_exercises
from kerashpo.teaching.plausibility import Finding, examine, is_share
from kerashpo.teaching.submission import Submission, Unreadable, read_author, read_submission


@final
@dataclass(frozen=True, slots=True)
class Review:
    """The review of a hand-in.

    Attributes:
        path: the file.
        exercise: the exercise's name, empty where the file cannot be read.
        author: the student's name.
        problems: sentences; a hand-in with one is not accepted.
        unanswered: names of the answers that are missing.
        wrong: sentences about answers that do not follow from the student's own search.
        right: how many answers are right.
        asked: how many answers are asked for.
        studies: the results that were handed in, for tables and figures.
        parameters: the values of the notebook's first cell.
        essays: the answers in words, by name.
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
    parameters: Mapping[str, Any]
    essays: Mapping[str, str]
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


Exercises = Mapping[str, Callable[[], Exercise]]


def check_submission(
    path: str | Path, lang: str | None = None, exercises: Sequence[str] = ()
) -> Review:
    """Returns the review of a hand-in; ``print`` it to read it.

    Args:
        path: the file that `write_submission` wrote.
        lang: ``"en"``, ``"es"`` or ``"auto"``; None for the usual choice (``KERASHPO_LANG``).
        exercises: exercises of your own, as import strings: ``my_file.py:my_exercise``.

    Raises:
        InvalidInput: for another language, or an exercise that cannot be imported.
    """
    return check_submissions([path], lang, exercises)[0]


def check_submissions(
    paths: Sequence[str | Path], lang: str | None = None, exercises: Sequence[str] = ()
) -> list[Review]:
    """Returns the reviews of several hand-ins, which are also searched for copies.

    Args:
        paths: the files.
        lang: ``"en"``, ``"es"`` or ``"auto"``; None for the usual choice (``KERASHPO_LANG``).
        exercises: exercises of your own, as import strings: ``my_file.py:my_exercise``.

    Raises:
        InvalidInput: for another language, or an exercise that cannot be imported.
    """
    known, texts = load_exercises(exercises), Texts.of(lang)
    reviews = [_review(str(path), known, texts) for path in paths]
    shared = copies([one for review in reviews for one in _owned(review, known)])
    return [_with_copies(review, shared.get(review.path, []), texts) for review in reviews]


def _owned(review: Review, known: Exercises) -> Iterator[Owned]:
    """Yields the studies of a review with what identifies them."""
    if not review.exercise or not review.author:
        return
    expected = known[review.exercise]().studies
    for name, results in review.studies.items():
        virtual = name in expected and expected[name].virtual
        yield Owned(review.path, review.author, name, marks_of(results, virtual))


def _with_copies(review: Review, found: Sequence[tuple[str, Owned]], texts: Texts) -> Review:
    if not found:
        return review
    say = _Sentences(review.path, texts)
    sentences = [
        say("copied", study=study, other=other.path, author=other.author) for study, other in found
    ]
    problems = (*review.problems, *sentences)
    summary = say("refused", author=review.author or "?", count=len(problems))
    return replace(review, problems=problems, summary=summary)


@final
@dataclass(frozen=True, slots=True)
class _Sentences:
    """Sentences of section ``submission`` about one file."""

    path: str
    texts: Texts

    def __call__(self, key: str, **values: Any) -> str:
        return self.texts(f"submission.{key}", **{"path": self.path, **values})


def _review(path: str, known: Exercises, texts: Texts) -> Review:
    say, author = _Sentences(path, texts), read_author(path)
    try:
        submission = read_submission(path)
        exercise = _exercise(submission, known)
    except Unreadable as error:
        problem = say(error.key, **error.values)
        refused = say("refused", author=author or "?", count=1)
        return Review(path, "", author, (problem,), (), (), 0, 0, {}, {}, {}, refused)
    doubts = list(_studies(submission, exercise))
    findings = [*_rest(submission, exercise), *doubts]
    problems = tuple(say(key, **values) for key, values in findings)
    # Answers are checked against the student's own studies, so those must be sound.
    checked = {} if doubts else _check_answers(submission, exercise)
    return _summarised(submission, exercise, problems, checked, say)


def _summarised(
    submission: Submission,
    exercise: Exercise,
    problems: tuple[str, ...],
    checked: Mapping[str, bool | str | None],
    say: _Sentences,
) -> Review:
    missing = tuple(name for name, right in checked.items() if right is None)
    wrong = [name for name, right in checked.items() if right is False]
    sentences = [say("wrong", name=name, value=_short(submission.answers[name])) for name in wrong]
    sentences += [
        say("not_found", name=name, error=right)
        for name, right in checked.items()
        if isinstance(right, str)
    ]
    if missing:
        sentences.append(say("unanswered", names=", ".join(missing)))
    right, asked = sum(one is True for one in checked.values()), len(exercise.answers)
    author = submission.author.strip()
    key = "refused" if problems else "complete" if right == asked else "accepted"
    return Review(
        say.path,
        submission.exercise,
        author,
        problems,
        missing,
        tuple(sentences),
        right,
        asked,
        submission.studies,
        submission.parameters,
        _essays(submission, exercise),
        say(key, author=author or "?", count=len(problems), right=right, asked=asked),
    )


def _essays(submission: Submission, exercise: Exercise) -> dict[str, str]:
    given = submission.answers
    names = [name for name, answer in exercise.answers.items() if isinstance(answer, Essay)]
    return {name: str(given[name] or "") for name in names if name in given}


def _exercise(submission: Submission, known: Exercises) -> Exercise:
    name = submission.exercise
    if name not in known:
        near = closest(name, known)
        key = "exercise_near" if near else "exercise"
        raise Unreadable(key, name=name, near=near, known=", ".join(known))
    return known[name]()


def _studies(submission: Submission, exercise: Exercise) -> Iterator[Finding]:
    """Yields the faults of the studies."""
    seed = submission.parameters.get(exercise.seed) if exercise.seed else None
    if exercise.seed and seed is None:
        yield "no_seed", {"name": exercise.seed}
    for name, expected in exercise.studies.items():
        if name not in submission.studies:
            yield "no_study", {"study": name}
            continue
        try:
            for key, values in examine(submission.studies[name], expected, seed):
                yield key, {"study": name, **values}
        except Exception as error:  # one odd file must not end the review of all others
            yield "unchecked", {"study": name, "error": _said(error)}


def _rest(submission: Submission, exercise: Exercise) -> Iterator[Finding]:
    """Yields the faults of the author's name and of the test scores."""
    if not submission.author.strip():
        yield "no_author", {}
    for name, count in exercise.test.items():
        scores = submission.test.get(name)
        accuracy = scores.get("accuracy") if isinstance(scores, Mapping) else None
        if not isinstance(accuracy, (int, float)):
            yield "no_test", {"study": name}
        elif not 0 <= accuracy <= 1 or not is_share(accuracy, count):
            yield "impossible_test", {"study": name, "value": accuracy, "count": count}


def _check_answers(submission: Submission, exercise: Exercise) -> dict[str, bool | str | None]:
    """Returns for each answer whether it is right, None where it is missing.

    A text says why an answer cannot be checked.
    """
    checked: dict[str, bool | str | None] = {}
    for name, answer in exercise.answers.items():
        given = submission.answers.get(name)
        missing = given is None or (isinstance(given, str) and not given.strip())
        try:
            checked[name] = None if missing else answer.accepts(given, submission.studies)
        except Exception as error:  # studies that lack what the answer is computed from
            checked[name] = _said(error)
    return checked


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
