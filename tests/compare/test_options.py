"""Flags and plans of the comparison."""

from __future__ import annotations

import pytest

from kerashpo.compare.options import Options, parse
from kerashpo.core.errors import InvalidInput


def test_the_lab_by_default():
    assert parse([]) == Options()
    options = Options()
    assert options.problem == ("breast_cancer",)
    assert options.tuners == ("hyperband", "bayesian")
    assert (options.max_epochs, options.factor) == (50, 3)
    assert (options.max_trials, options.initial_points) == (25, 5)
    assert options.out == "report/compare"


def test_flags():
    options = parse(
        "--tuners random,bayesian --seeds 3 4 --max-epochs 7 --factor 2 --max-trials 9 "
        "--initial-points 2 --workers 1 --out there --lang es --fresh --dry-run --quiet".split()
    )
    assert options == Options(
        tuners=("random", "bayesian"), seeds=(3, 4), max_epochs=7, factor=2, max_trials=9,
        initial_points=2, workers=1, out="there", lang="es", fresh=True, dry_run=True, quiet=True,
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
        ("--seeds one", "--seeds"),
        ("--max-epochs ten", "--max-epochs"),
        ("--workers 2", "--workers must be 1.*2"),
        ("--max-epoch 5", "Did you mean '--max-epochs'"),
        ("--plan missing.toml", "no plan 'missing.toml'"),
    ],
)
def test_what_cannot_be_meant(flags, message):
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        parse(flags.split())


def test_a_plan_says_the_same_and_flags_win(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('tuners = ["random"]\nmax-epochs = 5\nseeds = [0, 1]\nout = "x"\n')
    options = parse(["--plan", str(plan), "--max-epochs", "6"])
    assert options == Options(tuners=("random",), max_epochs=6, seeds=(0, 1), out="x")


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
    ],
)
def test_a_plan_that_cannot_be_meant(text, message, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        parse(["--plan", str(plan)])
