"""A tuner's results, with KerasTuner's methods: best models and values, summaries, reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.history import History
from kerashpo.display.summary import results_text, space_text
from kerashpo.i18n.texts import Texts
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key
from kerashpo.store.checkpoints import pack_list, read_variables
from kerashpo.store.open import open_blobs
from kerashpo.study.result_models import Models
from kerashpo.study.results import Results
from kerashpo.training.data import FitData
from kerashpo.training.hypermodel import ModelBuilder, load_model
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.tuners.best_model import StoredModels
from kerashpo.tuners.oracle_view import OracleView
from kerashpo.tuners.tuner_options import TunerOptions


class ResultQueries:
    """The methods of a tuner that read its results.

    Attributes:
        space: the space that `build_model` declares.
        oracle: the trials in KerasTuner's format.
    """

    space: Space
    oracle: OracleView
    _options: TunerOptions
    _builder: ModelBuilder
    _fit_hp: Space
    _searched: FitData | None
    _singles: dict[tuple[int, int], keras.Model]

    @property
    def _history(self) -> History | None:
        """The study's history, None before `search`."""
        raise NotImplementedError

    @property
    def project_dir(self) -> str:
        """The study's folder."""
        return str(self._options.folder)

    def get_trial_dir(self, trial_id: str | int) -> str:
        """Creates and returns a folder for a trial's files, for use by the user's own code."""
        folder = self._options.folder / f"trial_{int(trial_id)}"
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    @property
    def results(self) -> Results:
        """The results so far, see `kerashpo.study.results.Results`."""
        if self._history is None:
            raise InvalidInput("No search was run yet: call search(x, y, ...) first.")
        return Results(
            self._history,
            self.space,
            self._models(self._history),
            self.project_dir,
            self._options.lang,
        )

    def _models(self, history: History) -> Models:
        return self._stored_models(history)

    def _stored_models(self, history: History) -> StoredModels:
        return StoredModels(
            self._builder,
            self.space,
            history,
            self._blobs,
            self._fit_hp,
            self._searched,
            self._singles,
        )

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Returns the parameters of the best trials, the best first."""
        return [self.oracle.get_trial(n).hyperparameters for n in self._ranked(num_trials)]

    def get_best_models(self, num_models: int = 1) -> list[keras.Model]:
        """Returns the best trials' models with the weights of their best epochs.

        Raises:
            InvalidInput: if the weights of one of these trials were not kept.
        """
        return [self.load_model(self.oracle.get_trial(n)) for n in self._ranked(num_models)]

    def load_model(self, trial: Any) -> Any:
        """Returns a trial's model with the weights of its best epoch.

        Args:
            trial: one of ``oracle.trials``, its id, or its number.

        Raises:
            InvalidInput: if its weights were not kept.
        """
        results = self.results
        record = results.history.trials[int(getattr(trial, "trial_id", trial))]
        return load_model(self._builder, results.space, results.seed, record, self._blobs)

    def save_model(self, trial_id: str, model: keras.Model, step: int = 0) -> None:
        """Stores the weights that `load_model` loads; for an overridden `run_trial`."""
        data = pack_list(read_variables(model.weights), epoch=step)
        self._blobs.put(best_key(int(trial_id)), data)

    @property
    def remaining_trials(self) -> int | None:
        """How many trials may still start, None without a bound."""
        return self.oracle.remaining_trials()

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints the best trials."""
        results, ranked = self.results, self._ranked(num_trials)
        history, space = results.history, results.space
        print(results_text(history, space, ranked, self.project_dir, results.texts))

    def report(self, path: str | Path | None = None, lang: str | None = None) -> Path:
        """Writes the report of the search; returns its path.

        Args:
            path: an HTML file (or Markdown, by its ending); None for ``report.html`` in the
                study's folder.
            lang: ``"en"`` or ``"es"``; None for the tuner's own.
        """
        return self.results.report(path or Path(self.project_dir) / "report.html", lang)

    def search_space_summary(self, extended: bool = False) -> None:
        """Prints the search space; `extended` has no effect, as in KerasTuner."""
        print(space_text(self.space, Texts.of(self._options.lang)))

    def _ranked(self, count: int) -> list[int]:
        require_integer("the number of trials", count, 1)
        history = self.results.history
        return [number for number in history.ranking() if history.scored(number)][:count]

    @property
    def _blobs(self) -> Blobs:
        return open_blobs(self._options.folder)
