"""One plain line a finished trial: for files, pipes and everything that is no terminal."""

from __future__ import annotations

from typing import TextIO, final

from kerashpo.core.events import Ended, Event, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.display.listener import Listener
from kerashpo.display.progress import Progress, clock


@final
class LineDisplay(Listener):
    """Writes lines.

    Args:
        progress: what is shown.
        out: where to.
    """

    def __init__(self, progress: Progress, out: TextIO) -> None:
        self._progress, self._out = progress, out

    def on_event(self, event: Event, snapshot: History) -> None:
        self._progress.update(event, snapshot)
        match event:
            case SessionStarted():
                self._say(self._progress.heading(snapshot))
                for note in self._progress.plan.notes:
                    self._say(f"note: {note}")
            case Ended(_, trial, status, _, _):
                self._say(self._trial(trial, status.value, snapshot))
            case SessionEnded():
                for line in self._progress.farewell(snapshot):
                    self._say(line)

    def _trial(self, number: int, status: str, history: History) -> str:
        trial = history.trials[number]
        score = "none" if trial.score is None else f"{trial.score:.4f}"
        why = f"   {trial.failure.message}" if trial.failure else ""
        best = "none" if history.best is None else f"{history.best.score:.4f}"
        left = self._progress.left(history)
        return (
            f"[{clock(history.now)}, left {'?' if left is None else clock(left)}] "
            f"trial {number} {status.lower()} after {trial.epochs} epochs: {score}"
            f"   best {best}{why}"
        )

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)
