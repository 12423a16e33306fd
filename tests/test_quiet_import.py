"""TensorFlow's start-up notices are dropped, other lines are not, and failures show everything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kerashpo.quiet_import import import_quietly, without_known, without_notices

NOTICES = b"""\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795733123.087056    5876 port.cc:153] oneDNN custom operations are on.
E0000 00:00:1795733123.122119    5876 cuda_platform.cc:52] failed call to cuInit: INTERNAL
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow
"""
OWN = b"UserWarning: keras.json cannot be read\nE0000 00:00:1 77 gpu_device.cc:1] out of memory\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Returns a function that writes a module which writes to standard error natively."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)

    def written(name, end=""):
        body = f"import os\nos.write(2, {NOTICES + OWN!r})\n{end}"
        (tmp_path / f"{name}.py").write_text(body)
        return name

    return written


def test_known_notices_alone_are_dropped():
    assert without_known(NOTICES + OWN + NOTICES) == OWN
    assert without_known(b"no line end") == b"no line end"


def test_other_lines_follow_the_import_and_a_failure_shows_all(package, capfd):
    import_quietly(package("speaks_natively"))
    assert capfd.readouterr().err.encode() == OWN
    with pytest.raises(ZeroDivisionError):
        import_quietly(package("fails_natively", "1 / 0"))
    assert capfd.readouterr().err.encode() == NOTICES + OWN
    with without_notices():
        print("said by Python", file=sys.stderr)
    assert "said by Python" in capfd.readouterr().err


def test_nothing_is_held_back_once_tensorflow_is_there(package, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    import_quietly(package("speaks_later"))
    assert capfd.readouterr().err.encode() == NOTICES + OWN


@pytest.mark.slow
def test_the_first_tuner_of_a_script_is_silent():
    code = "import kerashpo as kt; kt.Hyperband; print('made')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("made", "")


@pytest.mark.slow
def test_a_command_with_a_file_of_one_s_own_is_silent(tmp_path):
    """TensorFlow's notices come with the file's own import of Keras."""
    path = tmp_path / "mine.py"
    path.write_text("import keras\n")
    code = "from kerashpo.compare.__main__ import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, "--problem", f"{path}:task", "--tuners", "random"]
    clean = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(command, capture_output=True, text=True, env=clean, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"error: {path} has no 'task'. It defines: no function."]
