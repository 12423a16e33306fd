"""What a student hands in after a notebook, and what a teacher reads of it.

==============  ======================================================================
``writing``     `write_submission`: studies, answers and parameters as one JSON file
``reading``     that file as `Results` again, or what is missing in it
``evidence``    whether a study can have happened: times, epochs, scores, proposals
``exercises``   what each notebook asks for, and how its answers are found
``review``      `check_submission`: all of it as sentences, in English or Spanish
==============  ======================================================================

A hand-in holds every epoch of every trial, so that answers are checked against the
student's own search, and numbers that no search can have given are refused. For teachers::

    python -m kerashpo.teaching FILE... [--lang es] [--csv grades.csv]

To add an exercise: a function in ``exercises.py`` that returns an `Exercise`, and a line in
its ``EXERCISES``.
"""

from kerashpo.teaching.review import Review, check_submission
from kerashpo.teaching.submission import write_submission

__all__ = ["Review", "check_submission", "write_submission"]
