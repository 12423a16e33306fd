"""``warm_start=``: earlier studies of every form, mapped, damaged, misleading."""

from __future__ import annotations

import json
import warnings

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, StudyMismatch, StudyNotFound
from kerashpo.core.records import Objective
from kerashpo.experience.warm_start import read_warm_start
from kerashpo.store.open import LOG_NAME
from kerashpo.tuners.study_file import SCHEMA, run_file
from tests.helpers.small_models import DATA, build_few, place

SPACE = kt.Space({"x": kt.space.uniform(-1, 1), "kind": kt.space.choice(["a", "b"])})
VALUE = (Objective("value", "min"),)


def bowl(config):
    return config["x"] ** 2 + (config["kind"] == "b")


def search(fn=bowl, space=SPACE, **more):
    given = {"max_trials": 6, "seed": 0, "verbose": 0, "algorithm": "random", **more}
    return kt.optimize(fn, space, **given)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with two studies."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (1, 2):
        search(seed=seed, directory=folder / f"study{seed}")
    return folder


def first(results, count=1):
    trials = results.history.trials
    return [dict(trials[n].config) for n in range(count)]


@pytest.mark.parametrize("algorithm", ["bayesian", "tpe", "random", "auto", "cmaes"])
def test_the_best_of_each_earlier_study_come_first(runs, algorithm):
    best = [dict(kt.open_study(runs / name).results.best.config) for name in ("study1", "study2")]
    found = search(algorithm=algorithm, warm_start=runs, max_trials=4)
    assert first(found, 2) == best
    assert len({tuple(sorted(c.items())) for c in first(found, 4)}) == 4


def test_every_form_names_the_same_study(runs):
    study = kt.open_study(runs / "study1")
    pairs = [(dict(t.config), t.score) for t in study.results.history.trials.values()]
    forms = [
        str(runs / "study1"), runs / "study1", study, study.results, study.results.history, pairs,
        {"study": runs / "study1"}, [study], [pairs],
    ]  # fmt: skip
    for form in forms:
        (source,) = read_warm_start(form, SPACE, VALUE)
        assert [value for _, value in source.pairs] == [value for _, value in pairs]
    several = read_warm_start([study, runs / "study2", pairs], SPACE, VALUE)
    assert len(several) == 3
    for nothing in ((), [], None):
        assert read_warm_start(nothing, SPACE, VALUE) == ()
    for wrong in ([3], 3, {"studies": 1}, {"study": study, "rename": "x"}, [{"x": 1.0}]):
        with pytest.raises(InvalidInput, match="warm_start must be the Results"):
            read_warm_start(wrong, SPACE, VALUE)
    with pytest.raises(StudyNotFound, match="no study in"):
        read_warm_start(runs / "study1" / "logs", SPACE, VALUE)


def test_differences_of_the_spaces_are_declared_never_guessed(runs):
    space = kt.Space(
        {
            "rate": kt.space.uniform(-0.5, 5),
            "depth": kt.space.integer(1, 9),
            "loss": "mse",  # not tuned: it has one value
        }
    )
    with pytest.raises(InvalidInput, match="also has 'kind', 'x'; it has no 'depth', 'rate'"):
        read_warm_start(runs / "study1", space, VALUE)
    mapped = {
        "study": runs / "study1", "rename": {"x": "rate"}, "values": {"depth": 3}, "drop": ["kind"],
    }  # fmt: skip
    (source,) = read_warm_start(mapped, space, VALUE)
    trials = kt.open_study(runs / "study1").results.history.trials.values()
    inside = [t.config["x"] for t in trials if t.config["x"] >= -0.5]
    assert 0 < len(inside) < len(trials)
    assert [c["rate"] for c, _ in source.pairs] == inside
    assert {(c["depth"], c["loss"]) for c, _ in source.pairs} == {(3, "mse")}
    with pytest.raises(InvalidInput, match="whose values lie in the new space"):
        read_warm_start({**mapped, "values": {"depth": 10}}, space, VALUE)


@pytest.mark.parametrize(
    ("mapping", "line"),
    [
        ({"rename": {"xx": "rate"}}, "rename names 'xx', .*earlier study. Did you mean 'x'"),
        ({"drop": ["kinds"]}, "drop names 'kinds', .*earlier study. Did you mean 'kind'"),
        ({"rename": {"x": "rates"}}, "rename names 'rates', .*new space. Did you mean 'rate'"),
        ({"values": {"depht": 3}}, "values names 'depht', .*new space. Did you mean 'depth'"),
    ],
)
def test_a_misspelt_name_in_a_mapping_is_named(mapping, line, runs):
    space = kt.Space({"rate": kt.space.uniform(-1, 5), "depth": kt.space.integer(1, 9)})
    right = {"rename": {"x": "rate"}, "values": {"depth": 3}, "drop": ["kind"]}
    for study in (runs / "study1", runs):
        read_warm_start({"study": study, **right}, space, VALUE)
        with pytest.raises(InvalidInput, match=line), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # studies that are skipped first
            read_warm_start({"study": study, **right, **mapping}, space, VALUE)


def test_a_mapping_of_a_folder_may_name_parameters_of_some_studies(runs, tmp_path):
    for name in ("x", "rate"):
        space = kt.Space({name: kt.space.uniform(-1, 1)})
        search(lambda c: sum(c.values()), space, max_trials=2, directory=tmp_path / name)
    space = kt.Space({"rate": kt.space.uniform(-1, 1)})
    given = {"study": tmp_path, "rename": {"x": "rate"}}
    assert len(read_warm_start(given, space, VALUE)) == 2


def test_conditions_are_those_of_the_new_space(runs):
    under = kt.space.when("kind", "b", {"width": kt.space.integer(1, 4)})
    space = kt.Space({"x": kt.space.uniform(-1, 1), "kind": kt.space.choice(["a", "b"])}, under)
    (source,) = read_warm_start({"study": runs / "study1", "values": {"width": 2}}, space, VALUE)
    assert all(c.get("width") == (2 if c["kind"] == "b" else None) for c, _ in source.pairs)
    assert {c["kind"] for c, _ in source.pairs} == {"a", "b"}


def test_pairs_need_the_parameters_of_their_own_conditions_alone():
    under = kt.space.when("kind", "b", {"width": kt.space.integer(1, 4)})
    space = kt.Space({"x": kt.space.uniform(-1, 1), "kind": kt.space.choice(["a", "b"])}, under)
    (source,) = read_warm_start([({"x": 0.1, "kind": "a"}, 1.0)], space, VALUE)
    assert dict(source.pairs[0][0]) == {"x": 0.1, "kind": "a"}
    with pytest.raises(InvalidInput, match="it has no 'width'"):
        read_warm_start([({"x": 0.1, "kind": "b"}, 1.0)], space, VALUE)


def test_objects_are_found_again_by_their_labels(tmp_path):
    first_space = kt.Space({"size": kt.space.choice([(1, 2), (3, 4)])})
    earlier = search(lambda c: c["size"][0], first_space, max_trials=2, directory=tmp_path / "one")
    space = kt.Space({"size": kt.space.choice([(5, 6), (3, 4), (1, 2)])})
    for form in (earlier, tmp_path / "one"):
        (source,) = read_warm_start(form, space, VALUE)
        values = {tuple(space.realise(config)["size"]): value for config, value in source.pairs}
        assert values == {(1, 2): 1.0, (3, 4): 3.0}


def test_another_objective_is_declared_too(runs):
    other = (Objective("score", "max"),)
    with pytest.raises(InvalidInput, match=r"searched for value \(min\), not for score \(max\)"):
        read_warm_start(runs / "study1", SPACE, other)
    (source,) = read_warm_start({"study": runs / "study1", "objective": "value"}, SPACE, other)
    (plain,) = read_warm_start(runs / "study1", SPACE, VALUE)
    assert [v for _, v in source.pairs] == [-v for _, v in plain.pairs]
    assert source.starts(other) == plain.starts(VALUE)
    # A study counts for the objectives that it has.
    more = read_warm_start(runs / "study1", SPACE, [*VALUE, Objective("other", "min")])
    assert [v for _, v in more[0].pairs] == [(v, None) for _, v in plain.pairs]


def test_damaged_and_foreign_studies_of_a_folder_are_skipped_by_name(runs, tmp_path):
    for name in ("good", "damaged", "foreign"):
        space = kt.Space({"z": kt.space.uniform(0, 1)}) if name == "foreign" else SPACE
        search(lambda c: 0.5, space, directory=tmp_path / name)
    (tmp_path / "damaged" / LOG_NAME).write_text('{"not": "an event"}\n')
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        sources = read_warm_start(tmp_path, SPACE, VALUE)
    assert [one.name.rpartition("/")[2] for one in sources] == ["good"]
    messages = sorted(str(one.message) for one in said)
    assert len(messages) == 2
    assert "damaged" in messages[0] and "foreign" in messages[1] and "'z'" in messages[1]


def test_a_resumed_search_goes_on_and_other_sources_are_another_search(runs, tmp_path):
    given = {"directory": tmp_path / "new", "algorithm": "bayesian"}
    search(**given, warm_start=runs, max_trials=3)
    longer = search(**given, warm_start=runs, max_trials=5)
    assert first(longer, 5) == first(search(**{**given, "directory": None}, warm_start=runs), 5)
    with pytest.raises(StudyMismatch, match="warm_start"):
        search(**given, warm_start=runs / "study1")
    # A folder of studies in which the new one lies too.
    for _ in range(2):
        search(warm_start=runs, directory=runs / "third", max_trials=2)


@pytest.mark.parametrize("name", ["Search", "RandomSearch", "ASHA", "GridSearch", "PBT"])
def test_every_tuner_takes_it(name, tmp_path):
    earlier = [({"units": 12, "rate": 1e-2}, 0.1), ({"units": 4, "rate": 1e-3}, 0.9)]
    more = {"max_epochs": 2} if name in ("ASHA", "PBT") else {}
    more |= {"population": 2} if name == "PBT" else {"max_trials": 2}
    tuner = getattr(kt, name)(build_few, **place(tmp_path), warm_start=earlier, **more)
    tuner.search(**DATA)
    assert dict(tuner.results.history.trials[0].config) == earlier[0][0]


def test_a_study_file_names_earlier_studies_beside_it(runs, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    (tmp_path / "loss.py").write_text("def loss(config):\n    return config['rate'] ** 2\n")
    body = {
        "function": "loss.py:loss",
        "space": {"rate": {"type": "uniform", "low": -1, "high": 1}},
        "search": {
            "max_trials": 2, "seed": 0, "verbose": 0, "algorithm": "tpe",
            "warm_start": [{"study": "earlier", "rename": {"x": "rate"}, "drop": ["kind"]}],
        },
    }  # fmt: skip
    jsonschema.validate(body, json.loads(SCHEMA.read_text()))
    search(directory=tmp_path / "earlier")
    (tmp_path / "study.json").write_text(json.dumps(body))
    best = kt.open_study(tmp_path / "earlier").results.best.config
    assert first(run_file(tmp_path / "study.json")) == [{"rate": best["x"]}]


LINE = kt.Space({"y": kt.space.uniform(-1, 1)})


def test_two_parameters_are_never_merged_into_one():
    pairs = [({"x": 0.1, "y": 0.2}, 1.0)]
    with pytest.raises(InvalidInput, match="Two parameters of the earlier study would be 'y'"):
        read_warm_start({"study": pairs, "rename": {"x": "y"}}, LINE, VALUE)
    given = {"study": pairs, "rename": {"x": "y"}, "drop": ["y"]}
    assert dict(read_warm_start(given, LINE, VALUE)[0].pairs[0][0]) == {"y": 0.1}
    swapped = kt.Space({"x": kt.space.uniform(-1, 1), "y": kt.space.uniform(-1, 1)})
    (source,) = read_warm_start({"study": pairs, "rename": {"x": "y", "y": "x"}}, swapped, VALUE)
    assert dict(source.pairs[0][0]) == {"x": 0.2, "y": 0.1}


def test_scores_without_a_number_do_not_leave_a_cold_start_without_a_word():
    nothing = [({"y": 0.1}, float("nan")), ({"y": 0.2}, float("inf"))]
    with pytest.raises(InvalidInput, match="no finished trial with a finite score"):
        read_warm_start(nothing, LINE, VALUE)
    (source,) = read_warm_start([*nothing, ({"y": 0.3}, 2.0)], LINE, VALUE)
    assert [value for _, value in source.pairs] == [2.0]


def test_one_pair_is_a_study_and_a_data_frame_or_a_number_to_drop_is_none():
    pandas = pytest.importorskip("pandas")
    pair = ({"y": 0.1}, 1.0)
    assert read_warm_start(pair, LINE, VALUE) == read_warm_start([pair], LINE, VALUE)
    frame = pandas.DataFrame({"y": [0.1], "score": [1.0]})
    for wrong in (frame, {"study": [pair], "drop": 3}):
        with pytest.raises(InvalidInput, match="warm_start must be the Results"):
            read_warm_start(wrong, LINE, VALUE)


@pytest.mark.parametrize("given", ["", "study1"])
def test_a_damaged_note_of_the_data_costs_no_study(given, tmp_path):
    for name in ("study1", "study2"):
        search(directory=tmp_path / name)
    (tmp_path / "study1" / "data_features.json").write_text("{{{")
    with pytest.warns(UserWarning, match="study1' without features: .*cannot be read"):
        sources = read_warm_start(tmp_path / given, SPACE, VALUE)
    assert len(sources) == (1 if given else 2)
    assert sources[0].features is None
