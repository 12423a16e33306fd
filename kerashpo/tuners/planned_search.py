"""The search of a tuner, assembled from its arguments, and its plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kerashpo.algorithms.automatic_choice import choice_notes
from kerashpo.algorithms.earlier_studies import EarlierStudy
from kerashpo.core.records import Config, Objective, Plan
from kerashpo.display.plan import ShownPlan
from kerashpo.display.select import search_title
from kerashpo.display.text import limit_notes
from kerashpo.executors.registry import workers_of
from kerashpo.experience.distance import Features
from kerashpo.experience.warm_start import read_warm_start
from kerashpo.tuners.assemble import Assembly, assemble
from kerashpo.tuners.context import nearest_sources
from kerashpo.tuners.describe import describe_model
from kerashpo.tuners.final_round import (
    FinalRoundRequest,
    can_be_cut,
    check_reshuffle,
    with_final_round,
)
from kerashpo.tuners.fit_request import Request
from kerashpo.tuners.goal import Goal
from kerashpo.tuners.inspect import ResultQueries
from kerashpo.tuners.search_plan import (
    plan_of_unknown_length,
    seconds_per_epoch,
    tuned_epochs,
)
from kerashpo.tuners.strategy import Strategy
from kerashpo.tuners.training_notes import notes_after, notes_before

_PACKAGES = ("keras", "tensorflow", "jax", "keras-tuner")


class PlannedSearch(ResultQueries):
    """The methods of a tuner that describe its search and its plan; they train nothing."""

    _strategy: Strategy
    _goal: Goal
    _queue: tuple[Config, ...]
    _epochs: int | None
    _final: FinalRoundRequest | None
    #: The final round if `search` is called without one; see `search(final_round=...)`.
    _usual_final: Any = None
    _context: Features | None = None
    _sources: tuple[EarlierStudy, ...] = ()
    #: Whether the folder outlives the search: else displays do not name it.
    _folder_kept = True
    #: The call that writes the report, for displays; empty where the user has no tuner.
    _report_call = "tuner.report()"

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives; with several ones the first gives the score."""
        return self._goal.objectives

    @property
    def algorithm(self) -> str:
        """The name of the algorithm that proposes configurations."""
        return self._strategy.algorithm

    def _warmed(self, strategy: Strategy) -> Strategy:
        """Returns a strategy whose algorithm is given the earlier studies of ``warm_start``."""
        given, folder = self._options.warm_start, self._options.folder
        self._sources = read_warm_start(given, self.space, self.objectives, folder)
        return strategy.warmed(self._sources)

    def _read_final(self, request: Request, own: bool) -> FinalRoundRequest | None:
        """Returns the final round that `search` is asked for, or the tuner's usual one."""
        asked = request.final_round
        if asked is None and can_be_cut(request.data, self._options, own):
            asked = self._usual_final
        if request.reshuffle:
            check_reshuffle(request.data, self._options, own)
        return FinalRoundRequest.read(asked, request.data, self._options, own)

    def plan(self) -> ShownPlan:
        """Returns the plan: brackets, trials and epochs, and the time once an epoch was trained.

        Its notes say if the default model cannot train in compiled epochs, and why; once trials
        were trained, how many of them did. It prints as a table: ``print(tuner.plan())``, or as the
        last line of a notebook cell.
        """
        plan, history, fast = self._plan(), self._history, self._options.fast
        if history is not None and history.trials:
            notes = notes_after(history)
        else:
            notes = notes_before(self._builder, self.space, fast)
        plan = replace(plan, notes=(*plan.notes, *notes))
        return ShownPlan.of(plan, seconds_per_epoch(history), self._options.lang)

    def _title(self) -> str:
        return search_title(f"{type(self).__name__}{self._strategy.schedule}", self.algorithm)

    def _plan(self) -> Plan:
        trials, length = self._most_trials, self._epochs or tuned_epochs(self._fit_hp)
        if not self._strategy.schedule.plans_epochs and length is None and trials < math.inf:
            return self._with_notes(plan_of_unknown_length(trials))
        plan = self._assemble(length, {}).parts.scheduler.plan()
        return self._with_notes(plan.of_runs(self._options.runs))

    def _with_notes(self, plan: Plan) -> Plan:
        """Returns the plan with the choice of `auto` and the limits among its notes."""
        more = (*self._choice_notes(), *limit_notes(self._goal.limits))
        return replace(plan, notes=(*plan.notes, *more))

    def _choice_notes(self) -> tuple[str, ...]:
        if self.algorithm != "auto":
            return ()
        if self._history is not None:
            return choice_notes(self._history.environment)
        return choice_notes(self._assemble(None, {}).spec.environment)

    def _assemble(self, epochs: int | None, asked: Mapping[str, Any]) -> Assembly:
        """Returns the assembled search of this tuner.

        Args:
            epochs: the most epochs of a trial, if the schedule plans none; None for one.
            asked: the arguments of `search` that a resume compares.
        """
        options = self._options
        partly = {} if self._builder.complete else {"discovery_calls": self._builder.calls}
        settings = {
            "tuner": type(self).__name__,
            **options.compared(self._builder.form),
            **self._goal.compared(),
            **describe_model(self._builder, options.replaced),
            **partly,
            **asked,
        }
        assembly = assemble(
            self.space,
            self.objectives,
            options.seed,
            self._strategy,
            options.bounds,
            epochs=epochs,
            most_trials=self._most_trials,
            workers=workers_of(*options.executor_arguments),
            enqueue=self._queue,
            sources=nearest_sources(self._sources, self._context),
            settings=settings,
            packages=_PACKAGES,
            project=self._builder.project if self._builder.dependent else None,
        )
        if self._final is None:
            return assembly
        default = self.space.complete({})
        planned = assembly.parts.scheduler.plan().epochs
        return replace(
            assembly,
            parts=with_final_round(assembly.parts, self._final, default, planned, self._blobs),
        )

    @property
    def _most_trials(self) -> float:
        """The most configurations that there can be."""
        bound = self._options.max_trials or math.inf
        # The user's training code may define more parameters.
        return bound if self._builder.form != "compiled" else min(self.space.size, bound)
