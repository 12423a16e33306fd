"""The command ``kerashpo``: studies in folders, and what is typed wrongly."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import kerashpo as kt
from kerashpo import cli, optimize, space
from kerashpo.command_parser import CLOSED_PIPE
from kerashpo.core.errors import InvalidInput
from kerashpo.space.choice_labels import Label, plain_value
from kerashpo.store.open import LOG_NAME
from kerashpo.study.rerun import Command
from kerashpo.study.study import open_study

SCRIPT = """
import os, pathlib, signal, sys
import kerashpo as kt
from kerashpo import space

calls = pathlib.Path(sys.argv[1])

def fn(config):
    with calls.open("a") as file:
        file.write("x")
    if len(calls.read_text()) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return config["n"]

found = kt.optimize(fn, {"n": space.integer(1, 99)}, algorithm="random", max_trials=9, seed=0,
                    directory="study")
print("ended:", found.stopped, flush=True)
"""


@pytest.fixture
def killed(tmp_path):
    """The folder of a search that was killed at its fourth trial."""
    script = tmp_path / "search.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, "search.py", "calls"], cwd=tmp_path, check=False)
    assert done.returncode < 0
    return tmp_path / "study"


def finished(folder):
    return optimize(
        lambda config: config["n"],
        {"n": space.integer(1, 99)},
        max_trials=2,
        seed=0,
        directory=folder,
        verbose=0,
    )


def test_a_killed_search_is_resumed_by_its_command(killed, capfd, monkeypatch):
    assert cli.main(["status", str(killed)]) == 0
    out = capfd.readouterr().out
    assert "state: not finished" in out and "kB on disk" in out and "kerashpo resume" in out
    monkeypatch.chdir("/")
    assert cli.main(["resume", str(killed), "--yes"]) == 0
    out = capfd.readouterr().out
    assert "search.py calls" in out and "ended: max_trials reached" in out
    assert len(open_study(killed).results) == 9
    assert cli.main(["resume", str(killed)]) == 0
    assert "The search has ended: max_trials reached." in capfd.readouterr().out


def test_nothing_runs_without_consent(killed, capfd, monkeypatch):
    calls = killed.with_name("calls").read_text()
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert cli.main(["resume", str(killed)]) == 2
    assert "pass --yes" in capfd.readouterr().err
    terminal = io.StringIO("n\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    assert cli.main(["resume", str(killed)]) == 1
    assert killed.with_name("calls").read_text() == calls


COMMAND = """
import sys
sys.modules["ipykernel"] = sys  # a progress bar may have imported it
from kerashpo.study.rerun import Command
command = Command.current()
assert Command.from_json(command.to_json()) == command
print(command.kind)
"""


@pytest.mark.parametrize(
    ("words", "kind"),
    [(["search.py"], "script"), (["-m", "search"], "module"), (["-c", COMMAND], "console")],
)
def test_how_this_process_was_started(words, kind, tmp_path):
    (tmp_path / "search.py").write_text(COMMAND)
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == kind


HERE = Command("script", __file__, ("a b",), str(Path.cwd()))


@pytest.mark.parametrize(
    "command, message",
    [
        (Command("notebook", folder="/home/me"), "in a notebook in '/home/me'. Run its cells"),
        (Command("console"), "from a console"),
        (replace(HERE, target="/gone.py"), "'/gone.py' or its folder .* no longer exists"),
        (replace(HERE, folder="/gone"), "no longer exists"),
        (replace(HERE, target="-c"), "no longer exists"),
        (Command("module", "-c"), "'-c' is not the name of a module"),
        (Command("module", "os; import evil"), "is not the name of a module"),
    ],
)
def test_what_cannot_be_run_again_says_what_to_do(command, message):
    with pytest.raises(InvalidInput, match=message):
        command.words()


def test_a_module_is_run_as_one():
    assert Command("module", "kerashpo.compare", ("-v",)).words()[1:] == [
        "-m",
        "kerashpo.compare",
        "-v",
    ]


@pytest.mark.parametrize("body", [{}, {"kind": "script"}, {"arguments": 3}])
def test_a_broken_command_is_reported(body):
    with pytest.raises(InvalidInput, match="no command that can be read"):
        Command.from_json(body)


def test_the_doctor_looks_studies_over_and_repairs_them(tmp_path, capfd):
    folder = tmp_path / "study"
    finished(folder)
    assert cli.main(["doctor", str(folder)]) == 0
    assert "events, intact" in capfd.readouterr().out
    log = folder / "study.jsonl"
    data = bytearray(log.read_bytes())
    data[data.index(b'"finished":true') + 12] ^= 1
    log.write_bytes(data)
    assert cli.main(["doctor", str(folder)]) == 1
    assert "does not match its checksum" in capfd.readouterr().out
    assert cli.main(["doctor", str(folder), "--repair"]) == 0
    out = capfd.readouterr().out
    assert "repaired:" in out and "study.jsonl.damaged-1" in out and "events, intact" in out


def test_the_doctor_speaks_spanish(tmp_path, capfd, monkeypatch):
    folder = tmp_path / "study"
    finished(folder)
    assert cli.main(["doctor", str(folder), "--lang", "es"]) == 0
    assert "eventos, intacto" in capfd.readouterr().out
    monkeypatch.setenv("KERASHPO_LANG", "es")
    log = folder / "study.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"finished":true', b'"finished":trie'))
    assert cli.main(["doctor", str(folder), "--repair"]) == 0
    out = capfd.readouterr().out
    assert "reparado: se conservan" in out and "intacto" in out and "events" not in out
    monkeypatch.setattr(cli, "_PACKAGES", ("kerashpo", "no-such-package"))
    assert cli.main(["doctor"]) == 1
    out = capfd.readouterr().out
    assert "no está" in out and "Faltan: no-such-package." in out


def test_the_doctor_of_no_study(tmp_path, capfd):
    assert cli.main(["doctor", str(tmp_path)]) == 2
    assert "no study" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["stat"], "invalid choice: 'stat'", "Did you mean 'status'?"),
        (["plan"], "invalid choice: 'plan'", ""),
        (["--versoin"], "unrecognized arguments: --versoin", "Did you mean '--version'?"),
        (["--nope"], "unrecognized arguments", ""),
        (["best"], "required: path", ""),
        (["report", "x", "--ot", "y"], "unrecognized arguments: --ot", "Did you mean '--out'?"),
    ],
)
def test_what_is_typed_wrongly_has_the_nearest_word_or_none(words, message, hint, capsys):
    assert cli.main(words) == 2
    err = capsys.readouterr().err
    assert message in err and err.startswith("error: ")
    assert hint in err and bool(hint) == ("Did you mean" in err)


def test_a_flag_of_another_command_is_no_suggestion_for_itself(capsys):
    assert cli.main(["trials", "x", "--lang", "es"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stat"], "no existe la orden 'stat'. Las órdenes son .*¿Quiso decir 'status'? Véase"),
        (["status", "--langg"], "argumentos desconocidos: --langg. ¿Quiso decir '--lang'?"),
        (["best"], "faltan los argumentos: path. Véase --help."),
        (["dashboard", ".", "--port", "x"], "--port no admite el valor 'x'"),
        (["report", ".", "--out"], "--out necesita un valor"),
        (["list", "nope"], "No existe la carpeta 'nope' en '"),
        (["list", "."], "No hay ningún estudio en '.' ni en sus subcarpetas."),
        (["status", "."], "No hay ningún estudio en '.' (falta study.jsonl)."),
        (["run"], "¿Qué archivo?"),
        (["run", "no.toml"], "'no.toml' no se puede leer"),
        (["export", ".", "--to", "optun"], "biblioteca 'optun'. ¿Quiso decir 'optuna'?"),
        (["compare", "--problem", "wein"], "el problema 'wein'. ¿Quiso decir 'wine'? Se conocen"),
        (["compare", "--epochs", "5"], "debe ser al menos 50, .*: --max-epochs 5."),
        (["compare", "--tuners", "x"], "No se conoce el sintonizador 'x'. Se conocen: "),
        (["compare", "--seeds", "-1"], "una semilla debe ser un número entero de al menos 0"),
        (["compare", "--final-round", "1"], "de al menos 2 (pliegues; 0 para ninguno)"),
        (["compare", "--workers", "x"], 'de al menos 1 (procesos a la vez, o "ray")'),
        (["compare", "--plan", "no.toml"], "No existe el plan 'no.toml'."),
        (["new-problem", "3x"], "El nombre de un problema debe valer en Python"),
        (["best", ".", "--ensemble", "2"], "No hay ningún estudio"),
        (["worker", "here", "--key-file", "k"], "es HOST:PUERTO, como dice su nota"),
    ],
)
def test_errors_of_the_commands_in_spanish(words, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERASHPO_LANG", "es")
    assert cli.main(words) == 2
    pattern = ".*".join(map(re.escape, message.split(".*")))
    assert re.search(pattern, capsys.readouterr().err)


def test_the_flag_s_language_precedes_the_variable_s(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KERASHPO_LANG", "es")
    for words in (["list", "nope", "--lang", "en"], ["list", "nope", "--lang=en"]):
        assert cli.main(words) == 2
        assert "There is no folder" in capsys.readouterr().err
    finished(tmp_path / "one")
    monkeypatch.setenv("KERASHPO_LANG", "fr")
    assert cli.main(["list", str(tmp_path)]) == 2
    assert "Unknown language 'fr'" in capsys.readouterr().err


def test_damaged_studies_in_spanish(tmp_path, capsys):
    finished(tmp_path / "one")
    log = tmp_path / "one" / LOG_NAME
    log.write_bytes(log.read_bytes().replace(b'"trial":1', b'"trial":7', 1))
    for words in (["list"], ["status"]):
        assert cli.main([*words, str(tmp_path), "--lang", "es"]) == 0
        assert "no coincide con su suma de comprobación" in capsys.readouterr().out
    assert cli.main(["doctor", str(tmp_path / "one"), "--lang", "es"]) == 1
    out = capsys.readouterr().out
    assert "Se repara hasta su último suceso intacto" in out and "event " not in out


def test_a_search_is_resumed_in_spanish(killed, capsys, monkeypatch):
    terminal = io.StringIO("sí\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    assert cli.main(["resume", str(killed), "--lang", "es"]) == 0
    assert "¿Ejecutarlo? [s/N]" in capsys.readouterr().out
    assert cli.main(["resume", str(killed), "--lang", "es"]) == 0
    assert "La búsqueda terminó: se alcanzó max_trials." in capsys.readouterr().out


def test_the_package_is_the_command():
    asked = [sys.executable, "-m", "kerashpo", "--version"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout == f"kerashpo {kt.__version__}\n"


def test_the_version_and_the_bare_command(capsys):
    with pytest.raises(SystemExit) as done:
        cli.main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out == f"kerashpo {kt.__version__}\n"
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("list", "status", "resume", "new-problem"))


def test_studies_are_listed_and_status_of_the_current_folder(tmp_path, capsys, monkeypatch):
    for name in ("one", "two"):
        finished(tmp_path / "runs" / name)
    monkeypatch.chdir(tmp_path)
    for words in (["list"], ["status"], ["status", "runs"], ["list", "runs"]):
        assert cli.main(words) == 0
        head, *lines = capsys.readouterr().out.splitlines()
        assert head.split() == "study objective best trials state size last change".split()
        assert [line.split()[0] for line in lines] == ["runs/one", "runs/two"]
        row = r"runs/one +value min +\d+ +2/2 +max_trials reached +[\d.]+ \w+ +[\d.]+ s ago"
        assert re.fullmatch(row, lines[0])
    (tmp_path / "runs" / "one" / LOG_NAME).write_bytes(b"damaged")
    assert cli.main(["list"]) == 0
    _, damaged, whole = capsys.readouterr().out.splitlines()
    assert "runs/one" in damaged and "is not a study's log" in damaged and "value min" in whole
    monkeypatch.chdir(tmp_path / "runs" / "two")
    assert cli.main(["status"]) == 0
    assert "on disk" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert cli.main(["list", str(tmp_path / "empty")]) == 2
    assert "no study in or below" in capsys.readouterr().err


def test_a_reader_that_closes_the_pipe_ends_the_command_without_a_traceback(tmp_path):
    finished(tmp_path / "a")
    command = [sys.executable, "-m", "kerashpo.cli", "trials", str(tmp_path / "a")]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.returncode == CLOSED_PIPE and not done.stderr


def test_the_state_of_an_interrupted_search_is_one_word(tmp_path, capsys):
    def fn(config):
        signal.raise_signal(signal.SIGINT)  # one Ctrl-C
        return config["n"]

    optimize(fn, {"n": space.integer(1, 9)}, max_trials=3, directory=tmp_path / "a", verbose=0)
    assert cli.main(["list", str(tmp_path)]) == 0
    assert re.search(r" 1/3  interrupted +\d", capsys.readouterr().out)


def test_a_running_search_is_watched_not_resumed(killed, capfd, monkeypatch):
    log = killed / LOG_NAME
    log.with_name(f"{LOG_NAME}.owner").write_text(f"{os.getpid()} {platform.node()}\n")
    assert cli.main(["status", str(killed)]) == 0
    out = capfd.readouterr().out
    assert "state: running" in out and "kerashpo watch" in out and "resume" not in out
    monkeypatch.setenv("KERASHPO_LANG", "es")
    assert cli.main(["list", str(killed)]) == 0
    out = capfd.readouterr().out
    assert "último cambio" in out and "en marcha" in out and "hace " in out
    assert cli.main(["resume", str(killed), "--yes"]) == 2
    assert "está en marcha: sígala con kerashpo watch" in capfd.readouterr().err


def test_the_versions_name_what_is_missing_and_import_nothing(monkeypatch, capsys):
    def absent(name):
        if name == "keras":
            raise PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(cli, "version", absent)
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "keras          absent" in out and "Missing: keras." in out
    monkeypatch.setattr(cli, "version", lambda name: "1.2")
    assert cli.main(["doctor"]) == 0


def test_best_prints_choices_without_a_json_form(tmp_path, capsys):
    choices = {
        "kernel": space.choice([(3, 3), (5, 5)], default=(5, 5)),
        "reduce": space.choice([sum, None], default=sum),
    }
    optimize(lambda config: 1.0, choices, max_trials=1, seed=0, directory=tmp_path / "s", verbose=0)
    assert cli.main(["best", str(tmp_path / "s")]) == 0
    config = json.loads(capsys.readouterr().out)["config"]
    assert config == {"kernel": [5, 5], "reduce": "builtins.sum"}
    assert json.dumps([Label("None"), Label("{1}")], default=plain_value) == '[null, "{1}"]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("funktion = 'x'", "entrada desconocida, 'funktion'. ¿Quiso decir 'function'? Se conocen"),
        ("a = [", "'study.toml' no es TOML válido: "),
        ("function = 'f.py:f'", "Un archivo con una función necesita una tabla [space]."),
        (
            "function = 'f.py:f'\n[space]\nx = {type='unif', low=0, high=1}",
            "Parámetro 'x': no se conoce el tipo 'unif'. ¿Quiso decir 'uniform'?",
        ),
        (
            "function = 'f.py:f'\n[space]\nx = {type='uniform', low=2, high=1}",
            "Parámetro 'x': low=2.0 es mayor que high=1.0",
        ),
        (
            "function = 'f.py:f'\n[space]\nx = {type='uniform', low=0, high=1}\n"
            "[search]\nmax_trails = 3",
            "optimize no tiene el argumento 'max_trails'. ¿Quiso decir 'max_trials'? Sus",
        ),
    ],
)
def test_errors_of_a_study_s_file_in_spanish(text, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERASHPO_LANG", "es")
    (tmp_path / "study.toml").write_text(text, "utf-8")
    (tmp_path / "f.py").write_text("def f(config):\n    return config['x']\n", "utf-8")
    assert cli.main(["run", "study.toml"]) == 2
    assert message in capsys.readouterr().err
