"""`search(final_round=...)` and `reshuffle`, with real training: results.final and its models."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.model_selection import KFold

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, NoResult, StudyMismatch
from kerashpo.i18n.texts import Texts
from tests.helpers import small_models as small

ROWS, LABELS = small.ROWS, small.LABELS
DATA = {**small.DATA, "final_round": 3}


def search(folder: Any, kind: Any = kt.RandomSearch, **more: Any) -> Any:
    given = {"max_trials": 8} if kind is kt.RandomSearch else {}
    settings = small.place(folder, objective="val_accuracy")
    tuner = kind(small.build, **{**given, **settings, **more})
    epochs = {"epochs": 2} if kind is kt.RandomSearch else {}
    tuner.search(**{**DATA, **epochs})
    return tuner


@pytest.fixture(scope="module")
def tuner(tmp_path_factory: Any) -> Any:
    return search(tmp_path_factory.mktemp("final"))


def fold_of(tuner: Any, run: int) -> tuple[np.ndarray, np.ndarray]:
    """The validation rows of a fold, from the runner's own cut."""
    from kerashpo.training.arrays import take
    from kerashpo.training.data import FitData
    from kerashpo.training.resampling import final_folds

    plain = {k: v for k, v in small.DATA.items() if k not in ("verbose",)}
    data = final_folds(FitData.from_fit(**plain), 3, tuner.results.seed)[run]
    if data.validation_rows is None:
        return data.validation[:2]
    return take(data.validation[:2], data.validation_rows)


def test_the_table_names_finalists_and_the_default(tuner: Any) -> None:
    table = tuner.results.final.table
    assert set(table["role"]) == {"tuned", "default"} and (table["folds"] == 3).all()
    assert table["trial"].iloc[0] == tuner.results.final.winner
    assert table["loss"].is_monotonic_increasing
    default = table.loc[table["role"] == "default", "trial"].item()
    assert tuner.results.history.trials[default].config == dict(tuner.space.complete({}))


def test_a_notebook_shows_the_table_in_the_reader_s_language(tuner: Any) -> None:
    results = tuner.results
    english = results.final._repr_html_()
    assert "<th>best epoch</th>" in english and "<td>untuned</td>" in english
    assert "<th>error</th>" not in english and "None" not in english
    spanish = type(results.final)(
        results.history, results.final._models, dict(tuner.space.complete({})), Texts("es")
    )._repr_html_()
    assert "<th>configuración</th>" in spanish and "<td>sin ajustar</td>" in spanish
    score = f"{results.final.table['loss'].iloc[0]:.4g}".replace(".", ",")
    assert f"<td>{score}</td>" in spanish


def test_fold_scores_are_those_of_the_stored_fold_models(tuner: Any) -> None:
    final = tuner.results.final
    scores = []
    for run in range(3):
        model = tuner._models(tuner.results.history).average([(final.winner, run)])
        logs = model.evaluate(*fold_of(tuner, run), verbose=0, return_dict=True)
        scores.append(logs["accuracy"])
    assert final.table["score"].iloc[0] == pytest.approx(np.mean(scores), abs=1e-6)
    # What to expect is less than the folds' mean at their best epochs.
    assert 0 <= final.score.low <= final.score.value < np.mean(scores) and final.score.folds == 3
    assert final.score.value < final.score.high <= 1
    best = tuner.results.best
    assert best.expected.value == final.score.value and best.expected.shown == best.score
    assert "results.final.model, from 3 folds" in repr(best)


def test_the_model_is_the_mean_of_the_winners_fold_models(tuner: Any, tmp_path: Any) -> None:
    final = tuner.results.final
    parts = [
        tuner._models(tuner.results.history).average([(final.winner, run)]).predict(ROWS, verbose=0)
        for run in range(3)
    ]
    np.testing.assert_allclose(
        final.model.predict(ROWS, verbose=0), np.mean(parts, axis=0), atol=1e-6
    )
    everyone = final.model_all
    names = [layer.name for layer in everyone.layers if "_run_" in layer.name]
    chosen = final.table.loc[final.table["weight"] > 0, "trial"]
    assert names == [f"trial_{trial}_run_{run}" for trial in chosen for run in range(3)]
    assert final.table["weight"].sum() == pytest.approx(1.0)
    final.model.save(tmp_path / "final.keras")
    again = keras.models.load_model(tmp_path / "final.keras")
    np.testing.assert_allclose(
        again.predict(ROWS, verbose=0), final.model.predict(ROWS, verbose=0), atol=1e-6
    )


def test_the_single_model_is_trained_once_on_all_rows(tuner: Any) -> None:
    final = tuner.results.final
    single = final.single
    assert single is tuner.results.final.single
    assert int(single.optimizer.iterations) == final.epochs * math.ceil(len(ROWS) / 16)
    logs = single.evaluate(ROWS, LABELS, verbose=0, return_dict=True)
    assert np.isfinite(logs["loss"])


def test_best_and_its_model_stay_those_of_the_search(tuner: Any) -> None:
    best = tuner.results.best
    model = tuner.get_best_models(1)[0]
    _, accuracy = model.evaluate(*small.DATA["validation_data"], verbose=0)
    assert accuracy == pytest.approx(best.score, abs=1e-6)


def test_it_stays_within_the_budget_that_the_search_alone_would_have(tuner: Any) -> None:
    assert tuner.results.epochs <= 8 * 2
    assert tuner.plan().epochs >= tuner.results.epochs
    assert any("final round" in note for note in tuner.plan().notes)


@pytest.mark.filterwarnings("ignore:x is a generator")
def test_the_recommended_tuner_has_one_by_itself(tmp_path: Any) -> None:
    tuner = kt.Recommended(small.build, max_trials=6, max_epochs=3, **small.place(tmp_path))
    tuner.search(**small.DATA)
    final = tuner.results.final
    assert (final.table["folds"] == 5).all() and final.score.folds == 5
    plain = kt.Recommended(small.build, max_trials=6, max_epochs=3, **small.place(tmp_path, "b"))
    plain.search(**small.DATA, final_round=False)
    with pytest.raises(NoResult):
        _ = plain.results.final

    def batches() -> Any:
        while True:
            yield ROWS[:8], LABELS[:8]

    endless = kt.Recommended(
        small.build, "loss", max_trials=2, max_epochs=1, seed=0, directory=tmp_path / "c"
    )
    endless.search(batches(), steps_per_epoch=2, verbose=0)
    assert len(endless.results) == 2


@pytest.mark.parametrize("kind", [kt.Hyperband, pytest.param(kt.ASHA, marks=pytest.mark.slow)])
def test_under_rungs(kind: Any, tmp_path: Any) -> None:
    more = {"max_epochs": 4, "factor": 2, "max_epochs_total": 60}
    made = search(tmp_path, kind, **more)
    assert made.results.epochs <= 60
    assert (made.results.final.table["folds"] == 3).all()
    assert np.isfinite(made.results.final.model.predict(ROWS, verbose=0)).all()


def test_a_default_that_was_stopped_early_is_a_finalist_within_the_budget(tmp_path: Any) -> None:
    def build(hp: Any) -> keras.Model:
        return small.make(hp.Int("units", 4, 24), hp.Choice("rate", [0.0, 1e-2, 1e-1]))

    settings = small.place(tmp_path, objective="val_accuracy")
    made = kt.Recommended(build, max_epochs=4, max_epochs_total=74, max_trials=None, **settings)
    made.search(**small.DATA, final_round=5)
    history = made.results.history
    # It learns nothing, so its rung stops it; its folds still fit into the budget.
    assert history.trials[0].config == dict(made.space.complete({}))
    assert history.trials[0].reports[0].keys() == {1, 2, 3, 4} and history.trials[0].best_epoch == 1
    assert set(made.results.final.table["role"]) == {"tuned", "default"}
    assert made.results.epochs <= 74


def test_the_same_search_again_trains_nothing_and_has_the_same_final(tuner: Any) -> None:
    folder = tuner.project_dir
    again = kt.RandomSearch(
        small.build,
        max_trials=8,
        **small.place(
            folder.rpartition("/")[0], folder.rpartition("/")[2], objective="val_accuracy"
        ),
    )
    before = tuner.results.epochs
    again.search(**DATA, epochs=2)
    assert again.results.epochs == before
    assert again.results.final.table.equals(tuner.results.final.table)
    read = kt.open_study(folder).results.final
    assert read.winner == tuner.results.final.winner and read.score == tuner.results.final.score
    with pytest.raises(InvalidInput, match="final.model needs the function that builds"):
        _ = read.model


def test_a_search_without_one_can_have_it_later(tmp_path: Any) -> None:
    settings = small.place(tmp_path, objective="val_accuracy")
    made = kt.RandomSearch(small.build, max_trials=4, **settings)
    made.search(**small.DATA, epochs=1)
    with pytest.raises(NoResult, match="final_round=5"):
        _ = made.results.final
    made.search(**DATA, epochs=1)
    assert made.results.final.table["folds"].tolist()[0] == 3


def test_weights_that_were_not_kept_are_trained_again(tmp_path: Any) -> None:
    settings = small.place(tmp_path, objective="val_accuracy", keep="none")
    made = kt.RandomSearch(small.build, max_trials=4, **settings)
    made.search(**small.DATA, epochs=1)
    before = {n: t.score for n, t in made.results.history.trials.items()}
    made.search(**DATA, epochs=1)
    assert np.isfinite(made.results.final.model_all.predict(ROWS, verbose=0)).all()
    after = made.results.history.trials
    assert {n: after[n].score for n in before} == before


def test_the_default_keeps_its_weights_however_bad_it_is(tmp_path: Any) -> None:
    settings = small.place(tmp_path, objective="val_accuracy", keep="best")
    made = kt.RandomSearch(small.build, max_trials=8, **settings)
    made.search(**DATA, epochs=2)
    assert made.results.history.trials[0].config == dict(made.space.complete({}))
    assert np.isfinite(made.results.final.model_all.predict(ROWS, verbose=0)).all()


def test_reshuffled_trials_have_splits_of_their_own(tmp_path: Any) -> None:
    settings = small.place(tmp_path, objective="val_accuracy")
    made = kt.RandomSearch(small.build_few, max_trials=3, **settings)
    made.search(**small.DATA, epochs=1, reshuffle=True)
    assert len(made.results) == 3
    assert np.isfinite(made.results.ensemble(3).predict(ROWS, verbose=0)).all()
    with pytest.raises(StudyMismatch, match="reshuffle"):
        other = kt.RandomSearch(small.build_few, max_trials=5, **settings)
        other.search(**small.DATA, epochs=1)


def test_regression(tmp_path: Any) -> None:
    def build(hp: Any) -> keras.Model:
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(hp.Int("u", 2, 9)), keras.layers.Dense(1)]
        )
        model.compile("adam", "mse")
        return model

    made = kt.RandomSearch(build, max_trials=6, **small.place(tmp_path))
    made.search(
        ROWS[:48],
        ROWS[:48, 0],
        validation_data=(ROWS[48:], ROWS[48:, 0]),
        epochs=2,
        verbose=0,
        final_round=KFold(2),
    )
    final = made.results.final
    assert final.score.value == pytest.approx(final.table["score"].iloc[0])
    assert final.model.predict(ROWS, verbose=0).shape == (64, 1)


@pytest.mark.filterwarnings("ignore:x is a generator")
def test_what_cannot_have_one_is_refused_before_anything_is_trained(tmp_path: Any) -> None:
    def batches() -> Any:
        while True:
            yield ROWS[:8], LABELS[:8]

    made = kt.RandomSearch(small.build, max_trials=4, **small.place(tmp_path))
    cases = [
        ({"x": batches(), "steps_per_epoch": 2, "final_round": 5}, r"ensemble\(10\)"),
        ({"x": ROWS, "y": LABELS, "final_round": 5}, "validation_data"),
        ({**small.DATA, "final_round": 1}, "at least 2"),
        ({**small.DATA, "final_round": "five"}, "whole number"),
        ({**small.DATA, "final_round": object()}, "splitter"),
        ({**small.DATA, "reshuffle": "yes"}, "True or False"),
        ({"x": batches(), "steps_per_epoch": 2, "reshuffle": True}, "by rows"),
    ]
    for given, message in cases:
        with pytest.raises(InvalidInput, match=message):
            made.search(**{"epochs": 1, "verbose": 0, **given})
    folds = kt.RandomSearch(small.build, max_trials=4, cv=3, **small.place(tmp_path, "cv"))
    with pytest.raises(InvalidInput, match="leave out one of them"):
        folds.search(ROWS, LABELS, epochs=1, verbose=0, final_round=3)
    tight = kt.RandomSearch(small.build, max_epochs_total=8, **small.place(tmp_path, "tight"))
    with pytest.raises(InvalidInput, match="max_epochs_total=8"):
        tight.search(**small.DATA, epochs=2, final_round=5)
    assert not (tmp_path / "study" / "study.jsonl").exists()


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_report_has_the_finalists_and_what_the_averages_cost(
    tuner: Any, tmp_path: Any, lang: str
) -> None:
    text = tuner.report(tmp_path / "report.md", lang).read_text("utf-8")
    final = tuner.results.final
    section = text.split({"en": "## Final round", "es": "## Ronda final"}[lang])[1].split("\n## ")[
        0
    ]
    table = [line for line in section.splitlines() if line.startswith("|")]
    numbers = [line.split("|")[1].strip() for line in table[2:]]
    assert numbers == [str(number) for number in final.table["trial"]]
    assert f" {len(final.members)} " in section and f" {len(final.members_all)} " in section


def test_the_weights_have_the_lowest_loss_on_rows_that_the_models_were_not_trained_on(
    tuner: Any, tmp_path: Any
) -> None:
    final = tuner.results.final
    table = final.table.set_index("trial")["weight"]
    predictions = {}
    for trial in table.index:
        for run in range(3):
            model = tuner._models(tuner.results.history).average([(trial, run)])
            predictions[trial, run] = model.predict(fold_of(tuner, run)[0], verbose=0)

    def loss(weights: Any) -> float:
        mean = [sum(w * predictions[t, r] for t, w in weights.items()) for r in range(3)]
        truth = np.concatenate([fold_of(tuner, run)[1] for run in range(3)])
        crossentropy = keras.losses.get(final.model.loss)
        return float(np.mean(crossentropy(truth.reshape(-1, 1), np.concatenate(mean))))

    found = loss(dict(table))
    assert all(found <= loss({trial: 1.0}) + 1e-6 for trial in table.index)
    mean = sum(
        weight
        / 3
        * tuner._models(tuner.results.history).average([(trial, run)]).predict(ROWS, verbose=0)
        for trial, weight in table.items()
        for run in range(3)
    )
    np.testing.assert_allclose(final.model_all.predict(ROWS, verbose=0), mean, atol=1e-6)
    final.model_all.save(tmp_path / "all.keras")
    again = keras.models.load_model(tmp_path / "all.keras")
    np.testing.assert_allclose(again.predict(ROWS, verbose=0), mean, atol=1e-6)


def test_weights_are_in_the_log_and_are_not_looked_for_again(tuner: Any) -> None:
    study = kt.open_study(tuner.project_dir)
    assert [*study.results.final.table["weight"]] == [*tuner.results.final.table["weight"]]
    log = Path(tuner.project_dir) / "study.jsonl"
    before = log.read_text("utf-8").count("final_weight")
    again = search(tuner._options.directory)
    assert again.results.final.members_all == tuner.results.final.members_all
    after = log.read_text("utf-8").count("final_weight")
    assert after == before == len(tuner.results.final.table)


class Subclassed(keras.Model):
    """A model whose inputs only data can tell."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.inner = keras.layers.Dense(units, activation="relu")
        self.outer = keras.layers.Dense(1, activation="sigmoid")

    def call(self, x: Any) -> Any:
        return self.outer(self.inner(x))


def test_models_without_an_input_are_averaged_after_their_search(tmp_path: Any) -> None:
    def build(hp: Any) -> keras.Model:
        model = Subclassed(hp.Int("units", 2, 9))
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    tuner = kt.RandomSearch(build, max_trials=8, **small.place(tmp_path, objective="val_accuracy"))
    tuner.search(**{**DATA, "epochs": 1})
    final = tuner.results.final
    parts = [
        weight / 3 * tuner._stored_models(tuner.results.history).load(trial, run)(ROWS)
        for trial, weight in zip(final.table["trial"], final.table["weight"])
        for run in range(3)
    ]
    np.testing.assert_allclose(
        final.model_all.predict(ROWS, verbose=0), np.sum(parts, axis=0), atol=1e-6
    )
