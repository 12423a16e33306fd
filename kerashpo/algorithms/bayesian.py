"""Bayesian optimisation with a Gaussian process (see `kerashpo.algorithms.gp`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np
from threadpoolctl import ThreadpoolController

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.dedup import draw_new
from kerashpo.algorithms.earlier_studies import EarlierStudy, Pairs, read_sources
from kerashpo.algorithms.evaluations import defaults
from kerashpo.algorithms.explain import Explanation, FrontExplanation, explain
from kerashpo.algorithms.feasibility import before_limits, with_limits
from kerashpo.algorithms.gp.acquisition import ACQUISITIONS, make_acquisition
from kerashpo.algorithms.gp.batch import BatchPromise
from kerashpo.algorithms.gp.fit import FLOOR
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.algorithms.gp.optimise_acquisition import Maximiser
from kerashpo.algorithms.gp.promise import Ensemble, EnsemblePromise, OnePromise, Promise
from kerashpo.algorithms.observations import Observations, SeenTrials
from kerashpo.algorithms.pareto_model import ParetoModel, distinct
from kerashpo.algorithms.sobol import sobol_rows
from kerashpo.algorithms.surrogate import Surrogate
from kerashpo.algorithms.transfer import TransferByObjective
from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space, key

_AROUND = 5
_FRONT = 20


@final
class BayesianOptimization(Algorithm):
    """Bayesian optimisation: proposes the maximiser of a Gaussian process's acquisition.

    Starts with the centre of the space (the declared defaults where there are any), then
    scrambled Sobol points; after that the model proposes. The outcomes of
    pending trials are drawn from the model (see `kerashpo.algorithms.gp.batch`), failed trials
    count as the worst value seen. Under a scheduler that stops trials early the model covers
    configuration and epochs and predicts the value at the most epochs, pending trials count as
    their expected value, and every tenth trial is random, since early epochs may mislead.

    With several objectives a Gaussian process each is fitted, and the expected hypervolume
    improvement is maximised, see `kerashpo.algorithms.pareto_model`. Limits have a Gaussian
    process each too, whose probability of feasibility weights the acquisition.

    Args:
        space: the search space.
        seed: the study's seed.
        num_initial_points: trials before the model; None for between 4 and 10, half as many
            as the space has columns, or 1 with a warm start.
        acquisition: "logei", "ei", "pi" or "ucb".
        alpha: added to the diagonal of the kernel matrix of standardised values, besides
            the noise that is fitted.
        beta: number of standard deviations in the confidence bound of "ucb".
        enqueue: configurations to try first; parameters that they omit take their defaults.
        warm_start: one earlier study (its history, or pairs of configuration and objective
            value), or several sources. The best configuration of each is tried first (with
            several objectives the knee of its front and the front's ends); then a process of
            each, weighted by how well it ranks the new trials, see `transfer`.
        settings: settings of the model, for ablations.

    Raises:
        InvalidInput: for an unknown acquisition, a number out of range, or a
            configuration outside the space.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        num_initial_points: int | None = None,
        acquisition: str = "logei",
        alpha: float = FLOOR,
        beta: float = 2.6,
        enqueue: Sequence[Mapping[str, Any]] = (),
        warm_start: History | Pairs | Sequence[EarlierStudy] = (),
        settings: ModelSettings | None = None,
    ) -> None:
        super().__init__(space, seed)
        if acquisition not in ACQUISITIONS:
            raise unknown("acquisition", acquisition, ACQUISITIONS)
        _check("num_initial_points", num_initial_points, 1)
        _check("alpha", alpha, 0.0)
        _check("beta", beta, 0.0)
        self._settings = settings or ModelSettings()
        self._cube = Cube(space)
        self._observations = Observations(self._cube)
        self._sources = read_sources(warm_start, space)
        floor = max(alpha, FLOOR)
        self._transfer = TransferByObjective(self._cube, self._sources, floor, self._settings)
        self._queue: list[Config] = [space.complete(config) for config in enqueue]
        usual = 1 if self._sources else min(10, max(4, (self._cube.dim + 1) // 2))
        self._initial = usual if num_initial_points is None else num_initial_points
        self._acquisition, self._alpha, self._beta = acquisition, floor, beta
        self._blas = ThreadpoolController()

    def enqueue(self, config: Mapping[str, Any]) -> None:
        """Enqueues a configuration to be tried first; omitted parameters take their defaults.

        Raises:
            InvalidSpace: for an unknown name or a value outside its domain.
        """
        self._queue.append(self.space.complete(config))

    def surrogate(self, history: History) -> Surrogate | None:
        """Returns the surrogate model; None before any trial has a value."""
        self._observations.update(history)
        with self._blas.limit(limits=1):
            seen = before_limits(self._observations.read(history))
            return self._fit(seen)

    def _fit(self, seen: SeenTrials) -> Surrogate | None:
        """Returns a surrogate model of the first column of the observed values."""
        found = Surrogate.of(self._cube, seen, self._alpha, self._settings)
        return found if found is None or not self._settings.believe else found.believing()

    def explain(self, history: History) -> Explanation | FrontExplanation | None:
        """Returns the model's predictions and the reason for its next proposal.

        None before any feasible trial has a value, or where nothing is left to propose.
        """
        proposal, best = self.ask(history.next_trial, history), history.best
        if best is None or isinstance(proposal, Exhausted):
            return None
        seen = self._observations.read(history)
        trained, found = before_limits(seen), {}
        with self._blas.limit(limits=1):
            for k, objective in enumerate(history.objectives[: seen.values.shape[1]]):
                model = self._fit(replace(trained, values=trained.values[:, [k]]))
                if model is None:
                    return None
                compared = best.config if history.several or history.limits else None
                found[objective.name] = explain(model, proposal, objective, compared)
            if not history.several:
                return found[history.objective.name]
            chance = with_limits(None, seen, history.limits, self._fit_limit)
            row = self._cube.encode(proposal)[None]
            kept = None if chance is None else float(np.exp(chance.score(row)[0]))
        return FrontExplanation(found, kept)

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        self._observations.update(history)
        if history.several:
            self._check_several(history)
        if history.limits:
            self._check_limits(history)
        taken = self._observations.configs
        queue = [*self._queue, *self._transfer.bests(history.ranked_by)]
        for config in map(self.space.project, queue):
            if key(config) not in taken:
                return config
        if len(taken) >= self.space.size:
            return Exhausted()
        rng = stream(self.seed, "ask", trial)
        row = self._start(trial) if trial < self._initial else self._model(trial, history)
        if row is None or self._cube.key(row) in self._observations.taken:
            return draw_new(self.space, taken, rng)
        return self._cube.decode(row)

    def _start(self, trial: int) -> Matrix:
        if trial == 0 and self._settings.centre:
            rows = defaults(self._cube)
        else:
            rows = sobol_rows(self._cube.dim, 1, self.seed, start=trial, purpose="start")
        return self._cube.snap(rows, stream(self.seed, "start", trial)).ravel()

    def _model(self, trial: int, history: History) -> Matrix | None:
        if self._cube.dim == 0:
            return None
        seen, every = self._observations.read(history), self._settings.random_every
        if seen.partial and every and trial % every == every - 1:
            return None
        # These matrices are small: more BLAS threads slow the fit down, and much more so
        # while a training keeps the cores busy.
        with self._blas.limit(limits=1):
            found = self._promise(trial, seen, history)
            if found is None:
                return None
            promise, best = found
            maximiser = Maximiser(self._cube, promise, self._settings.climb, self._settings.sweep)
            rng = stream(self.seed, "maximise", trial)
            return maximiser.search(best, self._observations.taken, rng)

    def _promise(
        self, trial: int, seen: SeenTrials, history: History
    ) -> tuple[Promise, Matrix] | None:
        """Returns the acquisition and rows (k, d) to search around; None without a value."""
        trained = before_limits(seen)
        several = history.several
        found = self._front(trained, history) if several else self._one(trained, history)
        if not history.limits:
            return found
        promise, best = found if found is not None else (None, self._least_violating(seen))
        whole = with_limits(promise, seen, history.limits, self._fit_limit)
        return None if whole is None else (whole, best)

    def _one(self, seen: SeenTrials, history: History) -> tuple[Promise, Matrix] | None:
        """Returns the acquisition of one objective and rows to search around."""
        if self._sources:
            return self._transferred(seen, history)
        surrogate = self._fit(seen)
        if surrogate is None:
            return None
        known, means = surrogate.known()
        if history.limits:
            if not seen.feasible.any():
                return None
            known = seen.rows[seen.feasible]
            means = surrogate.posterior.mean(surrogate.features(known))
        best = known[np.argsort(means, kind="stable")[:_AROUND]]
        if self._draws(seen):
            rng, waiting = stream(self.seed, "pending", history.next_trial), len(seen.pending)
            drawn = BatchPromise.of(surrogate.features, surrogate.posterior, waiting, known, rng)
            return drawn, best
        acquisition = make_acquisition(self._acquisition, float(means.min()), self._beta)
        return OnePromise(surrogate.features, surrogate.posterior, acquisition), best

    def _front(self, seen: SeenTrials, history: History) -> tuple[Promise, Matrix] | None:
        """Returns the acquisition of several objectives and rows to search around."""
        if not (seen.feasible.any() or (self._sources and not history.limits)):
            return None
        rng = stream(self.seed, "weights", history.next_trial)
        found = [self._model_of(k, seen, history, rng) for k in range(len(history.objectives))]
        models = [one for one in found if one is not None]
        rows = seen.rows[seen.feasible] if history.limits else np.vstack([seen.rows, seen.pending])
        if not len(rows) and self._sources:
            rows = self._transfer.starts(history.ranked_by)
        if len(models) < len(found) or not len(rows):
            return None
        model = ParetoModel.of(models, distinct(self._cube, rows), _FRONT, rng)
        return model.promise, model.best

    def _model_of(
        self, position: int, seen: SeenTrials, history: History, rng: np.random.Generator
    ) -> Ensemble | None:
        """Returns the model of one objective; None where nothing is known of it."""
        column = replace(seen, values=seen.values[:, [position]])
        transfer = self._transfer.of(position)
        if transfer is not None:
            own = Surrogate.of(self._cube, column, self._alpha, self._settings)
            return transfer.ensemble(own, seen, history.objectives[position], rng)
        fitted = self._fit(column)
        return None if fitted is None else Ensemble.of(fitted.features, fitted.posterior)

    def _draws(self, seen: SeenTrials) -> bool:
        """Whether the outcomes of the pending trials are drawn; else they count as their mean."""
        used = self._settings.draw and self._settings.believe and self._acquisition == "logei"
        return used and len(seen.pending) > 0 and not seen.partial

    def _transferred(self, seen: SeenTrials, history: History) -> tuple[Promise, Matrix] | None:
        """Returns the acquisition of the ensemble with the earlier studies, and rows around it."""
        rng = stream(self.seed, "weights", history.next_trial)
        found = self._model_of(0, seen, history, rng)
        if found is None:
            return None
        rows = seen.rows[seen.feasible] if history.limits else np.vstack([seen.rows, seen.pending])
        if not len(rows):
            if history.limits:
                return None
            rows = self._transfer.starts(history.ranked_by)
        means = found.mean(rows)
        best = rows[np.argsort(means, kind="stable")[:_AROUND]]
        acquisition = make_acquisition(self._acquisition, float(means.min()), self._beta)
        return EnsemblePromise(found, acquisition), best

    def _fit_limit(self, seen: SeenTrials) -> Surrogate | None:
        """Returns a surrogate model of a limit's excess, the first column of the values."""
        recipe = replace(self._settings, cut=False)
        found = Surrogate.of(self._cube, seen, self._alpha, recipe)
        return found if found is None or not recipe.believe else found.believing()

    def _least_violating(self, seen: SeenTrials) -> Matrix:
        """Returns rows (k, d) to search around while no trial is feasible."""
        return seen.rows[np.argsort(seen.violation, kind="stable")[:_AROUND]]

    def _check_limits(self, history: History) -> None:
        """Raises InvalidInput for an acquisition that has no logarithm to weight."""
        if self._acquisition not in ("logei", "pi"):
            names = ", ".join(one.name for one in history.limits)
            raise InvalidInput(
                f"Limits ({names}) weight the acquisition by the probability of feasibility, "
                f"which needs 'logei' or 'pi'. Received: acquisition={self._acquisition!r}."
            )

    def _check_several(self, history: History) -> None:
        """Raises InvalidInput for arguments that have no effect with several objectives."""
        names = ", ".join(one.name for one in history.objectives)
        if self._acquisition != "logei":
            raise InvalidInput(
                f"acquisition={self._acquisition!r} is of one objective; several ({names}) are "
                "searched by expected hypervolume improvement: leave it out, or pass weights=."
            )


def _check(name: str, value: float | None, least: float) -> None:
    if value is not None and not value >= least:
        raise InvalidInput(f"{name} must be at least {least}. Received: {value!r}.")
