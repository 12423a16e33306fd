"""A plan as text and as a notebook's table, in both languages."""

from __future__ import annotations

import pytest

from kerashpo.core.records import Plan, Rung
from kerashpo.display.plan import ShownPlan, plan_html, plan_text, plan_total
from kerashpo.i18n.texts import Texts
from kerashpo.schedulers.hyperband import Hyperband

PLAN = Hyperband(9).plan()
ENGLISH, SPANISH = Texts("en"), Texts("es")


def test_text_has_a_line_for_each_bracket_and_the_total():
    lines = plan_text(PLAN, None, ENGLISH).splitlines()
    assert lines[0].split() == ["bracket", "rung", "1", "rung", "2", "rung", "3"]
    assert [line.split()[0] for line in lines[1:-2]] == ["1", "2", "3"]
    assert "9 x 1" in lines[1]
    assert lines[-1] == f"{PLAN.trials} trials, at most {PLAN.epochs} epochs"


def test_the_cells_are_explained():
    line = plan_text(PLAN, None, ENGLISH).splitlines()[-2]
    assert line == "9 x 1: 9 trials, each trained through epoch 1"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.1, "about 5 s"), (3.0, "about 2 min"), (100.0, "about 1 h 23 min")],
)
def test_the_time_is_shown_once_an_epoch_was_seen(seconds, text):
    assert text in plan_total(Plan((), 10, 50), seconds, ENGLISH)


def test_what_is_not_known_is_said():
    text = plan_text(Plan((), None, None), None, ENGLISH)
    assert text == "trials not bounded, epochs not known yet"


def test_one_trial_and_many_epochs():
    assert plan_total(Plan((), 1, 1_000_000), None, ENGLISH) == "1 trial, at most 1,000,000 epochs"


def test_the_notebook_shows_rungs_and_warnings():
    plan = Plan(((Rung(3, 1), Rung(1, 3)), (Rung(2, 3),)), 3, 5, ("a < b",))
    html = plan_html(plan, None, ENGLISH)
    assert "<td>3 x 1</td>" in html and "<td>1 x 3</td>" in html
    assert "<td>2 x 3</td>\n      <td></td>" in html
    assert "at most 5 epochs" in html and "a &lt; b" in html


def test_a_plan_speaks_spanish():
    plan = ShownPlan.of(Plan(((Rung(3, 1), Rung(1, 3)),), 3, 5), 0.5, lang="es")
    assert str(plan).splitlines() == [
        "bracket  peldaño 1  peldaño 2",
        "      1      3 x 1      1 x 3",
        "3 x 1: 3 ensayos, cada uno entrenado hasta la época 1",
        "3 ensayos, 5 épocas como máximo, unos 2 s en un proceso",
    ]
    assert "<th>peldaño 1</th>" in plan._repr_html_()


def test_the_environment_chooses_the_language(monkeypatch):
    monkeypatch.setenv("KERASHPO_LANG", "es")
    assert "ensayos" in str(ShownPlan.of(PLAN))
    assert "trials" in str(ShownPlan.of(PLAN, lang="en"))
