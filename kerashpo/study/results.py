"""`Results`: the results of a search; the same for tuners, `optimize`, `simulate` and folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kerashpo.analysis.cv_results import cv_results
from kerashpo.analysis.lineage import (
    LINEAGE_COLUMNS,
    SCHEDULE_COLUMNS,
    line_of,
    lineage_rows,
    schedule_rows,
)
from kerashpo.analysis.pareto import hypervolume_trace, objective_named, tradeoff
from kerashpo.analysis.tables import (
    CURVE_COLUMNS,
    FAILURE_COLUMNS,
    TRIAL_COLUMNS,
    curve_rows,
    failure_rows,
    trial_rows,
)
from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.events import Event
from kerashpo.core.history import History
from kerashpo.core.records import Objective
from kerashpo.display.summary import results_line
from kerashpo.i18n.texts import Texts, language_of
from kerashpo.space.space import Space
from kerashpo.store.open import read_events
from kerashpo.study.best_trial import BestTrial, best_trial
from kerashpo.study.final_results import FinalResults
from kerashpo.study.result_models import Models, NoModels
from kerashpo.study.results_html import results_html

if TYPE_CHECKING:
    import pandas as pd

    from kerashpo.plots.accessor import Plots


@final
class Results:
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

    def trials(self) -> pd.DataFrame:
        """Returns a row for each trial: status, score, epochs, seconds, error, parameters.

        If trials have several runs, ``spread`` is the standard deviation of their scores; if the
        search has limits, ``feasible`` says whether a trial keeps them.
        """
        import pandas as pd

        columns = [*TRIAL_COLUMNS, *(f"param_{name}" for name in self.space.names)]
        frame = pd.DataFrame(trial_rows(self.history, self.space), columns=columns)
        frame = frame.astype(
            {"score": float, "spread": float, "seconds": float, "best_epoch": "Int64"}
        )
        several = any(
            trial.runs > 1 or len(trial.reports) > 1 for trial in self.history.trials.values()
        )
        unused = [] if several else ["spread"]
        return frame.drop(columns=unused if self.history.limits else [*unused, "feasible"])

    def curves(self) -> pd.DataFrame:
        """Returns a row for each metric of each epoch of each trial.

        Columns: trial, epoch, metric, value, seconds (the trial's own training time so
        far), elapsed (since the study's start), and run where a trial has several.
        """
        import pandas as pd

        rows = list(curve_rows(self.history))
        frame = pd.DataFrame(rows, columns=[*CURVE_COLUMNS, "run"])
        return frame if frame["run"].any() else frame.drop(columns="run")

    @property
    def cv_results_(self) -> dict[str, Any]:
        """The trials in the format of scikit-learn's searches, see `cv_results`.

        A dict of columns; ``iter`` and ``n_resources`` as in ``HalvingSearchCV``.
        """
        return cv_results(self.history, self.space)

    def pareto(self, *objectives: str | Objective) -> pd.DataFrame:
        """Returns the Pareto front: the trials that no other trial dominates.

        Columns: trial, one for each objective, and ``param_<name>``; sorted by the first objective.

        Args:
            *objectives: logged metrics, or ``"seconds"`` of training; none for the
                study's objectives (and the seconds, if there is only one).

        Raises:
            InvalidInput: for a metric that was not logged, or whose direction is unknown.
        """
        chosen = tuple(
            o if isinstance(o, Objective) else objective_named(self.history, o) for o in objectives
        )
        found = tradeoff(self.history, chosen or None)
        columns = {o.name: found.values[found.front, i] for i, o in enumerate(found.objectives)}
        frame = self.trials().set_index("trial").loc[found.trials[found.front]].reset_index()
        frame = frame[["trial", *(c for c in frame.columns if c.startswith("param_"))]]
        for place, (name, values) in enumerate(columns.items(), start=1):
            frame.insert(place, name, values)
        first = found.objectives[0]
        return frame.sort_values(first.name, ascending=first.direction == "min", ignore_index=True)

    def hypervolume(self, reference: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Returns the hypervolume of the study's objectives after each trial that has a score.

        Columns: trial, in the order of their ends, and hypervolume.

        Args:
            reference: for each objective a value worse than all that count; needed to compare
                searches. None takes the worst value of any trial.

        Raises:
            InvalidInput: for a single objective, or a reference that names other objectives.
        """
        import pandas as pd

        found = hypervolume_trace(self.history, reference)
        return pd.DataFrame({"trial": found.trials, "hypervolume": found.values})

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
        return FinalResults(self.history, self._models, self.space.complete({}))

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

    def lineage(self) -> pd.DataFrame:
        """Returns a row for each trial of population-based training, with its parent.

        Columns: trial, parent (NA for a trial that started from scratch), forked_at (the parent's
        epoch from which it was copied), last_epoch, status, score, best_epoch, and in_best: whether
        it is the best trial or an ancestor of it.
        """
        import pandas as pd

        frame = pd.DataFrame(lineage_rows(self.history), columns=[*LINEAGE_COLUMNS])
        return frame.astype({"parent": "Int64", "best_epoch": "Int64", "score": float})

    def schedule(self, trial: int | None = None) -> pd.DataFrame:
        """Returns the values of each epoch, from the first ancestor of the best trial to itself.

        Columns: epoch, trial (which of the ancestors trained it), parameter, value. It ends at the
        trial's best epoch.

        Args:
            trial: a trial other than the best.

        Raises:
            NoResult: while no trial has a finite score.
        """
        import pandas as pd

        rows = list(schedule_rows(self.history, self.space, trial))
        return pd.DataFrame(rows, columns=[*SCHEDULE_COLUMNS])

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

    def failures(self) -> pd.DataFrame:
        """Returns a row for each trial that failed.

        Columns: trial, kind (``"build"``, ``"fit"``, ``"nan"``, ``"memory"``, ``"killed"``,
        ``"timeout"`` or ``"refused"``, see `Failure`), message, epochs, retries, config, traceback,
        and output: the last lines that it printed.
        """
        import pandas as pd

        rows = failure_rows(self.history, self.space)
        return pd.DataFrame(rows, columns=[*FAILURE_COLUMNS])

    def to_csv(self, folder: str | Path) -> None:
        """Writes ``trials.csv``, ``curves.csv`` and ``failures.csv`` into a folder."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        self.trials().to_csv(target / "trials.csv", index=False)
        self.curves().to_csv(target / "curves.csv", index=False)
        self.failures().to_csv(target / "failures.csv", index=False)

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

        return Plots(self.history, lambda: self.space, self.texts.labels)

    def __repr__(self) -> str:
        return f"<Results: {results_line(self.history, self.texts)}>"

    def _repr_html_(self) -> str:
        return results_html(self.history, self.space, self.texts)
