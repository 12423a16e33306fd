"""`results.final`: the finalists of a final round, their fold scores and averaged models."""

from __future__ import annotations

import statistics
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from kerashpo.analysis.finalist_rows import finalist_rows
from kerashpo.analysis.fold_scores import (
    FoldScore,
    bests_of,
    expectation,
    finalist_weights,
    finalists,
    ranked,
    runs_of,
)
from kerashpo.core.errors import NoResult
from kerashpo.core.history import History
from kerashpo.core.records import Config
from kerashpo.i18n.numbers import shown
from kerashpo.i18n.texts import Texts
from kerashpo.study.result_models import Models

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("trial", "role", "score", "low", "high", "loss", "epochs", "folds", "weight", "error")
_HEADS = {"epochs": "best_epoch"}


@final
class FinalResults:
    """The finalists of a search, compared on all folds.

    The winner has the lowest mean loss over its folds (the best mean score if no loss is
    logged). Finalists whose folds did not all end with a finite score cannot win.

    Args:
        history: the study's history.
        models: builds the models.
        default: the untuned configuration.
        texts: the sentences of the reader's language; None for that of ``KERASHPO_LANG``.

    Raises:
        NoResult: if the search had no final round, or no finalist has all its folds.
    """

    def __init__(
        self, history: History, models: Models, default: Config, texts: Texts | None = None
    ) -> None:
        self._texts = texts or Texts.of(None)
        self._history, self._models, self._default = history, models, default
        self._finalists = finalists(history)
        if not self._finalists:
            raise NoResult(
                "This search has had no final round: call search(..., final_round=5). It trains "
                "the best trials and the default configuration on five folds."
            )

    @property
    def winner(self) -> int:
        """The trial with the lowest mean loss over all folds."""
        whole = ranked(self._history)
        if not whole:
            raise NoResult(
                "No finalist has a finite score on every fold yet. results.final.table shows how "
                "far each is, and why it failed."
            )
        return whole[0].number

    @property
    def score(self) -> FoldScore:
        """The expected score of `model` on new data: the winner's mean over its folds, corrected
        for the choice of the winner, see `kerashpo.analysis.fold_scores.averaged_score`."""
        return expectation(self._history, self._history.trials[self.winner])

    @cached_property
    def model(self) -> Any:
        """The winner's fold models averaged: one compiled model."""
        return self._models.average(self.members)

    @cached_property
    def model_all(self) -> Any:
        """All finalists' fold models averaged, weighted by ensemble selection.

        The weights have the lowest loss of the averaged predictions on the folds' validation rows,
        each row predicted by models that were not trained on it (Caruana et al., "Ensemble
        selection from libraries of models", ICML 2004). `table` has them; finalists of weight 0
        are left out.
        """
        shares = finalist_weights(self._history)
        members = self.members_all
        each = [shares[trial] / len(self._members(trial)) for trial, _ in members]
        return self._models.average(members, each)

    @property
    def members(self) -> list[tuple[int, int]]:
        """Trial and run of each model that `model` averages."""
        return self._members(self.winner)

    @property
    def members_all(self) -> list[tuple[int, int]]:
        """Trial and run of each model that `model_all` averages, the winner's first."""
        _ = self.winner
        shares = finalist_weights(self._history)
        return [pair for trial, share in shares.items() if share for pair in self._members(trial)]

    @cached_property
    def single(self) -> Any:
        """One model of the winner's configuration, trained on training and validation rows.

        It is trained when this is first read, for the mean of its folds' best epochs: one
        further training, with the data of the last `search` in this process.
        """
        return self._models.single(self.winner, self.epochs)

    @property
    def epochs(self) -> int:
        """The mean of the best epochs of the winner's folds, rounded."""
        bests = bests_of(self._history.trials[self.winner])
        return max(1, round(statistics.fmean(best.epoch for best in bests)))

    @property
    def table(self) -> pd.DataFrame:
        """A row for each finalist, the winner first.

        Columns: trial, role (``"tuned"`` or ``"default"``), score (mean over folds), low, high
        (95 % interval), loss (mean over folds), epochs (mean best epoch), folds (those with a
        finite score), weight (in `model_all`), error.
        """
        import pandas as pd

        rows = [
            {
                "trial": row.trial,
                "role": "tuned" if row.tuned else "default",
                "score": row.score.value,
                "low": row.score.low,
                "high": row.score.high,
                "loss": row.loss,
                "epochs": row.epochs,
                "folds": row.folds,
                "weight": row.weight,
                "error": row.failure,
            }
            for row in finalist_rows(self._history, self._default)
        ]
        return pd.DataFrame(rows, columns=[*COLUMNS])

    def __repr__(self) -> str:
        name, texts = self._history.objective.name, self._texts
        try:
            score = self.score.text(texts)
            said = texts("expected.winner", trial=self.winner, metric=name, score=score)
        except NoResult:
            said = texts("expected.none_whole", count=len(self._finalists))
        return f"<FinalResults: {said}>"

    def _repr_html_(self) -> str:
        texts = self._texts
        roles = {"tuned": texts("study.tuned"), "default": texts("study.untuned")}
        table = self.table.dropna(axis=1, how="all").replace({"role": roles})
        heads = {name: texts(f"column.{_HEADS.get(name, name)}") for name in map(str, table)}
        html: str = table.rename(columns=heads).to_html(
            index=False, na_rep="", float_format=lambda value: shown(value, texts)
        )
        return html

    def _members(self, number: int) -> list[tuple[int, int]]:
        return [(number, run) for run in runs_of(self._history.trials[number])]
