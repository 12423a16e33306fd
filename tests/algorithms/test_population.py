"""Populations of slots, differential evolution and particle swarms."""

import numpy as np
import pytest

from kerashpo.algorithms.de import DifferentialEvolution
from kerashpo.algorithms.evaluations import EvaluationReader, defaults, initial_row
from kerashpo.algorithms.population import Population, bounced, fill
from kerashpo.algorithms.pso import ParticleSwarm
from kerashpo.core.events import Ended, JobStarted, Reached, Reported
from kerashpo.core.records import Report, Resume, Start, Status
from kerashpo.core.rng import stream
from kerashpo.errors import InvalidInput
from kerashpo.space import Cube, Space, choice, integer, uniform, when
from kerashpo.testing.algorithm_driver import AlgorithmDriver
from kerashpo.testing.curve_runner import METRIC

FIVE = Space({f"x{i}": uniform(0, 1) for i in range(5)})
KINDS = Space({"kind": choice(list("abcdefgh")), "layers": integer(1, 9), "x": uniform(0, 1)})
BOTH = [DifferentialEvolution, ParticleSwarm]


def bowl(config):
    return sum((value - 0.35) ** 2 for value in config.values())


def mixed(config):
    return (config["kind"] != "f") + abs(config["layers"] - 7) / 4 + (config["x"] - 0.2) ** 2


def driver(make, space=FIVE, score=bowl, seed=0, **options):
    return AlgorithmDriver(lambda s, n: make(s, n, **options), space, seed, score=score)


def population(study, size=4):
    cube = Cube(study.space)
    return Population.of(EvaluationReader(cube).read(study.history), size, study.history.seed)


def test_each_slot_keeps_its_best_and_ties_go_to_the_later_trial():
    study = driver(DifferentialEvolution)
    for value in (5.0, 6.0, 7.0, 8.0, 4.0, 9.0, 7.0):
        study.finish(study.start(), value)
    found = population(study)
    assert found.slots.tolist() == [0, 1, 2, 3]
    assert found.costs.tolist() == [4.0, 6.0, 7.0, 8.0]
    np.testing.assert_allclose(found.rows[2], list(study.configs[6].values()))
    np.testing.assert_allclose(found.former, [list(study.configs[t].values()) for t in (0, 2, 5)])
    assert found.order.tolist() == [0, 1, 2, 3]


def test_failed_and_running_trials_are_no_members():
    study = driver(DifferentialEvolution)
    study.fail(study.start())
    study.finish(study.start(), 1.0)
    study.start()
    assert population(study).slots.tolist() == [1]


def test_inactive_columns_are_drawn_alike_for_the_same_trial():
    rows = np.array([[0.5, np.nan], [np.nan, 0.25]])
    once, again = (fill(rows, np.array([3, 4]), 0) for _ in range(2))
    assert once[0, 0] == 0.5
    assert once[1, 1] == 0.25
    assert once[0, 1] == stream(0, "fill", 3).random(2)[1]
    np.testing.assert_array_equal(once, again)
    assert (fill(rows, np.array([3, 4]), 1) != once).any()


def test_a_move_across_a_bound_ends_halfway_to_it():
    start = np.array([0.2, 0.8, 0.5])
    np.testing.assert_allclose(bounced(np.array([-0.3, 1.7, 0.6]), start), [0.1, 0.9, 0.6])


def test_the_first_trial_is_the_default_configuration():
    space = Space({"x": uniform(0, 1), "layers": integer(1, 9)})
    cube = Cube(space)
    assert defaults(cube).tolist() == [0.5, 0.5]
    assert dict(cube.decode(initial_row(cube, 0, 7))) == {"x": 0.5, "layers": 5}
    assert (initial_row(cube, 1, 7) != initial_row(cube, 2, 7)).any()


@pytest.mark.parametrize("make", BOTH)
def test_it_closes_in_on_the_optimum(make):
    for seed in range(3):
        values = [bowl(config) for config in driver(make, seed=seed).advance(150)]
        assert min(values) < 0.02
        assert np.mean(values[-20:]) < np.mean(values[:10]) / 4


@pytest.mark.parametrize("make", BOTH)
def test_categories_and_integers_are_learned(make):
    for seed in range(3):
        late = driver(make, KINDS, mixed, seed).advance(120)[80:]
        assert min(map(mixed, late)) < 0.1
        assert sum(config["kind"] == "f" for config in late) > 15


@pytest.mark.parametrize("make", BOTH)
def test_a_worker_never_waits(make):
    """Twice the population is asked for before anything has ended."""
    study = driver(make, population_size=6)
    assert all(study.start() is not None for _ in range(12))
    study.finish(3)
    assert study.start() == 12


@pytest.mark.parametrize("make", BOTH)
def test_children_of_inactive_parents_are_absent(make):
    space = Space(
        {"kind": choice(["a", "b"]), **when("kind", "a", {"p": uniform(0, 1)}), "x": uniform(0, 1)}
    )
    study = driver(make, space, lambda config: config["x"] + config.get("p", 0.3))
    for config in study.advance(60):
        assert ("p" in config) == (config["kind"] == "a")


def test_the_two_use_different_loops():
    one, other = (driver(make, population_size=4).advance(12) for make in BOTH)
    assert one[:4] == other[:4]
    assert one[4:] != other[4:]


@pytest.mark.parametrize(("make", "size"), [(DifferentialEvolution, 3), (ParticleSwarm, 1)])
def test_too_small_a_population_is_refused(make, size):
    with pytest.raises(InvalidInput, match="population_size must be a whole number of at least"):
        make(FIVE, 0, population_size=size)


def test_a_swarms_constants_are_checked():
    with pytest.raises(InvalidInput, match="inertia"):
        ParticleSwarm(FIVE, 0, inertia=-0.1)
    with pytest.raises(InvalidInput, match="attraction"):
        ParticleSwarm(FIVE, 0, attraction=0.0)


def rung_study(costs, until=9):
    """A study whose trials reached epoch 1 or 9: (costs at 1, costs at 9 or None) by trial."""
    study = driver(DifferentialEvolution)
    events = []
    for trial, (config, first, last) in enumerate(costs):
        events.append(JobStarted(Start(trial, config, 1)))
        events.append(Reported(Report(trial, 0, 1, {METRIC: first}, 1.0)))
        events.append(Reached(trial))
        if last is None:
            events.append(Ended(trial, Status.STOPPED, "rung"))
            continue
        events.append(JobStarted(Resume(trial, until)))
        events.append(Reported(Report(trial, 0, until, {METRIC: last}, 9.0)))
        events.append(Reached(trial))
        events.append(Ended(trial, Status.COMPLETED, "completed"))
    for event in events:
        study.history.apply(event)
    return study


def test_each_rung_has_the_trials_that_reached_it_with_their_costs_there():
    corners = [dict.fromkeys(FIVE.names, x) for x in (0.0, 0.2, 0.4)]
    study = rung_study([(corners[0], 5.0, 3.0), (corners[1], 6.0, None), (corners[2], 4.0, 1.0)])
    reader = EvaluationReader(Cube(FIVE))
    reader.read(study.history)
    low, high = reader.rungs(study.history)
    assert low.numbers.tolist() == [0, 1, 2] and low.order.tolist() == [2, 0, 1]
    assert high.numbers.tolist() == [0, 2] and high.costs.tolist() == [3.0, 1.0]


def test_with_parents_from_rungs_children_move_to_the_best_of_the_rung_below():
    # On the lower rung those at 0.9 lead; on the upper one everybody sits at 0.1.
    near, far = (dict.fromkeys(FIVE.names, x) for x in (0.1, 0.9))
    shift = lambda config, i: {name: value + 0.001 * i for name, value in config.items()}
    costs = [(shift(near, i), 5.0, 1.0 + i) for i in range(8)]
    costs += [(shift(far, i), 0.1, None) for i in range(8)]

    def moved(parents):
        study = rung_study(costs)
        rows = [
            np.mean(
                list(DifferentialEvolution(FIVE, seed, 8, parents).ask(16, study.history).values())
            )
            for seed in range(12)
        ]
        return float(np.mean(rows))

    assert moved("rungs") > 0.3


def test_unknown_parents_are_reported_with_the_nearest():
    with pytest.raises(InvalidInput, match="Unknown parents 'rung'. Did you mean 'rungs'"):
        DifferentialEvolution(FIVE, 0, parents="rung")
