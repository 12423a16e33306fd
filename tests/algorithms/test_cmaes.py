"""CMA-ES against the library `cmaes`, driven one trial after another."""

import sys

import cmaes
import numpy as np
import pytest

from kerashpo.algorithms.cmaes import CMAES
from kerashpo.algorithms.gaussian import Columns, Distribution, copied
from kerashpo.algorithms.registry import make_algorithm
from kerashpo.core.rng import stream
from kerashpo.errors import InvalidInput
from kerashpo.space import Cube, Space, boolean, choice, integer, loguniform, uniform, when
from kerashpo.testing.algorithm_driver import AlgorithmDriver

BOX = Space({"x": uniform(0, 1), "y": uniform(-1, 2), "lr": loguniform(1e-4, 1e-1)})
MIXED = Space(
    {
        "kind": choice(["a", "b", "c"]),
        "x": uniform(0, 1),
        "layers": integer(1, 9),
        "norm": boolean(),
        "width": integer(16, 64, log=True),
        "lr": loguniform(1e-4, 1e-1),
    }
)


def box(config):
    return (config["x"] - 0.3) ** 2 + (config["y"] - 1.5) ** 2 + abs(np.log10(config["lr"]) + 2)


def mixed(config):
    value = (config["x"] - 0.3) ** 2 + abs(config["layers"] - 7) + abs(np.log10(config["lr"]) + 2)
    return value + (config["kind"] != "b") + 0.5 * config["norm"] + abs(config["width"] - 40) / 20


def driver(space=BOX, score=box, seed=0, **options):
    return AlgorithmDriver(lambda s, n: CMAES(s, n, **options), space, seed, score=score)


def keyed(optimizer, seed, trial):
    optimizer._rng = np.random.RandomState(stream(seed, "cmaes", trial, 0).bit_generator)
    return optimizer.ask()


@pytest.mark.parametrize("seed", [0, 5])
def test_continuous_parameters_follow_cma_to_the_last_bit(seed):
    cube = Cube(BOX)
    bounds = np.tile([0.0, 1.0], (3, 1))
    peer = cmaes.CMA(np.full(3, 0.5), 0.2, bounds=bounds, population_size=6)
    expected = [dict(cube.decode(np.full(3, 0.5)))]
    while len(expected) < 61:
        reported = []
        for _ in range(6):
            row = keyed(peer, seed, len(expected))
            expected.append(dict(cube.decode(row)))
            reported.append((row, box(expected[-1])))
        peer.tell(reported)
    found = driver(seed=seed, population_size=6).advance(61)
    assert [dict(config) for config in found] == expected


@pytest.mark.parametrize("seed", [0, 5])
def test_mixed_parameters_follow_catcma_with_margin_to_the_last_bit(seed):
    cube = Cube(MIXED)
    columns = Columns.of(cube)
    names = [param.name for param in cube.columns]
    assert [names[i] for i in columns.continuous] == ["x", "lr"]
    assert [names[i] for i in columns.ordered] == ["layers", "width"]
    assert [names[i] for i in columns.categorical] == ["kind", "norm"]
    peer = cmaes.CatCMAwM(
        x_space=[[0.0, 1.0]] * 2,
        z_space=[list(cube.grids[i]) for i in columns.ordered],
        c_space=[3, 2],
        mean=np.full(4, 0.5),
        sigma=0.2,
        cov=np.eye(4),
    )
    trials, reported, configs = 1, [], []
    while trials < 80:
        drawn = keyed(peer, seed, trials)
        row = np.empty(6)
        row[columns.continuous], row[columns.ordered] = drawn.x, drawn.z
        row[columns.categorical] = (drawn.c.argmax(axis=1) + 0.5) / [3, 2]
        configs.append(dict(cube.decode(cube.snap(row)[0])))
        reported.append((drawn, mixed(configs[-1])))
        trials += 1
        if len(reported) == peer.population_size:
            peer.tell(reported)
            reported = []
    found = driver(MIXED, mixed, seed).advance(80)
    assert [dict(config) for config in found[1:]] == configs


@pytest.mark.parametrize(("space", "score"), [(BOX, box), (MIXED, mixed)])
def test_it_closes_in_on_the_optimum(space, score):
    for seed in range(3):
        values = [score(config) for config in driver(space, score, seed).advance(200)]
        assert min(values[150:]) < 0.1
        assert np.mean(values[150:]) < np.mean(values[:30]) / 4


def test_a_fresh_one_continues_alike_whoever_ended_first():
    """Three workers, mixed parameters: what was drawn is found again from the history."""
    study = driver(MIXED, mixed, population_size=5)
    running = [study.start() for _ in range(3)]
    order = np.random.default_rng(0)
    for _ in range(40):
        study.finish(running.pop(int(order.integers(3))))
        running.append(study.start())
    fresh = study.replay(lambda s, n: CMAES(s, n, population_size=5))
    assert fresh.ask() == study.ask()
    live, again = study.algorithm._generations, fresh.algorithm._generations
    assert len(live) == len(again) == 7  # 40 ended, the first is of no generation
    for one, other in zip(live, again):
        assert one.numbers == other.numbers
        np.testing.assert_array_equal(
            one.distribution.optimizer._C, other.distribution.optimizer._C
        )


def test_an_update_comes_when_a_population_has_ended():
    study = driver(population_size=4)
    study.advance(1)
    started = [study.start() for _ in range(9)]
    assert study.algorithm._generations == []
    for trial in started[5:]:
        study.finish(trial)
    study.ask()
    assert [g.numbers for g in study.algorithm._generations] == [(6, 7, 8, 9)]


def test_regions_that_fail_are_left():
    study = driver(population_size=6)
    failed = []
    for _ in range(90):
        trial = study.start()
        bad = study.configs[trial]["x"] > 0.5
        failed.append(bad)
        study.fail(trial) if bad else study.finish(trial)
    assert sum(failed[60:]) < sum(failed[:30]) / 3


def test_where_it_has_converged_it_starts_again_with_twice_the_population():
    space = Space({"x": uniform(0, 1)})
    study = driver(space, lambda config: (config["x"] - 0.3) ** 2, population_size=4)
    study.advance(400)
    sizes = [g.distribution.size for g in study.algorithm._generations]
    assert sizes[0] == 4
    assert 8 in sizes
    late = [config["x"] for config in study.configs[200:]]
    assert np.ptp(late) > 0.1


def test_a_configuration_from_elsewhere_is_shortened_to_the_distributions_reach():
    cube = Cube(BOX)
    first = Distribution.first(cube, np.full(3, 0.5), 0.01, None)
    near = first.as_sample(np.array([0.5, 0.51, 0.5]))
    assert first.shortened(near) is near
    far = first.shortened(first.as_sample(np.array([0.0, 0.5, np.nan])))
    np.testing.assert_allclose(far.raw, [0.5 - 0.01 * (3**0.5 + 6 / 5), 0.5, 0.5])


def test_enqueued_configurations_do_no_harm():
    space = Space({"x": uniform(0, 1), "y": uniform(0, 1)})
    values = []
    for seed in range(3):
        algorithm = lambda s, n: make_algorithm(
            "cmaes", s, n, {"enqueue": [{"x": 0.0, "y": v / 9} for v in range(10)]}
        )
        study = AlgorithmDriver(algorithm, space, seed, score=lambda c: (c["x"] - 0.7) ** 2)
        values.append(min((c["x"] - 0.7) ** 2 for c in study.advance(80)))
    assert max(values) < 1e-3


def test_conditional_parameters_are_learned():
    space = Space(
        {
            "kind": choice(["a", "b"]),
            **when("kind", "a", {"p": uniform(0, 1), "n": choice(["u", "v", "w"])}),
            "x": uniform(0, 1),
        }
    )

    def score(config):
        value = (config["x"] - 0.8) ** 2
        return value + ((config["p"] - 0.2) ** 2 + (config["n"] != "v") if "p" in config else 0.3)

    for seed in range(3):
        assert min(map(score, driver(space, score, seed).advance(150))) < 0.02


def test_copies_share_no_array_and_lose_no_bit():
    optimizer = cmaes.CMA(np.full(4, 0.5), 0.2, seed=1)
    optimizer.tell([(optimizer.ask(), float(i)) for i in range(optimizer.population_size)])
    other = copied(optimizer)
    for name, value in vars(optimizer).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(vars(other)[name], value)
            assert vars(other)[name] is not value


@pytest.mark.parametrize(
    ("options", "message"),
    [({"population_size": 3}, "population_size"), ({"sigma": 0}, "sigma must be a finite number")],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        CMAES(BOX, 0, **options)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmaes", None)
    monkeypatch.delitem(sys.modules, "kerashpo.algorithms.gaussian")
    with pytest.raises(InvalidInput, match="pip install cmaes"):
        CMAES(BOX, 0)
