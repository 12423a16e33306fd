"""Size and memory of models as objectives of a tuner."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, StudyMismatch
from kerashpo.objectives import count_bytes, count_parameters
from tests.helpers.small_models import DATA, build_few, place


def test_bytes_count_the_type_of_each_weight():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    assert (count_parameters(model), count_bytes(model)) == (20.0, 80.0)
    half = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, dtype="float16")])
    assert count_bytes(half) == 40.0
    brain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, dtype="bfloat16")])
    assert count_bytes(brain) == 40.0


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    objective = ["val_loss", kt.objectives.size(), kt.objectives.memory()]
    where = place(tmp_path_factory.mktemp("sizes"), objective=objective)
    tuner = kt.NSGA2(build_few, max_trials=4, population_size=4, **where)
    tuner.search(**DATA, epochs=1)
    return tuner


def test_a_tuner_searches_for_the_front_and_its_values_are_those_of_the_models(searched):
    front = searched.results.pareto()
    assert [*front.columns[:4]] == ["trial", "val_loss", "size", "memory"]
    best = searched.results.best
    assert best.trial in {*front["trial"]}
    model = searched.get_best_models(1)[0]
    assert best.metrics["size"] == model.count_params()
    assert best.metrics["memory"] == 4 * model.count_params()


def test_the_volume_the_report_and_a_later_reading_have_all_objectives(searched, tmp_path):
    volume = searched.results.hypervolume()["hypervolume"].to_numpy()
    assert (np.diff(volume) >= 0).all()
    again = kt.open_study(searched.project_dir).results
    assert again.best == searched.results.best
    for lang, word in (("en", "hypervolume"), ("es", "hipervolumen")):
        page = searched.report(tmp_path / f"{lang}.html", lang=lang).read_text()
        assert word in page


def test_an_objective_that_only_has_the_name_of_a_quantity_is_explained(tmp_path):
    where = place(tmp_path, objective=["val_loss", kt.Objective("size", "min")])
    tuner = kt.RandomSearch(build_few, max_trials=1, **where)
    with pytest.raises(InvalidInput, match=r"name alone, 'size', or kerashpo.objectives.size"):
        tuner.search(**DATA, epochs=1)


def many_parameters(model):
    return model.count_params() > 50


@pytest.mark.parametrize(
    ("first", "changed", "line"),
    [
        (kt.objectives.memory(), kt.objectives.memory(8), "memory: was .*None.*, now .*8"),
        (kt.objectives.latency(), kt.objectives.latency(4), "latency: was .*now .*'batch_size': 4"),
        (kt.objectives.energy(), kt.objectives.energy(99), "energy: was .*10.0.*, now .*99.0"),
        (
            kt.Objective("large", "min", of=many_parameters, before_training=True),
            kt.Objective("large", "min", of=count_parameters, before_training=True),
            "large: was 'many_parameters",
        ),
    ],
)
@pytest.mark.parametrize("role", ["objective", "limit"])
def test_a_resume_that_measures_otherwise_is_refused(first, changed, line, role, tmp_path):
    def search(quantity):
        given = (
            {"objective": ["val_loss", quantity]}
            if role == "objective"
            else {"limits": {quantity: 1e9}}
        )
        tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path, **given))
        tuner.search(**DATA, epochs=1)
        return tuner

    assert len(search(first).results) == len(search(first).results) == 1
    with pytest.raises(StudyMismatch, match=line):
        search(changed)
