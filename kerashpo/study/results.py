"""`Results`: the results of a search; the same for tuners, `optimize`, `simulate` and folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kerashpo.analysis.lineage import line_of
from kerashpo.analysis.tables import objective_columns, trial_rows
from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.events import Event
from kerashpo.core.history import History
from kerashpo.core.requirements import packages_required, require_dependency
from kerashpo.display.summary import number_of, results_line
from kerashpo.display.text import score_notes
from kerashpo.i18n.texts import Texts, language_of
from kerashpo.space.space import Space
from kerashpo.store.open import read_events
from kerashpo.study.best_trial import BestTrial, best_trial
from kerashpo.study.final_results import FinalResults
from kerashpo.study.result_models import Models, NoModels
from kerashpo.study.result_tables import ResultTables

if TYPE_CHECKING:
    from kerashpo.plots.accessor import Plots


_MOST = 10
"""Trials in the table of a notebook."""


@final
class Results(ResultTables):
    """The results of a finished or running search.

    Args:
        history: the study's history; the results follow it while it grows.
        space: the search space; None to read it from the history.
        models: builds the models of its trials, if possible.
        folder: the study's folder, None for one in memory.
        lang: language of figures, summaries and the report, ``"en"`` or ``"es"``; None for the
            environment variable ``KERASHPO_LANG``, else English.
        log: returns the events of a study in memory; a study in a folder has its journal.
    """

    def __init__(
        self,
        history: History,
        space: Space | None = None,
        models: Models | None = None,
        folder: str | None = None,
        lang: str | None = None,
        log: Callable[[], Iterable[Event]] | None = None,
    ) -> None:
        self.history = history
        self.folder = folder
        self.language = language_of(lang)
        self._space = space
        self._models = models or NoModels()
        self._log = log

    def events(self) -> list[Event]:
        """Returns the events of the study's log, in order.

        Raises:
            InvalidInput: if the results were created from a history without its log.
        """
        if self.folder is not None:
            return read_events(Path(self.folder))
        if self._log is None:
            raise InvalidInput(
                "These results were created from a history without its log. Use those of a tuner, "
                "optimize, simulate or open_study."
            )
        return list(self._log())

    @property
    def texts(self) -> Texts:
        """The sentences of the results' language."""
        return Texts(self.language)

    @property
    def space(self) -> Space:
        """The current space."""
        known = self.history.space
        if self._space is None or self._space.to_json() != known:
            return Space.from_json(known)
        return self._space

    @property
    def best(self) -> BestTrial:
        """The best trial: the best epoch of any trial that did not fail.

        With several objectives and no weights it is the knee of the Pareto front: the trial
        nearest to the best value of each, every objective scaled to the front's range. The
        whole front is `pareto`.

        Raises:
            NoResult: while no trial has a finite score.
        """
        return best_trial(self.history, self.space, self.texts)

    @property
    def seed(self) -> int:
        """The seed of the search; drawn if none was given."""
        return self.history.seed

    @property
    def seconds(self) -> float:
        """Wall time of the search, summed over its interruptions."""
        return self.history.now

    @property
    def epochs(self) -> int:
        """Epochs trained, over all trials."""
        return self.history.epochs

    @property
    def stopped(self) -> str | None:
        """Why the search ended, e.g. ``"space exhausted"``; None while it is running."""
        return self.history.stopped

    def __len__(self) -> int:
        return len(self.history.trials)

    def best_model(self) -> Any:
        """Returns the best trial's model with the stored weights of its best epoch.

        Raises:
            InvalidInput: if the weights were not kept, or the study was read from a folder
                without a tuner: only a tuner can build models.
        """
        return self._models.best()

    def ensemble(self, k: int = 10) -> Any:
        """Returns one compiled model that averages the predictions of the `k` best trials.

        Each trial contributes the stored weights of its best epoch (of every run, if it has
        several). Probabilities are averaged, not labels. It costs no epoch, usually generalises
        better than the single best model, and evaluates, predicts, saves and loads like any
        Keras model. If fewer trials have a score, all of them are used.

        Args:
            k: how many trials; their weights must have been kept, see `keep` of the tuner (the
                default keeps the weights of ten).

        Raises:
            NoResult: while no trial has a finite score.
            InvalidInput: if weights were not kept, or the study was read without a tuner.
        """
        return self._models.average(self.members(k))

    def members(self, k: int = 10) -> list[tuple[int, int]]:
        """Returns the (trial, run) of each model that `ensemble(k)` averages.

        Raises:
            NoResult: while no trial has a finite score.
        """
        require_integer("k", k, 1)
        _ = self.best  # raises NoResult with advice
        best = [n for n in self.history.ranking()[:k] if self.history.scored(n)]
        runs = {number: sorted(self.history.trials[number].run_bests) for number in best}
        return [(number, run) for number in best for run in runs[number]]

    @property
    def final(self) -> FinalResults:
        """The final round: ``.model``, ``.model_all``, ``.single``, ``.score`` and ``.table``.

        Raises:
            NoResult: if the search had none, see `search(final_round=...)` of a tuner.
        """
        return FinalResults(self.history, self._models, self.space.complete({}), self.texts)

    def refit_best(self, *args: Any, epochs: int | None = None, **fit: Any) -> Any:
        """Returns a new model of the best configuration, trained from scratch.

        On the search's own data this repeats the best trial; its purpose is training on all data.

        Args:
            *args: as for `model.fit`: x, y, ...
            epochs: for how many epochs; None for as many as the best epoch of the search.
            **fit: as for `model.fit`: batch_size, callbacks, verbose, ...

        Raises:
            InvalidInput: if the study was read from a folder without a tuner.
        """
        return self._models.refit(args, epochs, fit)

    def replay_schedule(self, trial: int | None = None) -> Any:
        """Returns a Keras callback that trains a new model with the schedule that was found.

        It sets the values on the model as epochs begin, without compiling it again::

            model = tuner.hypermodel.build(tuner.get_best_hyperparameters(1)[0])
            model.fit(x, y, epochs=50, callbacks=[tuner.results.replay_schedule()])

        `refit_best` does this automatically.

        Args:
            trial: a trial other than the best.

        Raises:
            NoResult: while no trial has a finite score.
            InvalidInput: if an argument of `fit` (the batch size) changes, or the study was read
                from a folder alone.
        """
        line = line_of(self.history, trial)
        return self._models.replay([(stage.first, stage.config) for stage in line])

    @packages_required()
    def report(
        self,
        path: str | Path = "report.html",
        lang: str | None = None,
        name: str | None = None,
    ) -> Path:
        """Writes the report of the search; returns its path.

        A single file: an HTML page with its figures and no external resources; or Markdown
        without figures, if the path ends in ``.md``.

        Args:
            path: where to write it.
            lang: ``"en"`` or ``"es"``; None for the results' own language.
            name: the title; None for the folder's name.

        Raises:
            InvalidInput: for an unknown language, or a path that cannot be written.
        """
        from kerashpo.reporting.study_report import write_report

        called = name or (Path(self.folder).name if self.folder else "kerashpo")
        language = self.language if lang is None else lang
        return write_report(Path(path), self.history, self.space, self.folder, called, language)

    @cached_property
    def plot(self) -> Plots:
        """The figures, e.g. ``results.plot.history()``; each returns matplotlib Axes.

        ``results.plot("es")`` returns them in another language.
        """
        from kerashpo.plots.accessor import Plots

        require_dependency("matplotlib")
        return Plots(self.history, lambda: self.space, self.texts.labels)

    def __repr__(self) -> str:
        return f"<Results: {results_line(self.history, self.texts)}>"

    def _repr_html_(self) -> str:
        return results_html(self.history, self.space, self.texts)


def results_html(history: History, space: Space, texts: Texts) -> str:
    """Returns a sentence and a table of the best trials as HTML without fixed colours.

    Args:
        history: the study.
        space: its space.
        texts: the reader's language.
    """
    import pandas as pd

    lines = [results_line(history, texts), *score_notes(history, texts)]
    ranked = history.ranking()[:_MOST]
    rows = {row["trial"]: row for row in trial_rows(history, space)}
    measured = objective_columns(history)
    before = ["trial", "status", *(() if history.several else ("score",))]
    after = ("best_epoch", "epochs", "seconds")
    keys = [*before, *measured.values(), *after, *(f"param_{name}" for name in space.names)]
    table = ""
    if ranked:
        cells = [[_cell(key, rows[number].get(key), texts) for key in keys] for number in ranked]
        own, rest = ([texts(f"column.{name}") for name in part] for part in (before, after))
        titles = [*own, *measured, *rest, *space.names]
        table = pd.DataFrame(cells, columns=titles).to_html(index=False, border=0)
    left = len(history.trials) - len(ranked)
    more = [texts("summary.more", shown=len(ranked), left=left)] if left else []
    above, below = ("".join(f"<p>{escape(line)}</p>" for line in part) for part in (lines, more))
    return f"{above}{table}{below}"


def _cell(key: str, value: Any, texts: Texts) -> str:
    if value is None:
        return ""
    if key == "status":
        return texts(f"status.{value.lower()}")
    return number_of(value, texts) if isinstance(value, float) else str(value)
