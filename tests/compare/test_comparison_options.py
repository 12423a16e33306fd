"""Flags and plans of the comparison."""

from __future__ import annotations

import pytest

from kerashpo.compare.comparison_options import ComparisonOptions, parse
from kerashpo.core.errors import InvalidInput


def test_the_lab_by_default():
    assert parse([]) == ComparisonOptions()
    options = ComparisonOptions()
    assert options.problem == ("breast_cancer",)
    assert options.tuners == ("hyperband", "bayesian")
    assert (options.max_epochs, options.factor) == (50, 3)
    assert (options.max_trials, options.initial_points) == (25, 5)
    assert options.out == "report/compare"


def test_flags():
    options = parse(
        "--tuners random,bayesian --seeds 3 4 --max-epochs 7 --factor 2 --max-trials 9 "
        "--initial-points 2 --workers 2 --out there --lang es --fresh --dry-run --quiet".split()
    )
    assert options == ComparisonOptions(
        tuners=("random", "bayesian"), seeds=(3, 4), max_epochs=7, factor=2, max_trials=9,
        initial_points=2, workers=2, out="there", lang="es", fresh=True, dry_run=True, quiet=True,
    )  # fmt: skip


def test_what_is_named_twice_counts_once():
    options = parse("--tuners random random --seeds 1 1 2".split())
    assert (options.tuners, options.seeds) == (("random",), (1, 2))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--tuners hyperbnd", "Unknown tuner 'hyperbnd'.*Did you mean 'hyperband'"),
        ("--problem brest_cancer", "Unknown problem.*Did you mean 'breast_cancer'"),
        ("--lang de", "Unknown language 'de'.*en, es"),
        ("--max-epochs 0", "max_epochs.*at least 1.*0"),
        ("--factor 1", "factor.*at least 2"),
        ("--max-trials -3", "max_trials.*at least 1"),
        ("--initial-points 0", "initial_points.*at least 1"),
        ("--seeds -1", "a seed.*at least 0"),
        ("--seeds one", r"--seeds: invalid int value: 'one'\. See --help"),
        ("--max-epochs ten", "--max-epochs"),
        ("--workers 0", "workers.*at least 1.*0"),
        ("--workers many", 'workers.*processes side by side, or "ray".*many'),
        ("--max-epochs 9 --epochs 8", "epochs.*at least 9.*8"),
        ("--epochs many", "--epochs"),
        ("--target high", "--target"),
        ("--target nan", "target must be a finite number"),
        ("--max-epoch 5", "Did you mean '--max-epochs'"),
        ("--plan missing.toml", "no plan 'missing.toml'"),
    ],
)
def test_invalid_values(flags, message):
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        parse(flags.split())


def test_a_plan_says_the_same_and_flags_win(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('tuners = ["random"]\nmax-epochs = 5\nseeds = [0, 1]\nout = "x"\n')
    options = parse(["--plan", str(plan), "--max-epochs", "6"])
    assert options == ComparisonOptions(tuners=("random",), max_epochs=6, seeds=(0, 1), out="x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_epoch = 5", "unknown key 'max_epoch'.*Did you mean 'max_epochs'"),
        ("max_epochs =", "not valid TOML"),
        ('max_epochs = "ten"', "max_epochs must be a whole number.*'ten'"),
        ("tuners = 5", "Unknown tuner '5'"),
        ("tuners = []", "at least one tuner"),
        ("seeds = []", "at least one seed"),
        ('seeds = ["a"]', "a seed must be a whole number"),
        ("out = 3", "out must be the name of a folder.*3"),
        ('quiet = "no"', "quiet must be true or false.*'no'"),
        ("report = 1", "report must be a path.*1"),
        ('target = "high"', "target must be a finite number.*'high'"),
        ("simulated = 1", "simulated must be a table of tuners.*1"),
        ("[simulated.hyperbnd]\naccuracy = 0.96", "Did you mean 'hyperband'"),
        ("[simulated.hyperband]\nacuracy = 0.96", "accuracy and minutes.*acuracy"),
        ('[simulated.hyperband]\naccuracy = "96 %"', "numbers named accuracy.*96 %"),
    ],
)
def test_a_plan_that_is_invalid(text, message, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        parse(["--plan", str(plan)])


def test_several_budgets_are_several_comparisons():
    options = parse("--max-epochs 5 --epochs 10 20 --out there --report over/here".split())
    first, second = options.budgets()
    assert (first.total, first.out, first.report) == (10, "there/epochs-10", "over/here-10")
    assert (second.total, second.out, second.report) == (20, "there/epochs-20", "over/here-20")
    (alone,) = parse("--max-epochs 5 --epochs 10 --out there".split()).budgets()
    assert (alone.total, alone.out) == (10, "there")
    (habit,) = parse([]).budgets()
    assert habit.total is None


def test_what_somebody_simulated_is_part_of_a_plan(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text("[simulated.hyperband]\naccuracy = 0.96\nminutes = 15\n")
    assert parse(["--plan", str(plan)]).simulated == {
        "hyperband": {"accuracy": 0.96, "minutes": 15}
    }


def test_the_environment_chooses_the_language(monkeypatch):
    monkeypatch.setenv("KERASHPO_LANG", "es")
    assert ComparisonOptions().lang == "es" and ComparisonOptions(lang="en").lang == "en"
    assert parse([]).lang == "es" and parse(["--lang", "en"]).lang == "en"
