"""Settings of the surrogate model: its measured ingredients as switches, for ablations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from kerashpo.algorithms.gp.features import SCALED_UP_TO
from kerashpo.algorithms.gp.kernel import Matern32, Radial
from kerashpo.algorithms.gp.subset import FIT_ROWS, KEPT_ROWS


@final
@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How the surrogate is built and maximised; ``experiments/suggestions`` has the ablations.

    Attributes:
        radial: how correlation falls with distance.
        bend: whether the warping of numbers is fitted.
        scaled_up_to: up to how many features the prior lengthscale grows with their number.
        cut: whether outliers among the bad values are clipped.
        centre: whether the first trial is the centre instead of a Sobol point.
        climb: whether the acquisition's gradient is followed.
        sweep: whether all discrete neighbours are tried.
        believe: whether pending trials count as if they had returned their mean.
        draw: whether the outcomes of pending trials are drawn for "logei", where trials are trained
            fully; else they count as their mean.
        rows: the most observations that the process is conditioned on.
        fit_rows: the most observations that its hyperparameters are fitted on.
        partial_rows, partial_fit_rows: the same under a scheduler that stops trials early,
            which asks for many more suggestions.
        random_every: under a scheduler that stops trials early, every `random_every`-th trial
            is random; 0 for none.
    """

    radial: Radial = field(default_factory=Matern32)
    bend: bool = True
    scaled_up_to: int = SCALED_UP_TO
    cut: bool = True
    centre: bool = True
    climb: bool = True
    sweep: bool = True
    believe: bool = True
    draw: bool = True
    rows: int = KEPT_ROWS
    fit_rows: int = FIT_ROWS
    partial_rows: int = 128
    partial_fit_rows: int = 60
    random_every: int = 10
