"""The expected score on new data: against simulated searches, and where it is not known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kerashpo.analysis.expected_score import LOOKS, expected_of, expected_score
from kerashpo.analysis.fold_scores import averaged_score, mean_score
from kerashpo.analysis.intervals import wilson
from kerashpo.analysis.saturation import PAIRED
from tests.analysis.test_saturation import study


@pytest.mark.parametrize(
    ("truth", "rows", "trials"), [(0.9, 91, 25), (0.7, 40, 10), (0.98, 300, 40)]
)
def test_it_takes_off_the_luck_of_the_best_of_many(truth: float, rows: int, trials: int) -> None:
    # Every trial has the same true accuracy; part of its error is that of the rows, the same for
    # all, and each is scored LOOKS times.
    rng, error = np.random.default_rng(0), math.sqrt(truth * (1 - truth) / rows)
    shared = rng.normal(0, error * math.sqrt(1 - PAIRED**2), (4000, 1))
    own = rng.normal(0, error * PAIRED, (4000, round(LOOKS * trials)))
    best = np.clip((truth + shared + own).max(axis=1), 0, 1)
    found = [expected_of([float(one)] * trials, rows) for one in best]
    shown = best.mean() - truth
    assert abs(np.mean([one.value for one in found]) - truth) < 0.3 * shown
    assert np.mean([one.low <= truth <= one.high for one in found]) > 0.93
    assert all(0 <= one.low < one.value < one.high <= 1 for one in found)


def test_more_trials_and_fewer_rows_mean_more_luck() -> None:
    def luck(trials: int, rows: int, **more: bool) -> float:
        return 0.95 - expected_of([0.95] * trials, rows, **more).value

    assert 0 < luck(1, 100) < luck(5, 100) < luck(50, 100) < luck(50, 50)
    # Trials that are far behind would not have been chosen.
    assert expected_of([0.95, *[0.5] * 49], 100).value == expected_of([0.95], 100).value
    # With a split of its own each trial is lucky by itself.
    assert luck(50, 100, shared=False) > luck(50, 100)


def test_a_perfect_score_is_not_expected_again() -> None:
    found = expected_score(study([1.0] * 19 + [0.9] * 21, validation_samples=91))
    assert found is not None and (found.shown, found.trials, found.rows) == (1.0, 40, 91)
    assert 0.97 < found.value < 0.99 and found.high < 1.0
    assert str(found) == f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g})"


def test_reshuffled_splits_are_not_shared() -> None:
    scores, rows = [0.95, 0.9, 0.9], {"validation_samples": 60}
    same = expected_score(study(scores, **rows))
    own = expected_score(study(scores, settings={"fit": {"reshuffle": True}}, **rows))
    assert same is not None and own is not None and own.value < same.value


def test_it_is_not_known_without_a_basis() -> None:
    assert expected_score(study([0.9, 0.8])) is None  # the rows are not known
    loss = study([0.3, 0.4], metric="val_loss", direction="min", validation_samples=50)
    assert expected_score(loss) is None
    assert expected_score(study([], validation_samples=50)) is None


def test_fold_scores_stay_within_the_metric() -> None:
    values = [0.95, 1.0, 1.0, 1.0, 1.0]
    plain, found = mean_score(values, "val_accuracy"), averaged_score(values, "val_accuracy", 30)
    assert plain.high == 1.0 and plain.value == pytest.approx(0.99)
    assert 0 < found.low < found.value < plain.value < found.high < 1
    assert mean_score([0.99, 1.0, 1.0], "val_r2_score").high == 1.0
    assert mean_score([0.01, 0.5, 0.9], "val_auc_1").low == 0.0
    assert mean_score([97.0, 99.0, 99.5], "val_loss").high > 100
    assert averaged_score([0.2, 0.4], "val_loss", 30) == mean_score([0.2, 0.4], "val_loss")
    assert math.isnan(mean_score([0.5], "val_accuracy").low)


def test_folds_that_differ_by_more_than_chance_are_worth_fewer_rows() -> None:
    even = averaged_score([0.8, 0.8, 0.8, 0.8, 0.8], "val_accuracy", 100)
    groups = averaged_score([0.6, 0.7, 0.8, 0.9, 1.0], "val_accuracy", 100)
    assert groups.value == pytest.approx(even.value)
    assert groups.high - groups.low > 2 * (even.high - even.low)
    assert even.low == pytest.approx(wilson(even.value, 500 / 2.25)[0])


def test_scores_print_rounded_in_the_readers_language(monkeypatch):
    best = expected_of([0.967, 0.966, 0.5], 91)
    assert repr(best) == "<ExpectedScore: 0.9558 (0.892 to 0.9826); the best of 3 trials has 0.967>"
    folds = mean_score([0.9, 0.95, 0.93], "accuracy")
    assert repr(folds) == "<FoldScore: 0.9267 (0.8278 to 1, 3 folds)>"
    monkeypatch.setenv("KERASHPO_LANG", "es")
    assert str(best) == "0,9558 (de 0,892 a 0,9826)"
    assert repr(folds) == "<FoldScore: 0,9267 (de 0,8278 a 1, 3 particiones)>"
    assert str(mean_score([0.9], "accuracy")) == "0,9 (una partición)"
