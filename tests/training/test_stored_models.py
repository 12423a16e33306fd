"""Models from a study's folder alone: `kerashpo best PATH --save model.keras [--ensemble K]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.cli import main
from tests.helpers import small_models as small


@pytest.fixture(scope="module")
def tuner(tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("stored")
    made = kt.RandomSearch(small.build, max_trials=3, **small.place(folder))
    made.search(**small.DATA, epochs=2)
    return made


def predicted(path: Path) -> np.ndarray:
    return np.asarray(keras.models.load_model(path).predict(small.ROWS, verbose=0))


def test_the_best_model_is_saved_without_build_model(
    tuner: Any, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "best.keras"
    assert main(["best", tuner.project_dir, "--save", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    right = tuner.results.best_model().predict(small.ROWS, verbose=0)
    np.testing.assert_allclose(predicted(path), right, atol=1e-6)
    logs = keras.models.load_model(path).evaluate(
        *small.DATA["validation_data"], verbose=0, return_dict=True
    )
    assert logs["loss"] == pytest.approx(tuner.results.best.score, abs=1e-5)


def test_an_ensemble_is_saved(tuner: Any, tmp_path: Path) -> None:
    path = tmp_path / "ensemble.keras"
    assert main(["best", tuner.project_dir, "--save", str(path), "--ensemble", "2"]) == 0
    right = tuner.results.ensemble(2).predict(small.ROWS, verbose=0)
    np.testing.assert_allclose(predicted(path), right, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ensemble", "3"], "goes with --save"),
        (["--save", "model.h5"], "ends in .keras"),
        (["--save", "model.keras", "--ensemble", "0"], "at least 1"),
    ],
)
def test_bad_arguments_are_reported(
    tuner: Any, arguments: list[str], message: str, capsys: Any
) -> None:
    assert main(["best", tuner.project_dir, *arguments]) != 0
    assert message in capsys.readouterr().err


def test_models_that_keras_cannot_serialise_say_so(tmp_path: Path, capsys: Any) -> None:
    def build(hp: Any) -> keras.Model:
        class Own(keras.Model):
            def __init__(self, width: int) -> None:
                super().__init__()
                self.dense = keras.layers.Dense(width, "sigmoid")

            def build(self, shape: Any) -> None:
                self.dense.build(shape)

            def call(self, x: Any) -> Any:
                return self.dense(x)

            def get_config(self) -> dict[str, Any]:
                raise NotImplementedError

        model = Own(1 + 0 * hp.Int("u", 1, 2))
        model.build((None, 4))
        model.compile("sgd", "binary_crossentropy")
        return model

    made = kt.RandomSearch(build, max_trials=1, **small.place(tmp_path))
    made.search(**small.DATA, epochs=1)
    assert main(["best", made.project_dir, "--save", str(tmp_path / "m.keras")]) != 0
    assert "cannot serialise" in capsys.readouterr().err
