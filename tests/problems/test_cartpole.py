"""CartPole: its physics, its start states, and deep Q-learning."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from kerashpo.problems import cartpole
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import find_obstacle
from kerashpo.training.model_state import state_variables
from tests.helpers.small_models import eagerly

#: The constants of CartPole-v1, where gymnasium is not installed.
PHYSICS = cartpole.Physics(9.8, 1.0, 0.1, 0.5, 10.0, 0.02, 12 * np.pi / 180, 2.4, 500)


def test_every_step_is_the_environments():
    gymnasium = pytest.importorskip("gymnasium")
    assert cartpole.Physics.installed() == PHYSICS
    env = gymnasium.make("CartPole-v1").unwrapped
    rng = np.random.default_rng(0)
    ends = 0
    for episode in range(20):
        env.reset(seed=episode)
        for _ in range(40):
            action = int(rng.integers(2))
            before = np.array([env.state])
            _, _, terminated, _, _ = env.step(action)
            after, ended = cartpole.step(PHYSICS, np, before, np.array([action]))
            assert np.allclose(after[0], env.state) and bool(ended[0]) == terminated
            ends += terminated
            if terminated:
                break
    assert ends > 10


def test_parts_have_start_states_of_their_own():
    first, second = cartpole.load(0), cartpole.load(1)
    parts = [first.train[0], first.validation[0], first.test[0], second.test[0]]
    assert [len(x) for x in parts] == [32, 20, 100, 100]
    assert all(np.abs(x).max() <= 0.05 and x.shape[1:] == (4,) for x in parts)
    assert len({row.tobytes() for x in parts for row in x}) == 252


def test_returns_of_linear_policies_against_episodes_one_by_one():
    starts = cartpole.load(3).validation[0][:3]
    policies = np.array([[0.1, 0.5, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]])
    found = cartpole.returns(PHYSICS, starts, policies)
    for policy, row in zip(policies, found):
        for start, steps in zip(starts, row):
            state, count, ended = start[None].astype(float), 0, False
            while not ended and count < 500:
                action = state[0] @ policy[:4] + policy[4] > 0
                (state, (ended,)), count = (
                    cartpole.step(PHYSICS, np, state, np.array([action])),
                    count + 1,
                )
            assert count == steps
    assert found[0].mean() > 100 > 12 > found[1].mean()


def small_dqn(**settings):
    import keras

    from kerashpo.problems.dqn import DQN, QLearning

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    chosen = {"discount": 0.9, "exploring": 50, "exploration": 0.1, "target_every": 3} | settings
    chosen = {"double": True, "first": 20, "batch": 8, "capacity": 64, "updates": 20} | chosen
    plan = QLearning(**chosen)
    model = DQN(network, partial(cartpole.step, PHYSICS), 25, plan)
    model.compile(keras.optimizers.Adam(1e-2))
    return model


@pytest.fixture(scope="module")
def learner():
    import keras

    keras.utils.set_random_seed(0)
    model = small_dqn()
    x, y = cartpole.load(0).train
    assert find_obstacle(model, FitData.from_fit(x, y), ()) is None, "its epochs are compiled"
    model.fit(x, y, batch_size=16, verbose=0)
    return model


def test_steps_of_episodes_are_remembered_as_they_were_played(learner):
    memory = learner._memory
    count = int(memory.count)
    assert count > 64 and int(memory.updates) > 10
    rows = np.array(memory.rows)[:64]
    states, after, actions, ended = rows[:, :4], rows[:, 4:8], rows[:, 8], rows[:, 9]
    again, over = cartpole.step(PHYSICS, np, states.astype(float), actions)
    assert np.allclose(after, again, atol=1e-5)
    assert np.array_equal(ended, over)
    assert set(actions) == {0.0, 1.0}


def test_evaluation_plays_the_most_valued_actions(learner):
    x, y = cartpole.load(0).validation
    (kernel, bias) = learner.network.get_weights()
    policy = np.append(kernel[:, 1] - kernel[:, 0], bias[1] - bias[0])
    expected = np.minimum(cartpole.returns(PHYSICS, x, policy[None]), 25).mean()
    found = learner.evaluate(x, y, batch_size=len(x), verbose=0, return_dict=True)
    assert found["mean_return"] == pytest.approx(expected, rel=0.02)


def test_memory_and_target_network_belong_to_a_checkpoint_not_to_the_weights(learner):
    held = {id(variable) for variable in state_variables(learner)}
    memory = learner._memory
    assert {
        id(v) for v in (memory.rows, memory.count, memory.updates, *memory.target.variables)
    } <= held
    assert learner.count_params() == 10 and len(learner.get_weights()) >= 2


def test_a_target_network_is_a_copy_of_every_nth_step():
    model = small_dqn(target_every=10**9)
    first = [w.copy() for w in model.network.get_weights()]
    x, y = cartpole.load(0).train
    eagerly(model).fit(x[:4], y[:4], batch_size=4, verbose=0)
    assert int(model._memory.updates) > 0
    for before, target, now in zip(
        first, model._memory.target.get_weights(), model.network.get_weights()
    ):
        assert np.array_equal(before, target) and not np.array_equal(before, now)


def test_gradient_steps_begin_when_enough_is_remembered():
    x, y = cartpole.load(0).train
    model = small_dqn(first=10**6)
    eagerly(model).fit(x[:4], y[:4], batch_size=4, verbose=0)
    assert int(model._memory.count) > 20 and int(model._memory.updates) == 0


def test_a_value_is_the_discounted_cost_of_a_fall():
    """A fall at once costs 1, one a step later the discount, here 0.5."""
    from keras import ops

    model = small_dqn(capacity=4, first=0, batch=64, discount=0.5, target_every=1, updates=2000)
    # Two states of opposite sign, so that a linear network can tell them: a fall, the step before.
    fall, before = np.full(4, 1.0), np.full(4, -1.0)
    rows = [[*before, *fall, a, 0] for a in (0, 1)] + [[*fall, *fall, a, 1] for a in (0, 1)]
    memory = model._memory
    memory.rows.assign(np.array([*rows, rows[0]], "float32"))
    memory.count.assign(4)
    model._learn()
    values = ops.convert_to_numpy(model.network(np.array([before, fall], "float32")))
    assert values == pytest.approx(np.array([[-0.5, -0.5], [-1, -1]]), abs=0.05)


@pytest.mark.slow
def test_the_comparison_plays_without_averages(tmp_path):
    pytest.importorskip("gymnasium")
    from kerashpo.compare.__main__ import main

    few = "--problem cartpole --tuners random --max-epochs 1 --max-trials 2 --quiet".split()
    assert main([*few, "--out", str(tmp_path)]) == 0
    bodies = [json.loads(path.read_text("utf-8")) for path in tmp_path.rglob("*.result.json")]
    found = {body["tuner"]: body for body in bodies}
    assert set(found) == {"random", "default", "rival", "mean"}
    assert [model["model"] for model in found["random"]["models"]] == ["winner"]
    assert found["rival"]["test_score"] == 500 > 10 > found["mean"]["test_score"]
