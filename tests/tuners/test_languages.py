"""`optimize` shows its progress, in the language that was asked for."""

from __future__ import annotations

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput

SPACE = {"x": kt.space.uniform(0.0, 1.0)}


def search(**options):
    return kt.optimize(lambda c: c["x"], SPACE, algorithm="random", max_trials=3, seed=0, **options)


def test_optimize_shows_progress(capsys, tmp_path):
    search(directory=tmp_path / "s")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "optimize + random   s   value min   seed 0   1 worker"
    assert [line.partition("] ")[2][:19] for line in lines[1:4]] == [
        f"trial {number} completed: " for number in range(3)
    ]
    assert "report results.report()   or: kerashpo report" in lines[-2]


def test_a_search_in_memory_has_no_folder_to_show(capsys):
    search()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "optimize + random   value min   seed 0   1 worker"
    assert lines[-1] == "report results.report()"


def test_verbose_zero_is_silent(capsys):
    search(verbose=0)
    assert capsys.readouterr().out == ""


def test_optimize_speaks_spanish(capsys):
    found = search(lang="es")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "optimize + random   value min   semilla 0   1 proceso"
    assert "ensayo 0 completo: 0," in lines[1] and "terminó: se alcanzó max_trials" in lines
    assert repr(found).startswith("<Results: 3 ensayos (3 completos), 3 épocas, mejor value 0,")


def test_the_environment_chooses_the_language(capsys, monkeypatch):
    monkeypatch.setenv("KERASHPO_LANG", "es")
    search()
    assert "semilla 0" in capsys.readouterr().out


@pytest.mark.parametrize("call", ["optimize", "simulate", "open_study"])
def test_another_language_is_refused_before_anything_is_done(call, tmp_path):
    calls = {
        "optimize": lambda: kt.optimize(fail, SPACE, lang="fr", verbose=0),
        "simulate": lambda: kt.simulate(object(), lang="fr"),
        "open_study": lambda: kt.open_study(study(tmp_path), lang="fr"),
    }
    if call == "simulate":
        from kerashpo.problems.power_law import PowerLaw

        calls["simulate"] = lambda: kt.simulate(PowerLaw(3), max_trials=2, lang="fr")
    with pytest.raises(InvalidInput, match="Unknown language 'fr'.*en, es"):
        calls[call]()


def fail(config):
    raise AssertionError("nothing may be called")


def study(folder):
    search(directory=folder / "s", verbose=0)
    return folder / "s"
