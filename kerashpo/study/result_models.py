"""`Models`: the interface that builds the models behind a study's results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Config


class Models(ABC):
    """Builds the models behind a study's results."""

    @abstractmethod
    def best(self) -> Any:
        """Returns the best trial's model with the stored weights of its best epoch."""

    @abstractmethod
    def refit(self, args: tuple[Any, ...], epochs: int | None, fit: dict[str, Any]) -> Any:
        """Returns a model of the best configuration, trained from scratch.

        Args:
            args: positional arguments of `model.fit`.
            epochs: for how many epochs; None for as many as the best epoch.
            fit: keyword arguments of `model.fit`.
        """

    @abstractmethod
    def average(
        self, members: Sequence[tuple[int, int]], weights: Sequence[float] | None = None
    ) -> Any:
        """Returns one model that averages stored best models.

        Args:
            members: the (trial, run) pairs.
            weights: their weights, which sum to 1; None for equal weights.
        """

    @abstractmethod
    def replay(self, stages: Sequence[tuple[int, Config]]) -> Any:
        """Returns a callback that trains a model on a schedule.

        Args:
            stages: the first epoch of each stage, rising from 1, and its values.
        """

    @abstractmethod
    def single(self, trial: int, epochs: int) -> Any:
        """Returns one model of a trial's configuration, trained on all rows of the search."""


@final
class NoModels(Models):
    """The models of results read from a folder, or of a function: there are none."""

    def best(self) -> Any:
        raise self._error("best_model()")

    def refit(self, args: tuple[Any, ...], epochs: int | None, fit: dict[str, Any]) -> Any:
        raise self._error("refit_best(...)")

    def average(
        self, members: Sequence[tuple[int, int]], weights: Sequence[float] | None = None
    ) -> Any:
        count = len({trial for trial, _ in members})
        raise self._error("final.model" if count == 1 else f"ensemble({count})")

    def replay(self, stages: Sequence[tuple[int, Config]]) -> Any:
        raise self._error("replay_schedule()")

    def single(self, trial: int, epochs: int) -> Any:
        raise self._error("final.single")

    def _error(self, call: str) -> InvalidInput:
        return InvalidInput(
            f"{call} needs the function that builds the model, which a study does not store. Make "
            "the tuner again with the same arguments (build_model, objective, directory, "
            f"project_name) and call tuner.results.{call}: nothing is trained again for that. "
            "For the values alone: results.best.config."
        )
