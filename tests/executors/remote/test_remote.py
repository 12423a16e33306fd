"""What travels to workers on other machines: modules, code, arrays, checkpoints, versions."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.executors.remote.kept_blobs import KeptBlobs, answer
from kerashpo.executors.remote.recipe import read_recipe, write_recipe
from kerashpo.executors.remote.sources import SourceFinder, local_sources
from kerashpo.executors.remote.versions import differences, refusal, versions
from kerashpo.store.blobs import FileBlobs, MemoryBlobs
from kerashpo.store.trial_checkpoints import RunCheckpoints, free_checkpoints
from kerashpo.testing.curve_runner import CurveRunner, wave

SCRIPT = """
import pickle, sys
from kerashpo.executors.remote.recipe import write_recipe
from layers.dense import width
sys.stdout.buffer.write(pickle.dumps(write_recipe(lambda: (width(3), late()), {}, None)))
"""
READER = """
import pickle, sys
from kerashpo.executors.remote.recipe import read_recipe
print(read_recipe(pickle.load(sys.stdin.buffer), None)())
"""


def test_modules_beside_the_script_travel_also_those_imported_later(tmp_path):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project / "layers", elsewhere):
        folder.mkdir(parents=True)
    (project / "layers" / "dense.py").write_text("def width(n): return 2 * n\n")
    (project / "later.py").write_text("VALUE = 'imported late'\n")
    late = "def late():\n    import later\n    return later.VALUE\n"
    script = project / "script.py"
    script.write_text(late + SCRIPT)
    path = {"PYTHONPATH": str(Path(__file__).parents[3])}
    sent = subprocess.run([sys.executable, script], capture_output=True, check=True, env=path)
    read = subprocess.run(
        [sys.executable, "-c", READER],
        input=sent.stdout,
        capture_output=True,
        cwd=elsewhere,
        env=path,
    )
    assert read.stdout.decode().strip() == "(6, 'imported late')", read.stderr.decode()


def test_installed_modules_and_very_large_folders_stay(tmp_path):
    (tmp_path / "mine.py").write_text("A = 1\n")
    (tmp_path / "my_environment").mkdir()
    (tmp_path / "my_environment" / "theirs.py").write_text("A = 2\n")
    (tmp_path / "my_environment" / "pyvenv.cfg").touch()
    installed = [Path(sys.prefix), Path(sys.base_prefix)]
    found = local_sources(tmp_path, {"numpy": np, "pickle": pickle}, installed)
    assert set(found) == {"mine"}
    for number in range(1001):
        (tmp_path / f"data_{number}.py").touch()
    assert local_sources(tmp_path, {}, installed) == {}


def test_a_module_that_was_sent_has_its_file_in_tracebacks(tmp_path):
    (tmp_path / "mine.py").write_text("def fail():\n    raise OSError('here')\n")
    finder = SourceFinder(local_sources(tmp_path, {}, []))
    spec = finder.find_spec("mine")
    assert spec.origin == str(tmp_path / "mine.py")
    assert finder.find_spec("another") is None
    assert "raise OSError" in finder.get_source("mine")


def test_arrays_can_be_written_to_and_checkpoints_are_replaced(tmp_path):
    array, here, there = np.arange(5.0), FileBlobs(tmp_path), MemoryBlobs()
    recipe = write_recipe(partial(_pair, array, here), {}, here)
    assert recipe.size > array.nbytes and len(recipe.arrays) == 1
    sent = pickle.loads(pickle.dumps(recipe))
    for one in sent.arrays:
        one.flags.writeable = False  # as from Ray's object store
    received, blobs = read_recipe(sent, there)()
    received += 1.0
    assert received.tolist() == [1, 2, 3, 4, 5] and array.tolist() == [0, 1, 2, 3, 4]
    assert blobs is there


def _pair(array, blobs):
    return array, blobs


def test_what_cannot_be_sent_is_named():
    lock = threading.Lock()
    with pytest.raises(InvalidInput, match="callbacks cannot be sent"):
        write_recipe(partial(print, lock), {"build_model": wave, "callbacks": lock}, None)


def test_kept_checkpoints_are_those_of_the_keeper(tmp_path):
    folder = FileBlobs(tmp_path)
    kept = KeptBlobs(lambda method, arguments: answer(folder, method, arguments))
    kept.put("0/checkpoint-0-1.npz", b"one")
    assert kept.copy("0/checkpoint-0-1.npz", "1/origin-0.npz")
    assert kept.stored("1") == folder.stored("1") == ("1/origin-0.npz",)
    assert folder.get("0/checkpoint-0-1.npz") == kept.get("0/checkpoint-0-1.npz") == b"one"
    kept.free("0/checkpoint-0-1.npz")
    assert kept.get("0/checkpoint-0-1.npz") is None
    with pytest.raises(InvalidInput, match="must stay in its folder"):
        kept.put("../outside", b"")
    assert isinstance(answer(folder, "__class__", ())[1], ValueError)


def test_a_checkpoint_that_replaces_others_costs_one_request(tmp_path):
    folder, asked = FileBlobs(tmp_path), []

    def ask(method, arguments):
        asked.append(method)
        return answer(folder, method, pickle.loads(pickle.dumps(arguments)))

    checkpoints = RunCheckpoints(KeptBlobs(ask), 3)
    for epoch in range(1, 4):
        checkpoints.put(epoch, b"state", job_end=1)
    assert len(asked) == 3
    assert folder.stored() == ("3/checkpoint-0-1.npz", "3/checkpoint-0-3.npz")
    free_checkpoints(KeptBlobs(ask), 3)
    assert len(asked) == 4 and not folder.stored()


def test_versions_that_differ_are_named():
    here = versions()
    assert set(here) == {"python", "keras", "kerashpo"} and differences(here, here) == ()
    assert refusal("Node a", here, here) == ""
    there = {**here, "keras": "3.6.0"}
    del there["kerashpo"]
    text = refusal("Node a", here, there)
    assert text.startswith(f"Node a has keras 3.6.0 instead of {here['keras']}, kerashpo absent")
    assert "Install the same versions" in text


def test_a_runner_travels():
    make = read_recipe(write_recipe(partial(CurveRunner, wave), {}, None), None)
    assert isinstance(make(), CurveRunner)
