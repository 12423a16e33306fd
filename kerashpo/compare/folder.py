"""The folder of a comparison: what it knows already, and whether it can be written to."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from kerashpo.compare.options import Options
from kerashpo.compare.provenance import Provenance, Session, merged
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.stored import Key, stored_results
from kerashpo.core.errors import InvalidInput
from kerashpo.problems.task import Task


class Folder:
    """Where a comparison's runs, CSV files, figures and report are.

    Args:
        options: the comparison.
        runs: its cells.
        tasks: its problems by name.
    """

    def __init__(self, options: Options, runs: Sequence[Run], tasks: Mapping[str, Task]) -> None:
        self._options, self._runs, self._tasks = options, runs, tasks
        self.path = Path(options.out)

    def prepare(self) -> None:
        """Makes the folder, and forgets old runs if asked to, before anything is trained.

        Raises:
            InvalidInput: if it cannot be written to.
        """
        try:
            for run in self._runs:
                if self._options.fresh and run.folder.exists():
                    shutil.rmtree(run.folder)
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InvalidInput(
                f"Cannot write to {self._options.out!r}: {error.strerror}. Choose another folder "
                "with --out."
            ) from error

    def known(self) -> dict[Key, Result]:
        """Returns the results that need no run: those kept below ``runs``, or in CSV files."""
        found = {}
        if not self._options.fresh:
            budgets = Provenance.read(self.path).budgets
            found = stored_results(self.path, self._runs, budgets, self._tasks)
        return found | {run.key: result for run in self._runs if (result := run.result)}

    def keep_session(self, session: Session | None) -> None:
        """Writes down what ran, also where the user interrupted and no CSV file changed."""
        before = Provenance() if self._options.fresh else Provenance.read(self.path)
        merged(before, before.budgets, session).write(self.path)

    def keep_budgets(self) -> Provenance:
        """Writes down what the CSV files hold from now on; returns the whole provenance."""
        budgets = {run.tuner: run.budget for run in self._runs}
        provenance = merged(Provenance.read(self.path), budgets, None)
        provenance.write(self.path)
        return provenance
