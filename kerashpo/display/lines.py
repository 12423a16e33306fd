"""One plain line a finished trial: for files, pipes and everything that is no terminal."""

from __future__ import annotations

from typing import TextIO, final

from kerashpo.core.events import Ended, Event, Noted, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.display.progress import Progress
from kerashpo.display.text import GAP, clock, farewell, heading, note, number


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
                self._say(GAP.join(heading(self._progress.view(snapshot))))
                for told in self._progress.plan.notes:
                    self._say(f"note: {told}")
            case Ended(trial, status, _, _):
                self._say(self._trial(trial, status.value, snapshot))
            case Noted() if told := note(event):
                self._say(f"note: {told}")
            case SessionEnded():
                for line in farewell(self._progress.view(snapshot)):
                    self._say(line)

    def _trial(self, which: int, status: str, history: History) -> str:
        trial = history.trials[which]
        score = "none" if trial.score is None else number(trial.score)
        why = f"   {trial.failure.message}" if trial.failure else ""
        leader = history.best
        best = "none" if leader is None or leader.score is None else number(leader.score)
        left = self._progress.left(history)
        return (
            f"[{clock(history.now)}, left {'?' if left is None else clock(left)}] "
            f"trial {which} {status.lower()} after {trial.epochs} epochs: {score}"
            f"   best {best}{why}"
        )

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)
