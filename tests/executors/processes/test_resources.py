"""Cores, threads and GPUs of workers."""

from __future__ import annotations

import os

import pytest

from kerashpo.executors.processes import resources
from kerashpo.executors.processes.resources import Place, available_cores, available_gpus, places


def test_cores_are_dealt_out_evenly_and_once():
    dealt = places(3, range(8))
    assert [place.cores for place in dealt] == [(0, 1), (2, 3, 4), (5, 6, 7)]
    assert [place.threads for place in dealt] == [2, 3, 3]


def test_more_workers_than_cores_are_left_to_the_system():
    assert set(places(5, range(2))) == {Place((), 1)}


def test_threads_can_be_equal_whatever_the_number_of_workers():
    assert {place.threads for n in (1, 2, 8) for place in places(n, range(8), threads=1)} == {1}


def test_gpus_go_round():
    dealt = places(3, range(3), ["4", "7"])
    assert [place.gpu for place in dealt] == ["4", "7", "4"]
    found = dealt[0].environment()
    assert found["CUDA_VISIBLE_DEVICES"] == "4" and found["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_without_a_gpu_visibility_is_left_alone():
    found = places(2, range(4))[0].environment()
    assert "CUDA_VISIBLE_DEVICES" not in found
    assert found["OMP_NUM_THREADS"] == found["TF_NUM_INTRAOP_THREADS"] == "2"


@pytest.mark.parametrize(
    ("given", "names"),
    [("0,1", ("0", "1")), ("GPU-ab, 1", ("GPU-ab", "1")), ("", ()), ("-1", ()), ("2,-1,3", ("2",))],
)
def test_visible_devices_count_where_they_are_set(given, names):
    assert available_gpus({"CUDA_VISIBLE_DEVICES": given}) == names


def test_otherwise_the_driver_is_asked(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setattr(resources.shutil, "which", lambda name: str(tool))
    assert available_gpus({}) == ("0", "1")
    tool.write_text("#!/bin/sh\necho no devices\nexit 9\n")
    assert available_gpus({}) == ()
    monkeypatch.setattr(resources.shutil, "which", lambda name: None)
    assert available_gpus({}) == ()


def test_the_cores_are_those_that_this_process_may_use():
    assert available_cores() == tuple(sorted(os.sched_getaffinity(0)))


def test_a_container_with_a_quota_has_fewer_workers_that_are_not_bound_to_cores():
    dealt = places(2, range(64), quota=4)
    assert dealt == (Place((), 2), Place((), 2))
    assert places(3, range(64), quota=2) == (Place((), 1),) * 3
    assert places(2, range(4), quota=8) == places(2, range(4))


def test_there_is_room_for_a_core_or_a_gpu_each_while_memory_lasts(monkeypatch):
    class Memory:
        available = 5 * 10**9

    monkeypatch.setattr(resources.psutil, "virtual_memory", Memory)
    assert resources.room(cores=64, gpus=0) == 5
    assert resources.room(cores=2, gpus=0) == 2
    assert resources.room(cores=2, gpus=3) == 3
    Memory.available = 0
    assert resources.room(cores=2, gpus=0) == 1


def test_the_quota_is_no_more_than_the_cores():
    assert 1 <= resources.core_quota() <= len(available_cores())
