"""Training by code of the user's own: `HyperModel.fit`, `run_trial`, hooks."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import ConsecutiveFailures, InvalidInput, UnusableResult
from kerashpo.core.events import Reported
from kerashpo.core.listener import Listener
from kerashpo.core.records import Fork, Status
from kerashpo.executors.messages import WorkItem
from kerashpo.tuners.run_trial import RunTrialRunner
from tests.helpers.small_models import DATA, LABELS, ROWS, build_few, eagerly, make, outcomes, place

HELD = DATA["validation_data"]


class Passing(kt.HyperModel):
    """Passes on what it gets, with a batch size of its own."""

    def build(self, hp: Any) -> keras.Model:
        return eagerly(build_few(hp))

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        kwargs["batch_size"] = hp.Choice("batch_size", [8, 16])
        return model.fit(*args, **kwargs)


class Returning(Passing):
    """Returns something else than the History."""

    def __init__(self, result: Any, calls: bool = True) -> None:
        super().__init__()
        self.result, self.calls = result, calls

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        if self.calls:
            model.fit(*args, **kwargs)
        return self.result() if callable(self.result) else self.result


def only(tuner: Any) -> Any:
    (trial,) = tuner.results.history.trials.values()
    return trial


def test_a_fit_of_ones_own_repeats_with_its_seed_and_is_reported(tmp_path):
    found = []
    for name in ("first", "second"):
        tuner = kt.RandomSearch(Passing(), max_trials=2, **place(tmp_path, name))
        tuner.search(**DATA, epochs=2)
        found.append(outcomes(tuner.results))
    assert found[0] == found[1]
    assert all("batch_size" in config for config, _, _ in found[0].values())
    facts = tuner.results.history.trials[0].facts
    assert facts["training_reason"] == "HyperModel.fit calls model.fit: the model runs eagerly"
    assert "batch_size" in tuner.results.space.names


def test_a_promoted_trial_continues_in_a_fit_of_ones_own(tmp_path):
    tuner = kt.Hyperband(Passing(), max_epochs=3, factor=3, **place(tmp_path))
    tuner.search(**DATA)
    promoted = [t for t in tuner.results.history.trials.values() if t.targets == [1, 3]]
    assert promoted and all(sorted(t.reports[0]) == [1, 2, 3] for t in promoted)
    (model,) = tuner.get_best_models()
    best = tuner.results.best
    assert model.evaluate(*HELD, verbose=0)[0] == pytest.approx(best.score, rel=1e-5)


class Anew(Passing):
    """Trains from the first epoch whenever it is called, five epochs unless it is stopped."""

    goes: tuple[int, ...] = (5,)

    def fit(self, hp: Any, model: keras.Model, x: Any, y: Any, callbacks: Any) -> Any:
        for epochs in self.goes:
            done = model.fit(x, y, validation_data=HELD, epochs=epochs, callbacks=callbacks)
        return done


class InTwoGoes(Anew):
    goes = (1, 4)


class Unheard(Anew):
    def fit(self, hp: Any, model: keras.Model, x: Any, y: Any, epochs: int = 1) -> Any:
        return model.fit(x, y, validation_data=HELD, epochs=epochs).history


def promoted_under_hyperband(hypermodel: Any, folder: Any) -> Any:
    tuner = kt.Hyperband(hypermodel, max_epochs=3, factor=3, **place(folder))
    tuner.search(ROWS[:48], LABELS[:48], verbose=0)
    assert tuner.results.failures().empty
    (one,) = [t for t in tuner.results.history.trials.values() if t.targets == [1, 3]]
    return tuner, one


@pytest.mark.parametrize(
    "cls", [Anew, *(pytest.param(one, marks=pytest.mark.slow) for one in (InTwoGoes, Unheard))]
)
def test_a_fit_that_starts_again_is_trained_from_the_start_to_its_rung(cls, tmp_path):
    with pytest.warns(UserWarning, match="HyperModel.fit trains from the first epoch") as received:
        tuner, one = promoted_under_hyperband(cls(), tmp_path / "anew")
    assert len(received) == 1
    assert sorted(one.reports[0]) == [1, 2, 3]
    assert tuner.results.epochs == tuner.plan().epochs
    if cls is Anew:  # as if it had never stopped
        plain = kt.Hyperband(build_few, max_epochs=3, factor=3, **place(tmp_path, "plain"))
        plain.search(ROWS[:48], LABELS[:48], validation_data=HELD, batch_size=32, verbose=0)
        (model,) = tuner.get_best_models()
        assert model.evaluate(*HELD, verbose=0)[0] == pytest.approx(tuner.results.best.score)


def test_a_fit_in_two_goes_counts_its_epochs_on(tmp_path):
    tuner = kt.RandomSearch(InTwoGoes(), max_trials=1, **place(tmp_path))
    tuner.search(ROWS[:48], LABELS[:48], verbose=0)
    assert sorted(only(tuner).reports[0]) == [1, 2, 3, 4, 5]


def test_a_number_that_fit_returns_is_of_the_end_of_the_rung(tmp_path):
    _, one = promoted_under_hyperband(Returning(3.0, calls=False), tmp_path)
    assert sorted(one.reports[0]) == [1, 3] and one.status is Status.COMPLETED


@pytest.mark.parametrize("result", [7.5, {"val_loss": 7.5}, [7.0, {"val_loss": 8.0}]])
def test_what_fit_returns_is_the_score_whatever_was_logged(result, tmp_path):
    tuner = kt.RandomSearch(Returning(result), max_trials=1, **place(tmp_path))
    tuner.search(**DATA, epochs=2)
    assert (tuner.results.best.score, tuner.results.epochs) == (7.5, 2)
    assert kt.open_study(tuner.project_dir).results.best.score == 7.5


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "Did you forget to return the metrics.*Received: None"),
        ("good", "must return a float, a dict.*'good'"),
        ({"val_lost": 1.0}, "without the objective 'val_loss'.*Did you mean|val_lost"),
        ({"val_loss": "low"}, "'val_loss' as 'low', which is not a number"),
        ([], "returned an empty list"),
        (keras.callbacks.History, "without the objective 'val_loss'"),
    ],
)
def test_what_fit_cannot_return(result, message, tmp_path):
    def made() -> Any:
        history = keras.callbacks.History()
        history.epoch, history.history = [0], {"val_lost": [1.0]}
        return history

    given = made if result is keras.callbacks.History else result
    tuner = kt.RandomSearch(Returning(given, calls=False), max_trials=2, **place(tmp_path))
    with pytest.raises(UnusableResult, match=f"(?s)HyperModel.fit.*{message}"):
        tuner.search(**DATA)
    assert only(tuner).failure is None  # No trial is to blame.


def test_a_history_reports_of_epochs_that_no_callback_noticed(tmp_path):
    class Silent(Passing):
        def fit(self, hp: Any, model: keras.Model, x: Any, y: Any, **_: Any) -> Any:
            return model.fit(x, y, validation_data=HELD, epochs=2)

    tuner = kt.RandomSearch(Silent(), max_trials=1, **place(tmp_path))
    tuner.search(ROWS[:48], LABELS[:48], epochs=2, verbose=0)
    assert sorted(only(tuner).reports[0]) == [1, 2]
    assert tuner.get_best_models()[0].evaluate(*HELD, verbose=0)[0] > 0


class Interrupting(Listener):
    """Presses Ctrl-C at the first epoch that it receives."""

    def __init__(self) -> None:
        self.pressed = False

    def on_event(self, event: Any, snapshot: Any) -> None:
        if isinstance(event, Reported) and not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)


def test_epochs_reported_after_the_training_are_all_reported_when_interrupted(tmp_path):
    calls = []

    class Silent(Passing):
        def fit(self, hp: Any, model: keras.Model, x: Any, y: Any, **_: Any) -> Any:
            calls.append(hp.get("units"))
            return model.fit(x, y, validation_data=HELD, epochs=2)

    found = []
    for name, listeners in (("whole", []), ("cut", [Interrupting()])):
        tuner = kt.RandomSearch(Silent(), max_trials=2, **place(tmp_path, name))
        tuner.search(ROWS[:48], LABELS[:48], epochs=2, verbose=0, listeners=listeners)
        if listeners:
            assert tuner.results.stopped == "interrupted" and tuner.results.epochs == 2
            tuner.search(ROWS[:48], LABELS[:48], epochs=2, verbose=0)
        found.append(outcomes(tuner.results))
    assert found[0] == found[1]
    assert len(calls) == 4


def test_a_run_trial_that_was_interrupted_is_reported_to_its_end(tmp_path):
    calls = []

    class Own(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(trial.trial_id)
            model = build_few(trial.hyperparameters)
            return model.fit(ROWS, LABELS, validation_data=HELD, epochs=3, verbose=0)

    tuner = Own(build_few, max_trials=2, **place(tmp_path))
    tuner.search(epochs=3, verbose=0, listeners=[Interrupting()])
    (trial,) = tuner.results.history.trials.values()
    assert (tuner.results.stopped, trial.status) == ("interrupted", Status.COMPLETED)
    assert sorted(trial.reports[0]) == [1, 2, 3]
    tuner.search(epochs=3, verbose=0)
    assert calls == ["0", "1"] and tuner.results.epochs == 6


def test_nothing_is_named_where_fit_returns_one_number(tmp_path):
    given = place(tmp_path)
    given.pop("objective")
    tuner = kt.RandomSearch(Returning(3.0), max_trials=1, **given)
    tuner.search(**DATA)
    assert (tuner.objectives[0].name, tuner.results.best.score) == ("default_objective", 3.0)


class Counting(kt.RandomSearch):
    """Notes which hooks were called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.received: list[str] = []
        super().__init__(*args, **kwargs)

    def on_search_begin(self) -> None:
        self.received.append("search begins")

    def on_search_end(self) -> None:
        self.received.append("search ends")

    def on_trial_begin(self, trial: Any) -> None:
        self.received.append(f"{trial.trial_id} begins")

    def on_trial_end(self, trial: Any) -> None:
        self.received.append(f"{trial.trial_id} {trial.status} {trial.score is not None}")

    def on_epoch_begin(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        self.received.append(f"{trial.trial_id} epoch {epoch} of {type(model).__name__}")

    def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        self.received.append(f"{trial.trial_id} epoch {epoch}: {sorted(logs)[-1]}")


def test_hooks_are_called_and_change_nothing(tmp_path):
    tuner = Counting(build_few, max_trials=2, **place(tmp_path))
    tuner.search(**DATA, epochs=2)
    epochs = ["0 epoch 0 of Sequential", "0 epoch 0: val_loss"]
    assert tuner.received[:4] == ["search begins", "0 begins", *epochs]
    assert tuner.received[-2:] == ["1 COMPLETED True", "search ends"]
    assert len(tuner.received) == 2 + 2 * (2 + 4)
    plain = kt.RandomSearch(build_few, max_trials=2, **place(tmp_path, "plain"))
    plain.search(**DATA, epochs=2)
    assert outcomes(tuner.results) == outcomes(plain.results)
    assert tuner.results.history.trials[0].facts["training"] == "compiled"


def test_batch_hooks_train_batch_by_batch(tmp_path):
    batches = []

    class Batches(kt.RandomSearch):
        def on_batch_end(self, trial: Any, model: Any, batch: int, logs: Any = None) -> None:
            batches.append((trial.trial_id, batch, "loss" in logs))

    tuner = Batches(build_few, max_trials=1, **place(tmp_path))
    tuner.search(**DATA)
    assert batches == [("0", 0, True), ("0", 1, True), ("0", 2, True)]
    assert "listens to batches" in only(tuner).facts["training_reason"]


def test_a_hook_may_log_the_objective(tmp_path):
    class Adding(kt.RandomSearch):
        def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
            logs["mine"] = 2.0 + epoch

    aim = kt.Objective("mine", "max")
    tuner = Adding(build_few, max_trials=1, **place(tmp_path, objective=aim))
    tuner.search(**DATA, epochs=2)
    assert tuner.results.best.score == 3.0


class Resized(kt.Hyperband):
    """The usual way to tune the batch size."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs["batch_size"] = trial.hyperparameters.Choice("batch_size", [8, 24])
        histories = super().run_trial(trial, *args, **kwargs)
        assert all(isinstance(h, keras.callbacks.History) for h in histories)
        return histories


def test_run_trial_changes_arguments_and_stays_exact(tmp_path):
    tuner = Resized(build_few, max_epochs=3, factor=3, max_retries_per_trial=0, **place(tmp_path))
    tuner.search(**DATA)
    trials = tuner.results.history.trials.values()
    assert all(t.status.ended and t.status is not Status.FAILED for t in trials)
    assert {t.facts["training"] for t in trials} == {"compiled"}
    one = next(t for t in trials if t.targets == [1, 3])
    assert sorted(one.reports[0]) == [1, 2, 3]
    assert one.config["batch_size"] in (8, 24)


@pytest.mark.parametrize("score", ["best", pytest.param("last", marks=pytest.mark.slow)])
def test_a_cut_search_of_ones_own_run_trial_continues_exactly(score, tmp_path):
    def tuner(name: str, **settings: Any) -> Any:
        arguments = place(tmp_path, name) | {"max_epochs": 3, "score": score, **settings}
        return Resized(build_few, **arguments)

    whole, cut, rest = tuner("whole"), tuner("cut", max_epochs_total=4), tuner("cut")
    for one in (whole, cut, rest):
        one.search(**DATA)
    assert outcomes(rest.results) == outcomes(whole.results)
    assert rest.results.best == whole.results.best


class OneTrial(kt.RandomSearch):
    """Returns what its hypermodel's ``result`` says."""

    result: Any = None

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        trial.hyperparameters.Float("x", 0.0, 1.0)
        return type(self).result(self, trial)


def ran(result: Any, folder: Any, **settings: Any) -> Any:
    cls = type("Ran", (OneTrial,), {"result": staticmethod(result)})
    tuner = cls(max_trials=1, max_consecutive_failed_trials=1, **(place(folder) | settings))
    tuner.search(verbose=0)
    return tuner


def history(**logs: list[float]) -> keras.callbacks.History:
    made = keras.callbacks.History()
    made.epoch, made.history = list(range(len(next(iter(logs.values()))))), logs
    return made


@pytest.mark.parametrize(
    ("result", "score", "runs", "epochs"),
    [
        (3.0, 3.0, 1, 1),
        (np.float32(3.0), 3.0, 1, 1),
        ({"val_loss": 2.0, "f1": 0.5}, 2.0, 1, 1),
        (history(val_loss=[4.0, 1.0, 2.0]), 1.0, 1, 3),
        ([1.0, 4.0], 2.5, 2, 2),
        ([history(val_loss=[4.0, 1.0]), history(val_loss=[2.0, 3.0])], 1.5, 2, 4),
        ({"val_loss": [4.0, 1.0, 2.0], "loss": [1.0, 1.0, 1.0]}, 1.0, 1, 3),
        ({"val_loss": np.array([4.0, 1.0])}, 1.0, 1, 2),
        ({"val_loss": [4.0, 1.0], "seconds": 7.5}, 1.0, 1, 2),
        ({"loss": [1.0, 1.0, 1.0, 1.0], "val_loss": [4.0, 2.0]}, 2.0, 1, 4),
        ([{"val_loss": [4.0, 1.0]}, {"val_loss": [2.0, 3.0]}], 1.5, 2, 4),
    ],
)
def test_what_run_trial_may_return(result, score, runs, epochs, tmp_path):
    tuner = ran(lambda self, trial: result, tmp_path)
    trial = only(tuner)
    assert (trial.score, len(trial.reports), trial.epochs) == (score, runs, epochs)
    assert trial.status is Status.COMPLETED
    assert [*trial.config] == ["x"]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "run_trial must return.*Did you forget"),
        ({"loss": 1.0}, "run_trial returned metrics without the objective 'val_loss'"),
        ({"loss": [1.0]}, "run_trial returned metrics without the objective 'val_loss'"),
        ({"val_loss": ["low"]}, "'val_loss' as 'low', which is not a number"),
        ({"val_loss": []}, "returned metrics without any epoch"),
    ],
)
def test_what_run_trial_may_not_return_ends_the_search(result, message, tmp_path):
    with pytest.raises(UnusableResult, match=f"(?s){message}"):
        ran(lambda self, trial: result, tmp_path)


def test_a_run_trial_that_returns_nan_fails_its_trial(tmp_path):
    with pytest.raises(ConsecutiveFailures, match="val_loss was never finite"):
        ran(lambda self, trial: float("nan"), tmp_path)


@pytest.mark.parametrize(
    "executor",
    ["serial", pytest.param(kt.executors.Processes(workers=1), marks=pytest.mark.slow)],
    ids=["serial", "a worker"],
)
def test_keras_tuners_errors_mean_what_they_mean_there(executor, tmp_path):
    built = tmp_path / "built"

    def build(hp: Any, raises: str = "FailedTrialError") -> keras.Model:
        if hp.Int("units", 2, 9) > 2:
            with built.open("a") as file:
                file.write(f"{hp.get('units')}\n")
            raise getattr(kt.errors, raises)("too wide")
        return make(2)

    settings = {"max_retries_per_trial": 2, "max_consecutive_failed_trials": 2}
    arguments = {"executor": executor, **settings}
    tuner = kt.RandomSearch(build, **arguments, **place(tmp_path))
    built.unlink(missing_ok=True)  # what discovery built
    with pytest.raises(ConsecutiveFailures, match="too wide"):
        tuner.search(**DATA)
    kinds = {*tuner.results.failures()["kind"]}
    names = built.read_text().split()
    assert kinds == {"refused"} and len(names) == len({*names})
    fatal = kt.RandomSearch(
        lambda hp: build(hp, "FatalError"), **arguments, **place(tmp_path, "fatal")
    )
    with pytest.raises((kt.errors.FatalError, InvalidInput), match="too wide"):
        fatal.search(**DATA)
    assert fatal.results.failures().empty


def test_a_search_that_a_fatal_error_ended_continues(tmp_path):
    def result(self: Any, trial: Any) -> float:
        if not (tmp_path / "mended").exists():
            raise kt.errors.FatalValueError("the data are missing")
        return 2.0

    with pytest.raises(kt.errors.FatalValueError, match="the data are missing"):
        ran(result, tmp_path)
    (tmp_path / "mended").touch()
    tuner = ran(result, tmp_path)
    assert (only(tuner).score, "died" in only(tuner).facts) == (2.0, False)


def test_a_number_returned_after_the_engines_training_is_the_score(tmp_path):
    class Judged(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            super().run_trial(trial, *args, **kwargs)
            return 9.0

    tuner = Judged(build_few, max_trials=1, executions_per_trial=2, **place(tmp_path))
    tuner.search(**DATA)
    assert (only(tuner).score, len(only(tuner).reports)) == (9.0, 2)


def test_metrics_given_to_the_oracle_count(tmp_path):
    def result(self: Any, trial: Any) -> None:
        for step, value in enumerate([3.0, 2.0]):
            self.oracle.update_trial(trial.trial_id, {"val_loss": value}, step=step)

    tuner = ran(result, tmp_path)
    assert (only(tuner).score, only(tuner).epochs) == (2.0, 2)
    with pytest.raises(InvalidInput, match="works only in run_trial"):
        tuner.oracle.update_trial("0", {"val_loss": 1.0})


def test_run_trial_belongs_to_a_search(tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path))
    with pytest.raises(InvalidInput, match=r"call tuner.search\(...\)"):
        tuner.run_trial(None)


def test_an_error_in_run_trial_fails_its_trial(tmp_path):
    def result(self: Any, trial: Any) -> float:
        raise ZeroDivisionError("in run_trial")

    with pytest.raises(ConsecutiveFailures, match="in run_trial"):
        ran(result, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 2}, "methods of this tuner.*workers must be 1.*2"),
        ({"deterministic": True}, "methods of this tuner"),
        ({"cv": 3}, "cv changes what the engine trains on, but run_trial"),
        ({"fit_hp": {"batch_size": kt.space.choice([8])}}, "fit_hp changes.*but run_trial"),
    ],
)
def test_what_goes_badly_with_a_run_trial_of_ones_own(settings, message, tmp_path):
    with pytest.raises(InvalidInput, match=message):
        OneTrial(**place(tmp_path), **settings)


def test_cv_goes_badly_with_a_fit_of_ones_own(tmp_path):
    with pytest.raises(InvalidInput, match="but HyperModel.fit is overridden"):
        kt.RandomSearch(Passing(), cv=3, **place(tmp_path))


def test_no_hypermodel_and_no_run_trial(tmp_path):
    with pytest.raises(InvalidInput, match="must be a function build_model"):
        kt.RandomSearch(**place(tmp_path))


def test_a_model_is_saved_and_loaded_by_run_trial(tmp_path):
    class Saving(kt.RandomSearch):
        def run_trial(self, trial: Any, x: Any, y: Any) -> Any:
            model = self.hypermodel.build(trial.hyperparameters)
            model.fit(x, y, verbose=0)
            self.save_model(trial.trial_id, model)
            return model.evaluate(x, y, verbose=0)[0]

    tuner = Saving(lambda hp: make(hp.Int("units", 2, 8)), max_trials=2, **place(tmp_path))
    tuner.search(ROWS, LABELS)
    (model,) = tuner.get_best_models()
    found = model.evaluate(ROWS, LABELS, verbose=0)[0]
    assert found == pytest.approx(tuner.results.best.score, rel=1e-5)


def test_executions_do_not_leave_a_run_trial_of_ones_own_waiting(tmp_path):
    tuner = ran(lambda self, trial: 3.0, tmp_path, executions_per_trial=2)
    assert (only(tuner).status, only(tuner).reason) == (Status.COMPLETED, "completed")


@pytest.mark.parametrize("outcomes", [True, False])
def test_a_run_trial_of_ones_own_is_promoted_by_rungs(outcomes, tmp_path):
    received = []

    class Black(kt.Hyperband):
        def run_trial(self, trial: Any, **kwargs: Any) -> float:
            received.append(kwargs["epochs"])
            return trial.hyperparameters.Float("x", 0.0, 1.0) / kwargs["epochs"]

    class Deaf(kt.Hyperband):
        def run_trial(self, trial: Any) -> float:
            return trial.hyperparameters.Float("x", 0.0, 1.0)

    tuner = (Black if outcomes else Deaf)(max_epochs=3, factor=3, **place(tmp_path))
    tuner.search(verbose=0)
    trials = tuner.results.history.trials.values()
    assert {tuple(sorted(t.reports[0])) for t in trials} == {(1,), (1, 3), (3,)}
    assert {t.status for t in trials} == {Status.STOPPED, Status.COMPLETED}
    assert sorted({*received}) == ([1, 3] if outcomes else [])


def test_the_best_is_trained_again_by_its_own_fit(tmp_path):
    tuner = kt.RandomSearch(Passing(), max_trials=1, **place(tmp_path))
    tuner.search(**DATA, epochs=2)
    data = {name: DATA[name] for name in ("x", "y", "validation_data")}
    model = tuner.results.refit_best(**data, epochs=2)
    assert model.evaluate(*HELD, verbose=0)[0] == pytest.approx(
        only(tuner).reports[0][2].metrics["val_loss"], rel=1e-4
    )
    black = ran(lambda self, trial: 3.0, tmp_path / "black", hypermodel=lambda hp: None)
    with pytest.raises(InvalidInput, match="run_trial has its own training code"):
        black.results.refit_best(ROWS, LABELS)


class Counted(Passing):
    """Sets the epochs itself."""

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        return model.fit(*args, epochs=hp.Int("epochs", 3, 4), **kwargs)


class Asking(Passing):
    """Takes the arguments by name."""

    def fit(
        self, hp: Any, model: keras.Model, x: Any, y: Any, epochs: int, callbacks: Any = None
    ) -> Any:
        size = hp.Choice("batch_size", [8, 16])
        arguments = {"batch_size": size, "validation_data": HELD, "callbacks": callbacks}
        return model.fit(x, y, epochs=epochs, **arguments)


@pytest.mark.parametrize("own", [Counted, pytest.param(Asking, marks=pytest.mark.slow)])
def test_the_best_is_trained_again_with_the_epochs_and_values_of_its_fit(own, tmp_path):
    tuner = kt.RandomSearch(own(), max_trials=1, **place(tmp_path, objective="val_accuracy"))
    data = {name: DATA[name] for name in ("x", "y")}
    held = {"validation_data": HELD} if own is Counted else {"epochs": 3}
    tuner.search(**data, **held, verbose=0)
    received = []
    outcomes = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: received.append(epoch + 1)
    )
    more = {"validation_data": HELD} if own is Counted else {}
    model = tuner.results.refit_best(**data, **more, callbacks=[outcomes])
    best = tuner.results.best
    assert received == list(range(1, best.epoch + 1))
    _, accuracy = model.evaluate(*HELD, verbose=0)
    assert accuracy == pytest.approx(best.score, abs=1e-6)


def test_a_fit_of_ones_own_trains_in_a_worker_process(tmp_path):
    found = []
    for executor in ("serial", kt.executors.Processes(workers=1)):
        name = f"study {len(found)}"
        tuner = kt.RandomSearch(Passing(), max_trials=2, executor=executor, **place(tmp_path, name))
        tuner.search(**DATA)
        found.append({n: config for n, (config, _, _) in outcomes(tuner.results).items()})
        assert {t.status for t in tuner.results.history.trials.values()} == {Status.COMPLETED}
    assert {*found[0][0]} == {*found[1][0]}


def test_a_fork_is_refused_where_run_trial_does_not_take_over_the_parents_state():
    said = []
    inner = SimpleNamespace(
        parameters=lambda task: kt.HyperParameters(), report_new_values=lambda *_: None
    )
    tuner = SimpleNamespace(run_trial=lambda trial: 0.5, _overrides=lambda name: True)
    arranger = SimpleNamespace(request=SimpleNamespace(args=(), kwargs={}))
    settings = SimpleNamespace(seed=0, runs=1)
    oracle = SimpleNamespace(report_to=None, reports=lambda trial: {})
    runner = RunTrialRunner(tuner, oracle, inner, arranger, settings, planned=False)
    runner.train(WorkItem(Fork(7, 0, 2, {}, 4), {}, 4), said.append)
    (failed,) = said
    assert "trial 0 after epoch 2" in failed.failure.message
    assert "super().run_trial" in failed.failure.message
