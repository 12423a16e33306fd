"""The ingredients that were measured one by one, as switches for who measures again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from kerashpo.algorithms.gp.features import SCALED_UP_TO
from kerashpo.algorithms.gp.kernel import Matern32, Radial
from kerashpo.algorithms.gp.subset import FIT_ROWS, KEPT_ROWS


@final
@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How the model is built and asked; ``experiments/suggestions`` has the ablations.

    Attributes:
        radial: how correlation falls with distance.
        bend: whether the scale of numbers is fitted.
        scaled_up_to: up to how many features the lengthscales that are expected grow.
        cut: whether the bad tail of the values is cut.
        centre: whether the first trial is the centre, or a Sobol point as the others.
        climb: whether the acquisition's gradient is followed.
        sweep: whether all discrete neighbours are tried.
        believe: whether pending trials count as if they had returned their mean.
        rows: on how many observations the process is conditioned at most.
        fit_rows: on how many of them its hyperparameters are fitted at most.
        partial_rows, partial_fit_rows: the same under a scheduler that stops trials early,
            which asks for many more suggestions.
        random_every: under a scheduler that stops trials early, each so manieth trial is
            random; 0 for none.
    """

    radial: Radial = field(default_factory=Matern32)
    bend: bool = True
    scaled_up_to: int = SCALED_UP_TO
    cut: bool = True
    centre: bool = True
    climb: bool = True
    sweep: bool = True
    believe: bool = True
    rows: int = KEPT_ROWS
    fit_rows: int = FIT_ROWS
    partial_rows: int = 128
    partial_fit_rows: int = 60
    random_every: int = 10
