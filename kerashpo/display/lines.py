"""`LineDisplay`: one plain line a finished trial, for files, pipes and plain terminals.

`PartialNotice` is the only output of a silent search.
"""

from __future__ import annotations

from typing import TextIO, final

from kerashpo.core.events import Ended, Event, FleetChanged, Noted, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.trial import Trial
from kerashpo.display.progress import Progress
from kerashpo.display.snapshot import BestSoFar, compared_values
from kerashpo.display.text import (
    GAP,
    clock,
    ending,
    farewell,
    heading,
    note,
    number,
    single_epochs,
    values_text,
)


@final
class PartialNotice(Listener):
    """Reports that the results are partial if the user interrupts a silent search.

    After one Ctrl-C `search` returns, and a script continues with the results so far.

    Args:
        progress: the numbers to show.
        out: the output stream, usually the standard error.
    """

    def __init__(self, progress: Progress, out: TextIO) -> None:
        self._progress, self._out = progress, out

    def on_event(self, event: Event, snapshot: History) -> None:
        if isinstance(event, SessionEnded) and event.reason == "interrupted":
            line = ending(self._progress.view(snapshot), self._progress.texts)
            print(f"kerashpo: {line}", file=self._out, flush=True)


@final
class LineDisplay(Listener):
    """Writes a line for each trial that ended, and the summary.

    Args:
        progress: the numbers to show.
        out: the output stream.
    """

    def __init__(self, progress: Progress, out: TextIO) -> None:
        self._progress, self._out = progress, out
        self._texts = progress.texts

    def on_event(self, event: Event, snapshot: History) -> None:
        self._progress.update(event, snapshot)
        match event:
            case SessionStarted():
                self._write(GAP.join(heading(self._progress.view(snapshot), self._texts)))
                for text in self._progress.notes:
                    self._write(self._texts("display.note", note=text))
            case Ended(trial, status, _, _):
                self._write(self._trial(trial, status.value.lower(), snapshot))
            case Noted() if text := note(event, self._texts):
                self._write(self._texts("display.note", note=text))
            case FleetChanged() if self._progress.fleet_note:
                self._write(self._texts("display.note", note=self._progress.fleet_note))
            case SessionEnded():
                for line in farewell(self._progress.view(snapshot), self._texts):
                    self._write(line)

    def _trial(self, which: int, status: str, history: History) -> str:
        texts, trial = self._texts, history.trials[which]
        view = self._progress.view(history)
        left = "?" if view.left is None else clock(view.left)
        length = "" if single_epochs(view) else texts.plural("display.after", trial.epochs)
        parts = [
            texts(
                "display.line",
                time=clock(history.now),
                left=left,
                trial=which,
                status=texts(f"status.{status}"),
                after=length,
                score=self._score(trial, history),
            ),
            self._best(view.best),
        ]
        if trial.failure is not None:
            parts.append(trial.failure.message)
        return GAP.join(parts)

    def _score(self, trial: Trial, history: History) -> str:
        values = compared_values(trial, history) if history.several else {}
        return values_text(values, self._texts) if values else self._number(trial.score)

    def _best(self, best: BestSoFar | None) -> str:
        if best is not None and best.front is not None:
            return self._texts.plural("display.front", best.front)
        score = None if best is None else best.score
        return self._texts("display.line_best", score=self._number(score))

    def _number(self, value: float | None) -> str:
        return self._texts("display.none") if value is None else number(value, self._texts)

    def _write(self, line: str) -> None:
        print(line, file=self._out, flush=True)
