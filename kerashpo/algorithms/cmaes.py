"""CMA-ES, with margins where values are discrete, on the library `cmaes`.

Hansen (arXiv 1604.00772, 2016); CatCMA with margin: Hamano, Saito, Nomura, Uchida and
Shirakawa (arXiv 2504.07884, 2025); restarts with growing populations: Auger and Hansen
(CEC 2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.dedup import draw_new
from kerashpo.algorithms.evaluations import EvaluationReader, Evaluations, defaults
from kerashpo.core.errors import InvalidInput, require_integer, require_number
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted, Status
from kerashpo.core.rng import stream
from kerashpo.core.trial import Trial
from kerashpo.space.cube import Cube
from kerashpo.space.space import Space

if TYPE_CHECKING:
    from kerashpo.algorithms.gaussian import Distribution, Sample

_ATTEMPTS = 20


@final
@dataclass(frozen=True, slots=True)
class Generation:
    """One generation: an update of the sampling distribution.

    Attributes:
        numbers: the trials it was computed from, in the order in which they ended.
        costs: their costs.
        until: how many trials had ended when it was computed.
        distribution: the distribution after the update.
    """

    numbers: tuple[int, ...]
    costs: tuple[float, ...]
    until: int
    distribution: Distribution


@final
class CMAES(Algorithm):
    """CMA-ES: adapts the mean, step size and covariance of a Gaussian to the better trials.

    The first trial is the default configuration. The distribution is updated whenever a
    population of trials has ended, whichever distribution they were drawn from, so that no
    worker waits. Ordered discrete parameters have margins, which keep every neighbour
    reachable; each unordered one has a categorical distribution. Once the distribution has
    converged, the search restarts elsewhere with twice the population.

    Draws are keyed by the trial, so a resumed study makes the same proposals.

    Args:
        space: the search space.
        seed: the study's seed.
        population_size: trials per update; None for 4 + 3 log(d).
        sigma: the initial step size, as a share of each parameter's range.

    Raises:
        InvalidInput: for a number out of range, or where the package `cmaes` is missing.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        population_size: int | None = None,
        sigma: float = 0.2,
    ) -> None:
        super().__init__(space, seed)
        if population_size is not None:
            require_integer("population_size", population_size, 4)
        require_number("sigma", sigma, 0.0, strict=True)
        try:
            from kerashpo.algorithms.gaussian import Distribution
        except ImportError as error:
            raise InvalidInput(
                "algorithm='cmaes' needs the package cmaes: pip install cmaes"
            ) from error
        self._cube = Cube(space)
        self._reader = EvaluationReader(self._cube)
        self._generations: list[Generation] = []
        self._first = Distribution.first(self._cube, defaults(self._cube), sigma, population_size)

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._reader.read(history)
        if len(seen.configs) >= self.space.size:
            return Exhausted()
        if trial == 0:
            return self._cube.decode(self._cube.snap(defaults(self._cube))[0])
        distribution = self._distribution(seen, history)
        for attempt in range(_ATTEMPTS):
            sample = self._draw(distribution, trial, attempt)
            if self._cube.key(sample.row) not in seen.taken:
                return self._cube.decode(sample.row)
        return draw_new(self.space, seen.configs, stream(self.seed, "ask", trial))

    def _draw(self, distribution: Distribution, trial: int, attempt: int) -> Sample:
        return distribution.sample(stream(self.seed, "cmaes", trial, attempt))

    def _distribution(self, seen: Evaluations, history: History) -> Distribution:
        """Returns the distribution after all updates; recomputes those that are not cached."""
        ended = [record for record in _in_order(seen, history) if record.number > 0]
        costs = dict(zip(seen.numbers.tolist(), seen.costs.tolist()))
        times = np.array([_end(record) for record in ended])
        current, start, index = self._first, 0, 0
        while start + current.size <= len(ended):
            members = ended[start : start + current.size]
            numbers = tuple(record.number for record in members)
            own = tuple(costs[number] for number in numbers)
            start += current.size
            if not self._knows(index, numbers, own):
                del self._generations[index:]
                samples = [self._sample_of(record, times, current) for record in members]
                renewal = stream(self.seed, "restart", index)
                updated = current.updated(samples, np.array(own), renewal)
                self._generations.append(Generation(numbers, own, start, updated))
            current, index = self._generations[index].distribution, index + 1
        del self._generations[index:]
        return current

    def _knows(self, index: int, numbers: tuple[int, ...], costs: tuple[float, ...]) -> bool:
        if index >= len(self._generations):
            return False
        known = self._generations[index]
        return known.numbers == numbers and known.costs == costs

    def _sample_of(
        self, record: Trial, times: NDArray[np.float64], current: Distribution
    ) -> Sample:
        """Returns the sample that became a trial's configuration.

        The draw is repeated from the distributions that can have been in force when the
        trial began. A configuration from elsewhere (enqueued, or drawn before a scheduler
        changed the costs) is used as it is, and shortened where it lies too far from the mean.
        """
        before, through = (
            int(np.searchsorted(times, record.started, side)) for side in ("left", "right")
        )
        steps = [0, *(generation.until for generation in self._generations)]
        known = [self._first, *(generation.distribution for generation in self._generations)]
        for index in range(len(known) - 1, -1, -1):
            if steps[index] > through:
                continue
            for attempt in range(_ATTEMPTS):
                sample = self._draw(known[index], record.number, attempt)
                if self._cube.decode(sample.row) == record.config:
                    return sample if known[index] is current else current.shortened(sample)
            if steps[index] <= before:
                break
        return current.shortened(current.as_sample(self._cube.encode(record.config)))


def _in_order(seen: Evaluations, history: History) -> list[Trial]:
    """Returns the evaluated trials in the order in which they ended."""
    records = [history.trials[number] for number in seen.numbers.tolist()]
    return sorted(records, key=lambda record: (_end(record), record.number))


def _end(record: Trial) -> float:
    """Returns the time at which a trial was first evaluated: its end, or its first rung."""
    over = record.status in (Status.COMPLETED, Status.FAILED)
    if over and record.ended is not None and len(record.targets) == 1:
        return record.ended
    first = record.targets[0] if record.targets else 0
    times = [at for (_, epoch), at in record.times.items() if epoch == first]
    return max(times, default=math.inf if record.ended is None else record.ended)
