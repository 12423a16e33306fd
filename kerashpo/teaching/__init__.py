"""Exercises for courses: what a student hands in after a notebook, and how it is checked.

================  =======================================================================
``submission``    `write_submission`: journals of the studies, answers and parameters as
                  one JSON file, and reading it again
``exercises``     `Exercise`: the studies and answers of each notebook
``plausibility``  whether a study can have happened: times, epochs, scores, proposals
``copies``        the same search in hand-ins of different students
``review``        `check_submission`: all of it as sentences, in English or Spanish
``__main__``      the teacher's command
================  =======================================================================

A hand-in holds the whole log of each study, so that answers are checked against the student's
own search, and numbers that no search can have given are refused. For teachers::

    python -m kerashpo.teaching FILE... [--lang es] [--csv grades.csv]

An exercise of your own needs no change here: a function that returns an `Exercise`, named by
``--exercise my_file.py:my_exercise``. To add one to this package: a function in ``exercises.py``,
and a line in its ``EXERCISES``.
"""

from kerashpo.core.requirements import packages_required

with packages_required():
    from kerashpo.teaching.exercises import Essay, Exercise, Number
    from kerashpo.teaching.plausibility import Expected
    from kerashpo.teaching.review import Review, check_submission, check_submissions
    from kerashpo.teaching.submission import write_submission

__all__ = [
    "Essay",
    "Exercise",
    "Expected",
    "Number",
    "Review",
    "check_submission",
    "check_submissions",
    "write_submission",
]
