"""The final round, `search(final_round=...)`: its share of the budget, its folds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from sklearn.model_selection import check_cv

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.records import Config
from kerashpo.schedulers.final_round import FinalRound, affordable
from kerashpo.schedulers.full_training import Full
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key
from kerashpo.study.run_study import SearchParts
from kerashpo.training.data import FitData
from kerashpo.training.resampling import check_rows
from kerashpo.tuners.tuner_options import TunerOptions


@final
@dataclass(frozen=True, slots=True)
class FinalRoundRequest:
    """A requested final round.

    Attributes:
        folds: how the training rows are split: a number of folds or a splitter.
        count: how many folds there are, the user's validation part included.
    """

    folds: Any
    count: int

    @classmethod
    def read(
        cls, given: Any, data: FitData, options: TunerOptions, own: bool
    ) -> FinalRoundRequest | None:
        """Returns the request of `search(final_round=given)`, None for no final round.

        Raises:
            InvalidInput: if these data or this tuner do not allow one.
        """
        if given is None or given is False:
            return None
        if own:
            raise InvalidInput(
                "final_round cuts the data into folds, which only data that search gives to "
                "model.fit allow; this tuner trains by code of your own (run_trial or "
                "HyperModel.fit). tuner.results.ensemble(10) averages the best trials."
            )
        if options.several:
            raise InvalidInput(
                "final_round chooses one winner by its folds, and several objectives have a "
                "Pareto front: pass weights=, or leave final_round out and choose among "
                "tuner.results.pareto()."
            )
        if options.runs > 1:
            raise InvalidInput(
                "cv and executions_per_trial train every trial several times, and final_round "
                "only the finalists: leave out one of them. With cv, tuner.results.ensemble(1) "
                "averages the fold models of the best trial."
            )
        check_rows(data, "final_round")
        if isinstance(given, (bool, int, np.integer, float, str)):
            count = require_integer("final_round", given, 2)
            return cls(count, count)
        splitter = check_cv(given) if isinstance(given, (list, tuple)) and given else given
        if not (hasattr(splitter, "split") and hasattr(splitter, "get_n_splits")):
            raise InvalidInput(
                "final_round must be a number of folds (such as 5), a splitter of scikit-learn or "
                f"a list of its (train, test) indices. Received: {given!r}."
            )
        return cls(splitter, _count(splitter, data) + 1)


def _count(splitter: Any, data: FitData) -> int:
    """Returns how many splits of the training rows a splitter yields.

    Raises:
        InvalidInput: if it cannot split them.
    """
    rows = np.zeros((data.samples, 1))
    targets = data.y if isinstance(data.y, np.ndarray) else None
    try:
        pairs = list(splitter.split(rows, targets))
        inside = all(max(map(np.max, pair)) < data.samples for pair in pairs)
    except (TypeError, ValueError, IndexError) as error:
        raise InvalidInput(
            f"final_round={splitter!r} cannot split the {data.samples} training rows: {error} If "
            "it needs more than x and y, pass its indices: "
            "final_round=list(splitter.split(x, y, groups))."
        ) from error
    if not pairs or not inside:
        raise InvalidInput(
            f"final_round must split the {data.samples} training rows, without those of "
            f"validation_data, at least once. Received: {len(pairs)} splits"
            f"{'' if inside else ' with higher indices'}."
        )
    return len(pairs)


def can_be_cut(data: FitData, options: TunerOptions, own: bool) -> bool:
    """Whether these data and this tuner allow a final round."""
    simple = options.runs == 1 and not options.several
    return not own and simple and data.is_arrays and data.validation is not None


def check_reshuffle(data: FitData, options: TunerOptions, own: bool) -> None:
    """Raises InvalidInput if `search(reshuffle=True)` is not possible."""
    if own:
        raise InvalidInput(
            "reshuffle moves rows between training and validation, which only data that search "
            "gives to model.fit allow; this tuner trains by code of your own."
        )
    if options.runs > 1:
        raise InvalidInput(
            "cv and executions_per_trial have their own splits: leave out either reshuffle or them."
        )
    check_rows(data, "reshuffle")


def with_final_round(
    parts: SearchParts,
    asked: FinalRoundRequest,
    default: Config,
    planned: int | None,
    blobs: Blobs,
) -> SearchParts:
    """Returns the parts of a search that shares its budget with a final round.

    The final round gets about half of the budget: of `max_epochs_total` if it is given, else
    of `max_trials` trainings or of the epochs that the schedule plans. A search keeps at least
    two trainings; if no budget in epochs forbids it, the final round then exceeds its share.

    Args:
        parts: the parts of the search without the final round.
        asked: the final round.
        default: the untuned configuration, which is tried first.
        planned: epochs that the search alone would train, None where that is not known.
        blobs: the storage of the trials' weights.

    Raises:
        InvalidInput: if `max_epochs_total` is too small for both.
    """
    scheduler, budget = parts.scheduler, parts.limits.budget
    longest = scheduler.max_epochs
    whole = _budget(parts, planned)
    finalists = affordable(whole / longest, asked.count)
    reserved = (finalists + 1) * (asked.count - 1) * longest
    share = whole - reserved
    if not isinstance(scheduler, Full) and share >= 3 * longest:
        # Rungs may stop the default configuration early: it is then trained to the end on the
        # search's own fold, too.
        share -= longest
    if share < 2 * longest:
        if budget.max_epochs_total is not None:
            raise InvalidInput(
                f"final_round={asked.folds} needs {reserved} epochs for one finalist and the "
                f"default configuration, which leaves {max(0, int(share))} of "
                f"max_epochs_total={budget.max_epochs_total} for the search, less than two "
                f"trainings of {longest}. Raise max_epochs_total or pass fewer folds."
            )
        share = min(2 * longest, whole)

    def has_weights(trial: int) -> bool:
        return blobs.get(best_key(trial)) is not None

    round_ = FinalRound(
        scheduler, asked.count, default, finalists, share=share, has_weights=has_weights
    )
    queue = (default, *parts.options.get("enqueue", ()))
    options: Mapping[str, Any] = {**parts.options, "enqueue": queue}
    return replace(parts, scheduler=round_, options=options)


def _budget(parts: SearchParts, planned: int | None) -> float:
    """Returns the epochs that search and final round may train together, inf where unbounded."""
    budget, longest = parts.limits.budget, parts.scheduler.max_epochs
    if budget.max_epochs_total is not None:
        return budget.max_epochs_total
    full = isinstance(parts.scheduler, Full)
    if full and budget.max_trials is not None:
        return budget.max_trials * longest
    return math.inf if planned is None else planned
