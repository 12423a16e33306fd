"""The conformance suite of algorithms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.registry import algorithm_class
from kerashpo.algorithms.wrappers import Projected
from kerashpo.core.records import Config, Exhausted
from kerashpo.space.space import Space, key
from kerashpo.testing.algorithm_driver import AlgorithmDriver
from kerashpo.testing.cases import CONDITIONAL, EIGHTEEN, MIXED, TRIANGLE, NotConforming, require
from kerashpo.testing.curve_runner import METRIC, OTHER, two_waves, wave


@final
@dataclass(frozen=True, slots=True)
class AlgorithmCase:
    """An algorithm under test.

    Attributes:
        make: builds it from a space and a seed.
        continuous: whether it searches continuous parameters.
        random: whether another seed gives other proposals.
        trials: about how many trials a check runs; few for a slow algorithm.
        several: whether it searches for a Pareto front of several objectives.
    """

    make: Callable[[Space, int], Algorithm]
    continuous: bool = True
    random: bool = True
    trials: int = 24
    several: bool = False

    @property
    def space(self) -> Space:
        """The most demanding space that it can search."""
        return MIXED if self.continuous else CONDITIONAL


def _named(name: str, **options: Any) -> Callable[[Space, int], Algorithm]:
    # The class is imported when it is built: some import scipy's optimisers.
    return lambda space, seed: algorithm_class(name)(space, seed, **options)


CASES: Final[dict[str, AlgorithmCase]] = {
    "random": AlgorithmCase(_named("random"), several=True),
    "grid": AlgorithmCase(_named("grid"), continuous=False, random=False, several=True),
    "sobol": AlgorithmCase(_named("sobol"), several=True),
    "bayesian": AlgorithmCase(_named("bayesian", num_initial_points=3), trials=8, several=True),
    "auto": AlgorithmCase(_named("auto"), trials=8, several=True),
    "tpe": AlgorithmCase(_named("tpe", num_initial_points=3), several=True),
    "cmaes": AlgorithmCase(_named("cmaes", population_size=4)),
    "de": AlgorithmCase(_named("de", population_size=5)),
    "nsga2": AlgorithmCase(_named("nsga2", population_size=5), several=True),
    "pso": AlgorithmCase(_named("pso", population_size=4)),
    "policy": AlgorithmCase(_named("policy", num_initial_points=3)),
}
"""The algorithms of the registry, by name."""


def stays_in_its_space(case: AlgorithmCase) -> None:
    """Every configuration is in bounds, and inactive parameters are absent."""
    for space in (case.space, CONDITIONAL):
        AlgorithmDriver(case.make, space).advance(case.trials)


def finds_every_configuration(case: AlgorithmCase) -> None:
    """A finite space is enumerated to its end, each configuration once, then it is exhausted."""
    for seed in range(3):
        driver = AlgorithmDriver(case.make, EIGHTEEN, seed)
        found = {key(config) for config in driver.advance(18)}
        require(len(found) == 18, f"seed {seed}: {len(found)} of 18 configurations found")
        answer = driver.ask()
        require(isinstance(answer, Exhausted), f"after 18 of 18 it proposed {answer!r}")


def searches_dependent_ranges(case: AlgorithmCase) -> None:
    """Where a range depends on another value, each trainable configuration is tried once."""
    for seed in range(3):
        driver = AlgorithmDriver(lambda *args: Projected(case.make(*args)), TRIANGLE, seed)
        found = driver.advance(12)
        wrong = [dict(config) for config in found if TRIANGLE.project(config) != config]
        require(not wrong, f"{wrong} would be trained as other configurations")
        distinct = len({key(config) for config in found})
        require((len(found), distinct) == (10, 10), f"{len(found)} trials, {distinct} of 10 found")
        require(isinstance(driver.ask(), Exhausted), "it continues after 10 of 10 configurations")


def never_repeats(case: AlgorithmCase) -> None:
    """No configuration is proposed twice, whether trials run one by one or in parallel."""
    driver = AlgorithmDriver(case.make, CONDITIONAL)
    pending = [driver.start() for _ in range(4)]
    _require_distinct(driver)
    for _ in range(case.trials):
        first = pending.pop(0)
        if first is not None:
            driver.finish(first)
        pending.append(driver.start())
    _require_distinct(driver)


def repeats_by_its_seed(case: AlgorithmCase) -> None:
    """Equal seeds give equal trials; 0 is a seed; other seeds differ."""
    n = min(case.trials, 10)
    for seed in (0, 1):
        once, again = (AlgorithmDriver(case.make, case.space, seed).advance(n) for _ in range(2))
        require(once == again, f"seed {seed} twice gave different trials")
    zero, one = (AlgorithmDriver(case.make, case.space, seed).advance(n) for seed in (0, 1))
    require(zero != one or not case.random, "seeds 0 and 1 gave the same trials")


def asking_changes_nothing(case: AlgorithmCase) -> None:
    """Asking twice gives the same proposal, and does not change later ones."""
    driver, calm = AlgorithmDriver(case.make, case.space), AlgorithmDriver(case.make, case.space)
    for _ in range(min(case.trials, 8)):
        first, second = driver.ask(), driver.ask()
        require(first == second, f"asked twice it proposed {first!r}, then {second!r}")
        driver.advance(1)
        calm.advance(1)
    require(driver.configs == calm.configs, "asking more often changed later proposals")


def resumes_by_replay(case: AlgorithmCase) -> None:
    """Given the same history, a new instance makes the same proposals."""
    for trials in (1, 3, 8):
        driver = AlgorithmDriver(case.make, case.space)
        driver.advance(trials)
        running = driver.start()
        other = driver.replay(case.make)
        for one in (driver, other):
            if running is not None:
                one.finish(running)
        require(
            driver.advance(4) == other.advance(4),
            f"resumed after {trials} trials it made other proposals",
        )


def depends_on_the_history_alone(case: AlgorithmCase) -> None:
    """Given an earlier history again, it repeats its proposal."""
    driver = AlgorithmDriver(case.make, case.space)
    driver.advance(min(case.trials, 8))
    for trial in (5, 1, 3):
        again = driver.algorithm.ask(trial, driver.before(trial))
        require(
            again == driver.configs[trial],
            f"for trial {trial} it proposed {driver.configs[trial]!r}, later {again!r}",
        )


def accepts_reports_in_any_order(case: AlgorithmCase) -> None:
    """Running trials may end in another order than they began."""
    for order in ((3, 0, 2, 1), (2, 3, 1, 0)):
        driver = AlgorithmDriver(case.make, case.space)
        driver.advance(4)
        started = [driver.start() for _ in order]
        for position in order:
            trial = started[position]
            if trial is not None:
                driver.finish(trial)
        driver.advance(4)
        _require_distinct(driver)


def tolerates_failures(case: AlgorithmCase) -> None:
    """Failed trials, the first ones or all of them, do not end the search or cause repeats."""
    for failing in (lambda trial: trial < 4, lambda trial: trial % 2 == 1, lambda _: True):
        driver = AlgorithmDriver(case.make, case.space)
        for _ in range(min(case.trials, 10)):
            trial = _started(driver)
            driver.fail(trial) if failing(trial) else driver.finish(trial)
        _require_distinct(driver)


def tolerates_nan_and_infinity(case: AlgorithmCase) -> None:
    """NaN and infinite scores are never treated as good ones."""
    for bad in (math.nan, math.inf, -math.inf):
        driver = AlgorithmDriver(case.make, case.space)
        for _ in range(min(case.trials, 10)):
            trial = _started(driver)
            driver.finish(trial, bad if trial % 3 == 0 else None)
        _require_distinct(driver)


def _constantly(value: float) -> Callable[[Config], float]:
    return lambda config: value


def tolerates_equal_scores(case: AlgorithmCase) -> None:
    """A function that is constant, huge or tiny is searched like any other."""
    for value in (0.0, 1e30, 1e-30):
        driver = AlgorithmDriver(case.make, case.space, score=_constantly(value))
        driver.advance(min(case.trials, 8))
        _require_distinct(driver)


def tolerates_duplicates(case: AlgorithmCase) -> None:
    """A configuration that the history holds twice does not end the search early."""
    driver = AlgorithmDriver(case.make, EIGHTEEN)
    for _ in range(2):
        driver.finish(driver.put(EIGHTEEN.default()))
    found = {key(config) for config in driver.advance(17)}
    require(len(found) == 18, f"with a duplicate in the history it found {len(found)} of 18")


def maximises_as_it_minimises(case: AlgorithmCase) -> None:
    """Maximising f gives the same proposals as minimising -f."""
    n = min(case.trials, 12)
    least = AlgorithmDriver(case.make, case.space).advance(n)
    most = AlgorithmDriver(
        case.make, case.space, direction="max", score=lambda config: -wave(config, 1)
    ).advance(n)
    require(least == most, "maximising -f gave other proposals than minimising f")


def _two(case: AlgorithmCase, seed: int = 0, space: Space | None = None) -> AlgorithmDriver:
    """Returns a search with two objectives."""
    return AlgorithmDriver(
        case.make, space or case.space, seed, score=_two_waves, others=((OTHER, "min"),)
    )


def _two_waves(config: Config) -> Mapping[str, float]:
    return two_waves(config, 1)


def searches_two_objectives(case: AlgorithmCase) -> None:
    """With two objectives there are no repeats, and failures and NaN in one are tolerated."""
    if not case.several:
        return
    driver = _two(case, space=CONDITIONAL)
    for _ in range(case.trials):
        trial = _started(driver)
        match trial % 6:
            case 2:
                driver.fail(trial)
            case 4:
                driver.finish(trial, {METRIC: -9.0, OTHER: math.nan})
            case _:
                driver.finish(trial)
    _require_distinct(driver)
    once, again = (_two(case, seed=1).advance(case.trials) for _ in range(2))
    require(once == again, "with two objectives, seed 1 twice gave different trials")


def finds_every_configuration_of_two_objectives(case: AlgorithmCase) -> None:
    """A finite space is enumerated to its end with two objectives too."""
    if not case.several:
        return
    driver = _two(case, space=EIGHTEEN)
    found = {key(config) for config in driver.advance(18)}
    require(len(found) == 18, f"two objectives: {len(found)} of 18 configurations found")
    require(isinstance(driver.ask(), Exhausted), "it continues after 18 of 18 configurations")


def resumes_two_objectives_by_replay(case: AlgorithmCase) -> None:
    """A search with two objectives resumes with the same proposals."""
    if not case.several:
        return
    driver = _two(case)
    driver.advance(min(case.trials, 8))
    other = driver.replay(case.make)
    require(driver.advance(3) == other.advance(3), "with two objectives it resumed otherwise")


def ignores_units_and_signs_of_objectives(case: AlgorithmCase) -> None:
    """Scaling an objective by four, or maximising its negative, gives the same search."""
    if not case.several:
        return
    plain = _two(case).advance(case.trials)
    turned = AlgorithmDriver(
        case.make,
        case.space,
        direction="max",
        score=lambda config: _turned(_two_waves(config)),
        others=((OTHER, "min"),),
    ).advance(case.trials)
    require(plain == turned, "other units or signs of two objectives gave another search")


_LIMITS: Final = {
    "limits": {OTHER: {"at most": 0.0}, "size": {"at most": 5.0, "before training": True}}
}


def searches_within_limits(case: AlgorithmCase) -> None:
    """Infeasible trials, before and after training, are tolerated: at first there are no others."""

    def driven() -> AlgorithmDriver:
        driver = AlgorithmDriver(case.make, CONDITIONAL, score=_two_waves, settings=_LIMITS)
        for _ in range(case.trials):
            trial = _started(driver)
            match trial % 4:
                case 0:
                    driver.refuse(trial, {"size": 9.0 + trial})
                case 3 if trial > case.trials // 2:
                    driver.finish(trial, {METRIC: float(trial), OTHER: -1.0})
                case _:
                    driver.finish(trial, {METRIC: -float(trial), OTHER: 1.0 + trial})
        return driver

    driver, again = driven(), driven()
    _require_distinct(driver)
    require(driver.configs == again.configs, "with limits, the same trials gave other proposals")
    best = driver.history.best
    require(best is None or best.feasible, "an infeasible trial is the best")
    other = driver.replay(case.make)
    require(driver.advance(2) == other.advance(2), "with limits it resumed otherwise")


def _turned(metrics: Mapping[str, float]) -> Mapping[str, float]:
    return {METRIC: -metrics[METRIC], OTHER: 4.0 * metrics[OTHER]}


CHECKS: Final[tuple[Callable[[AlgorithmCase], None], ...]] = (
    stays_in_its_space,
    finds_every_configuration,
    searches_dependent_ranges,
    never_repeats,
    repeats_by_its_seed,
    asking_changes_nothing,
    resumes_by_replay,
    depends_on_the_history_alone,
    accepts_reports_in_any_order,
    tolerates_failures,
    tolerates_nan_and_infinity,
    tolerates_equal_scores,
    tolerates_duplicates,
    maximises_as_it_minimises,
    searches_two_objectives,
    finds_every_configuration_of_two_objectives,
    resumes_two_objectives_by_replay,
    ignores_units_and_signs_of_objectives,
    searches_within_limits,
)


def check_algorithm(case: AlgorithmCase) -> None:
    """Runs every check.

    Raises:
        NotConforming: for the first check that fails.
    """
    for check in CHECKS:
        check(case)


def _started(driver: AlgorithmDriver) -> int:
    trial = driver.start()
    if trial is None:
        kind = type(driver.ask()).__name__
        raise NotConforming(f"it returned {kind} with nothing running and configurations left")
    return trial


def _require_distinct(driver: AlgorithmDriver) -> None:
    keys = [key(config) for config in driver.configs]
    require(bool(keys), "it proposed nothing")
    repeats = len(keys) - len(set(keys))
    require(repeats == 0, f"{repeats} of {len(keys)} configurations were repeats")
