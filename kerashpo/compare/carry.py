"""Carries out one run, whoever searches in it."""

from __future__ import annotations

import sys

from kerashpo.compare.options import Options
from kerashpo.compare.quiet import import_quietly
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.tuners import PEERS, UNTRAINED
from kerashpo.compare.winner import run_search, run_untrained
from kerashpo.problems.registry import make_task


def carry_out(run: Run, options: Options) -> Result | None:
    """Runs one cell and keeps its row; returns None where the user interrupted."""
    task = make_task(run.problem)
    if run.tuner in UNTRAINED:
        found: Result | None = run_untrained(run, task)
    elif run.tuner in PEERS:
        from kerashpo.compare.peers.run import run_peer

        found = run_peer(run, task, options)
    else:
        found = run_search(run, task, options)
    if found is not None:
        run.keep(found)
    return found


def needs_keras(run: Run) -> bool:
    """Tells whether a run would have to load Keras first."""
    return run.tuner not in UNTRAINED and "keras" not in sys.modules


def load_keras() -> None:
    """Loads Keras and its backend without their greetings."""
    import_quietly("keras_tuner")
