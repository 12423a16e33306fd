import io

import pytest
from rich.console import Console

from kerashpo.core.records import Plan, Rung
from kerashpo.display.plan import plan_html, plan_table, plan_text, plan_total
from kerashpo.schedulers.hyperband import Hyperband

PLAN = Hyperband(9).plan()


def test_text_has_a_line_for_each_bracket_and_the_total():
    lines = plan_text(PLAN).splitlines()
    assert lines[0].split() == ["bracket", "rung", "1", "rung", "2", "rung", "3"]
    assert [line.split()[0] for line in lines[1:-1]] == ["1", "2", "3"]
    assert "9 x 1" in lines[1]
    assert lines[-1] == f"{PLAN.trials} trials, at most {PLAN.epochs} epochs"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.1, "about 5 s"), (3.0, "about 2 min"), (100.0, "about 1 h 23 min")],
)
def test_the_time_is_told_once_an_epoch_was_seen(seconds, told):
    assert told in plan_total(Plan((), 10, 50), seconds)


def test_what_is_not_known_is_said():
    assert plan_text(Plan((), None, None)) == "trials not bounded, epochs not known yet"


def test_the_terminal_and_the_notebook_show_rungs_and_warnings():
    plan = Plan(((Rung(3, 1), Rung(1, 3)),), 3, 5, ("a < b",))
    out = io.StringIO()
    Console(file=out, width=100).print(plan_table(plan))
    for text in ("3 x 1", "1 x 3", "at most 5 epochs", "a < b"):
        assert text in out.getvalue()
    html = plan_html(plan)
    assert "<td>3 x 1</td><td>1 x 3</td>" in html
    assert "a &lt; b" in html
