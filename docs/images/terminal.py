"""Draws docs/images/terminal.svg: the terminal's display halfway through the lab's real search.

python docs/images/terminal.py
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

import kerashpo as kt
from kerashpo.display.progress import Progress
from kerashpo.display.terminal import TerminalDisplay
from kerashpo.problems.registry import make_task

EPOCHS = 400
"""When the picture is taken, of the search's 673."""
THEME = TerminalTheme((22, 24, 29), (215, 218, 224), [(0, 0, 0)] * 8, None)
# Without fonts from elsewhere: a picture asks nobody for anything.
FORMAT = re.sub(
    r"@font-face \{\{.*?\}\}|<!--.*?-->", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL
).replace("Fira Code", "DejaVu Sans Mono")


class Camera:
    """Draws into a console of its own, and keeps the block of one moment.

    Args:
        tuner: whose search it is.
        title: what the search is called.
        folder: what is said to be its folder.
    """

    def __init__(self, tuner: kt.Hyperband, title: str, folder: str) -> None:
        self.screen = Console(record=True, width=100, force_terminal=True, highlight=False)
        progress = Progress(title, tuner.plan(), folder)
        self._display = TerminalDisplay(progress, Console(file=io.StringIO(), width=100))
        self.taken = False

    def on_event(self, event, snapshot) -> None:
        self._display.on_event(event, snapshot)
        seen = self._display.block()
        # At a moment in the middle of a long trial, whose curve says something.
        if not self.taken and snapshot.epochs >= EPOCHS and len(seen.renderables) > 3:
            running = [snapshot.trials[n] for n in snapshot.running]
            if any(10 < trial.epoch < trial.until for trial in running):
                self.screen.print(seen)
                self.taken = True

    def close(self) -> None:
        self._display.close()


def main() -> None:
    """Searches and writes the picture."""
    task = make_task("breast_cancer")
    split = task.load(0)
    with tempfile.TemporaryDirectory() as folder:
        tuner = kt.Hyperband(
            task.build, task.objective, max_epochs=50, seed=0, directory=folder, project_name="lab"
        )
        camera = Camera(tuner, "Hyperband(factor 3) + random", f"{folder}/lab")
        tuner.search(
            *split.train, validation_data=split.validation, batch_size=32, verbose=0,
            listeners=[camera],
        )  # fmt: skip
    path = Path(__file__).with_suffix(".svg")
    camera.screen.save_svg(str(path), title="kerashpo", theme=THEME, code_format=FORMAT)
    print(path)


if __name__ == "__main__":
    main()
