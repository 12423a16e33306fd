"""The tuner for population-based training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Unpack

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Config
from kerashpo.schedulers.pbt import refuse_max_trials
from kerashpo.study.compatibility import header_of
from kerashpo.study.open import ReadLog
from kerashpo.training.mutable import mutable_names
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Schedule, Strategy
from kerashpo.tuners.tuner_options import TunerArguments, as_whole


class PBT(Tuner):
    """Population-based training (Jaderberg et al., 2017): values change while models train.

    A population is trained together. Every `interval` epochs the worst members are stopped and
    replaced by copies of the best ones, which continue with the weights and the optimizer state of
    the original (exploit) and with values near the original's (explore). The result is a schedule:
    the values of the winner and its ancestors by epoch, `results.schedule()`. A copy is a
    separate trial, whose epochs follow those of its parent.

    With 8 members and 100 epochs it always trains 800 epochs.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        population: how many members are trained.
        interval: epochs between two comparisons.
        max_epochs: epochs of each member, including its ancestors'.
        mutate: names of the parameters that may change during training; the others are searched
            only at the start. None for all numbers and ordered choices that do not change shapes of
            the model or its optimizer, which is found by building a few models.
        quantile: the fraction of the population that is replaced at each comparison, at most 0.5.
        resample: the probability with which a value is resampled instead of perturbed; with
            ``"bayesian"`` only a choice without an order is.
        explore: how a copy gets its values: ``"perturb"`` takes a random step; ``"bayesian"`` is
            PB2 (Parker-Holder et al., 2020): a Gaussian process over values and epochs chooses
            among several steps.
        together: whether members of one shape are trained as one program, on JAX: ``"auto"`` where
            that pays, which the display says; True requires it, False never does.
        seed: see `Tuner`.
        algorithm: what proposes the values of the first members, by its name: ``"random"``,
            ``"sobol"``, ``"grid"``, ``"bayesian"`` or any other of `docs/algorithms.md`.
        algorithm_options: further arguments of the algorithm.
        **options: see `Tuner`.

    Raises:
        InvalidInput: e.g. for a parameter in `mutate` that changes shapes.
    """

    def __init__(  # type: ignore[misc]  # population is the number of members here
        self,
        hypermodel: Any = None,
        objective: Any = None,
        population: int = 8,
        interval: int = 5,
        max_epochs: int = 100,
        mutate: Sequence[str] | None = None,
        *,
        quantile: float = 0.25,
        resample: float = 0.25,
        explore: str = "perturb",
        together: bool | Literal["auto"] = "auto",
        seed: int | None = None,
        algorithm: str = "random",
        algorithm_options: Mapping[str, Any] | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        if together not in (True, False, "auto"):
            raise InvalidInput(f'together must be "auto", True or False. Received: {together!r}.')
        refuse_max_trials(options.get("max_trials"))
        self._asked = mutate
        members = as_whole(population)
        as_one: dict[Any, Any] = {True: None if members == 1 else members, False: None}
        shape = {
            "population": members,
            "interval": as_whole(interval),
            "quantile": quantile,
            "resample": resample,
            "explore": explore,
        }
        super().__init__(
            Strategy(
                algorithm, algorithm_options or {}, Schedule("pbt", shape, as_whole(max_epochs))
            ),
            hypermodel,
            objective=objective,
            seed=seed,
            population=as_one.get(together, "auto"),
            **options,
        )

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Runs the search, see `Tuner.search`; a final round is not possible.

        Raises:
            InvalidInput: for `final_round`: folds would train with the winner's last values.
        """
        if kwargs.get("final_round") not in (None, False):
            raise InvalidInput(
                "PBT has no final round: its winner's values changed during training, and folds "
                "would train with the last ones throughout. Leave out final_round;"
                " results.replay_schedule() trains a fresh model as the winner was."
            )
        super().search(*args, **kwargs)

    def _fit_strategy(self, strategy: Strategy, log: ReadLog | None) -> Strategy:
        """Returns the strategy with the names of the parameters that may change."""
        if self._builder.form == "anything":
            raise InvalidInput(
                "PBT continues one model's training in another, so it cannot be used with a "
                "run_trial of your own. Override HyperModel.build, or fit, instead."
            )
        if self._obstacle is not None and log is not None:
            names = header_of(log.events).settings.get("mutate")
        else:
            names = mutable_names(self._build_for, self.space, self._asked)
        schedule = strategy.schedule
        return replace(
            strategy, schedule=replace(schedule, options={**schedule.options, "mutate": names})
        )

    def _build_for(self, config: Config) -> Any:
        return self._builder.make(config, self.space, self._options.seed or 0, 0)[0]
