import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Reached, Reported
from kerashpo.core.records import Decision, Fork, Resume, Start
from kerashpo.executors.messages import Failed, WorkItem
from kerashpo.executors.simulated import SimulatedExecutor


def executor(evaluate, workers=1):
    return SimulatedExecutor(evaluate, "value", dict, workers)


def start(trial, until, **config):
    return WorkItem(Start(trial, config, until), config, until)


def drain(simulated, decide=None):
    """Returns (clock, message) of all that is reported."""
    messages = []

    def handle(message):
        messages.append((simulated.now(), message))
        if decide:
            decide(message)

    before = -1
    while before != len(messages):
        before = len(messages)
        simulated.poll(handle)
    return messages


def linear(config, epoch):
    return 1.0 / epoch, epoch * config.get("pace", 1.0)


def test_epochs_are_reported_at_their_end_and_then_that_the_job_is_reached():
    simulated = executor(linear)
    simulated.submit([start(0, 2, pace=2.5)])
    messages = drain(simulated)
    assert [at for at, _ in messages] == [2.5, 5.0, 5.0]
    assert [type(message) for _, message in messages] == [Reported, Reported, Reached]
    assert messages[1][1].report.metrics == {"value": 0.5}
    assert messages[1][1].report.seconds == 5.0


def test_workers_train_at_once_and_ties_are_reported_in_the_order_of_their_beginning():
    simulated = executor(linear, workers=3)
    assert simulated.free() == 3
    simulated.submit([start(0, 1), start(1, 2, pace=0.5), start(2, 1)])
    assert simulated.free() == 0
    messages = [(at, m.trial) for at, m in drain(simulated) if isinstance(m, Reported)]
    assert messages == [(0.5, 1), (1.0, 0), (1.0, 2), (1.0, 1)]
    assert simulated.free() == 3


def test_a_resumed_trial_continues_with_its_epochs_and_its_seconds():
    simulated = executor(linear)
    simulated.submit([start(0, 1, pace=3.0)])
    drain(simulated)
    simulated.submit([WorkItem(Resume(0, 3), {"pace": 3.0}, 3)])
    epochs = [(at, m.report.epoch, m.report.seconds) for at, m in drain(simulated)[:-1]]
    assert epochs == [(6.0, 2, 6.0), (9.0, 3, 9.0)]


@pytest.mark.parametrize("decision", [Decision.PAUSE, Decision.STOP])
def test_a_decision_counts_before_the_next_epoch(decision):
    simulated = executor(linear)
    simulated.submit([start(0, 9)])

    def decide(message):
        if message.report.epoch == 2:
            simulated.decide(0, decision)

    assert len(drain(simulated, decide)) == 2
    assert simulated.free() == 1


def test_a_decision_about_another_running_trial_frees_its_worker():
    simulated = executor(linear, workers=2)
    simulated.submit([start(0, 3), start(1, 3)])
    simulated.decide(1, Decision.STOP)
    assert simulated.free() == 1
    assert {message.trial for _, message in drain(simulated)} == {0}


def test_a_decision_about_a_waiting_trial_changes_nothing():
    simulated = executor(linear)
    simulated.submit([start(0, 1)])
    simulated.decide(7, Decision.STOP)
    assert len(drain(simulated)) == 2


def test_time_that_falls_is_held():
    seconds = {1: 5.0, 2: 4.0, 3: 6.0}
    simulated = executor(lambda config, epoch: (0.0, seconds[epoch]))
    simulated.submit([start(0, 3)])
    assert [at for at, m in drain(simulated) if isinstance(m, Reported)] == [5.0, 5.0, 6.0]


def test_a_problem_that_raises_fails_the_trial_with_its_traceback():
    def evaluate(config, epoch):
        if epoch == 2:
            raise ValueError("no such curve")
        return linear(config, epoch)

    simulated = executor(evaluate)
    simulated.submit([start(0, 3)])
    failed = drain(simulated)[-1][1]
    assert isinstance(failed, Failed)
    assert failed.failure.message == "ValueError: no such curve"
    assert "no such curve" in failed.failure.traceback
    assert simulated.free() == 1


def test_seconds_that_are_no_number_are_reported():
    simulated = executor(lambda config, epoch: (0.0, float("nan")))
    with pytest.raises(InvalidInput, match=r"finite seconds.*seconds=nan at epoch 1"):
        simulated.submit([start(0, 1)])


def test_at_least_one_worker():
    with pytest.raises(InvalidInput, match="workers must be a whole number of at least 1"):
        executor(linear, workers=0)


def test_closing_forgets_what_runs():
    simulated = executor(linear)
    simulated.submit([start(0, 3)])
    simulated.close()
    assert drain(simulated) == []


def fork(trial, parent, at, until, **config):
    return WorkItem(Fork(trial, parent, at, config, until), config, until)


def epochs(messages):
    """Returns (epoch, value, seconds) by trial."""
    found = {}
    for _, message in messages:
        if isinstance(message, Reported):
            report = message.report
            line = (report.epoch, report.metrics["value"], report.seconds)
            found.setdefault(report.trial, []).append(line)
    return found


def test_a_fork_continues_along_its_own_curve_on_time_of_its_own():
    simulated = executor(linear)
    simulated.submit([start(0, 2, pace=2.0)])
    drain(simulated)
    simulated.submit([fork(1, 0, 2, 4, pace=3.0)])
    assert epochs(drain(simulated))[1] == [(3, 1 / 3, 3.0), (4, 1 / 4, 6.0)]
    assert simulated.now() == 10.0
    # It continues as any trial does.
    simulated.submit([WorkItem(Resume(1, 5), {"pace": 3.0}, 5, origin=(0, 2))])
    assert epochs(drain(simulated))[1] == [(5, 1 / 5, 9.0)]


def decay(state, config):
    """Each epoch shrinks the state by the configuration's rate; it takes two seconds."""
    state = (1.0 if state is None else state) * config["rate"]
    return state, state, 2.0


def stateful():
    return SimulatedExecutor(linear, "value", dict, 1, decay)


def test_a_problem_that_advances_a_state_forks_it():
    simulated = stateful()
    simulated.submit([start(0, 2, rate=0.5)])
    drain(simulated)
    simulated.submit([WorkItem(Resume(0, 3), {"rate": 0.5}, 3)])
    assert epochs(drain(simulated))[0] == [(3, 0.125, 6.0)]
    simulated.submit([fork(1, 0, 2, 3, rate=0.5)])
    simulated.submit([fork(2, 0, 2, 3, rate=0.1)])
    messages = epochs(drain(simulated))
    assert messages[1] == [(3, 0.125, 2.0)]  # equal values: the parent's curve
    assert messages[2] == [(3, 0.025, 2.0)]


def test_forks_of_forks_and_forks_that_outlive_their_parent():
    simulated = stateful()
    simulated.submit([start(0, 1, rate=0.5)])
    drain(simulated)
    simulated.submit([fork(1, 0, 1, 2, rate=0.5)])
    simulated.decide(0, Decision.STOP)
    drain(simulated)
    simulated.submit([fork(2, 1, 2, 3, rate=0.5)])
    assert epochs(drain(simulated))[2] == [(3, 0.125, 2.0)]


@pytest.mark.parametrize("make", [lambda: executor(linear), stateful])
def test_a_fork_of_a_state_that_is_gone_fails(make):
    simulated = make()
    simulated.submit([start(0, 2, rate=1.0)])
    drain(simulated)
    for trial, at in ((1, 3), (2, 2)):
        if trial == 2:
            simulated.decide(0, Decision.STOP)
        simulated.submit([fork(trial, 0, at, 5, rate=1.0)])
        (_, failed), *more = drain(simulated)
        assert isinstance(failed, Failed) and failed.failure.kind == "refused" and not more
        assert f"(0, {at})" in failed.failure.message
