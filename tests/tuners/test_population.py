"""The option population: which values are refused, and the rule that decides for "auto"."""

from __future__ import annotations

from typing import Any

import keras
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.i18n.texts import Texts
from kerashpo.training.joint_training import places
from kerashpo.tuners.population import _pays
from tests.helpers.small_models import DATA, build, place


@pytest.mark.parametrize("given", [1, 0, 2.5, True, "all", "8"])
def test_other_values_are_refused_by_name(tmp_path, given):
    with pytest.raises(InvalidInput, match=r'population must be .*trials, or "auto" or None'):
        kt.RandomSearch(build, max_trials=2, population=given, **place(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX can")
def test_a_number_needs_jax(tmp_path):
    with pytest.raises(InvalidInput, match=r"needs Keras on JAX. The backend is \w+.*leave out"):
        kt.RandomSearch(build, max_trials=2, population=8, **place(tmp_path))
    with pytest.raises(InvalidInput, match="needs Keras on JAX"):
        kt.PBT(build, population=8, together=True, **place(tmp_path))


@pytest.mark.parametrize(
    "options", [{"workers": 2}, {"deterministic": True}, {"fast": False}, {"executor": "processes"}]
)
def test_a_number_contradicts_workers_and_fit(tmp_path, options, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InvalidInput, match="as one program in this process: workers must be 1"):
        kt.RandomSearch(build, max_trials=2, population=8, **place(tmp_path), **options)


def test_a_number_contradicts_training_code_of_the_user(tmp_path, monkeypatch):
    class Own(kt.RandomSearch):
        def on_epoch_end(self, *arguments: Any, **named: Any) -> None:
            return

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InvalidInput, match="without any other code"):
        Own(build, max_trials=2, population=8, **place(tmp_path))


def test_pbt_checks_together(tmp_path):
    with pytest.raises(InvalidInput, match='together must be "auto", True or False'):
        kt.PBT(build, together="yes", **place(tmp_path))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX can")
def test_auto_says_why_it_trains_one_by_one(tmp_path, capsys):
    tuner = kt.RandomSearch(build, max_trials=2, population="auto", lang="es", **place(tmp_path))
    tuner.search(**{**DATA, "verbose": 1}, epochs=1)
    assert "población: uno a uno, pues el backend no es JAX" in capsys.readouterr().out


def test_programs_have_powers_of_two_places():
    assert [places(n) for n in (2, 3, 4, 5, 8, 20, 32, 33, 500)] == [2, 4, 4, 8, 8, 32, 32, 32, 32]


def test_it_pays_for_enough_epochs_of_few_shapes():
    assert not _pays(1, 12, 8 * 100) and not _pays(1, 12, None)
    assert _pays(1, 12, 8 * 10).startswith("it pays from about ")
    assert _pays(2, 12, 8 * 100) and not _pays(2, 12, 8 * 1000)
    assert "one shape" in _pays(4, 12, 10**9)
    spanish = Texts("es").note(f"population: one by one, as {_pays(1, 12, 1)}")
    assert spanish.startswith("población: uno a uno, pues compensa a partir de unas ")
