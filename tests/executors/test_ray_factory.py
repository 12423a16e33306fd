"""The factory for Ray clusters: its arguments, and what it says where Ray is missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import partial

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.executors.factories import ExecutorRequest
from kerashpo.executors.ray.factory import Ray
from kerashpo.executors.ray.last_words import MESSAGE
from kerashpo.executors.ray.silence import Silence
from kerashpo.executors.registry import build_executor, executor_factory
from kerashpo.testing.curve_runner import CurveRunner


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "workers must be a whole number of at least 1"),
        ({"cpus_per_trial": -1}, "cpus_per_trial must be a finite number of at least 0"),
        ({"cpus_per_trial": 0}, "A trial needs a CPU or a GPU"),
        ({"address": None}, 'address must be "auto", "local" or "host:port"'),
        ({"memory_per_trial": "much"}, 'memory_per_trial must be bytes or a size such as "500MB"'),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        kt.executors.Ray(**arguments)


def test_a_worker_takes_what_a_trial_needs():
    assert Ray().needs() == {"CPU": 1.0}
    needs = Ray(cpus_per_trial=2, gpus_per_trial=0.5, memory_per_trial="1GB").needs()
    assert needs == {"CPU": 2.0, "GPU": 0.5, "memory": 1e9}


def test_workers_and_executor_name_it():
    assert executor_factory("ray") == (Ray(), None)
    assert executor_factory(4, Ray()) == (Ray(), 4)
    assert executor_factory(1, "ray", True) == (Ray(), None)


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    request = ExecutorRequest(lambda workers: partial(CurveRunner))
    with pytest.raises(MissingExtra, match=r'pip install "kerashpo\[ray\]"'):
        build_executor(request, "ray")


def test_one_late_look_at_the_head_does_not_count_it_as_lost():
    silence = Silence()
    looks = [(True, 0.0), (False, 100.0), (True, 102.0), (False, 104.0), (False, 200.0)]
    assert not any(silence.note(answered, now) for answered, now in looks)
    assert not silence.note(False, 202.0) and silence.note(False, 204.0)


WORDS = """
import os
from kerashpo.executors.ray.last_words import LastWords
words = LastWords()
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os._exit(1)"])
def test_a_process_that_is_ended_leaves_a_message(end):
    assert said(WORDS + end) == MESSAGE


@pytest.mark.parametrize("end", ["words.close()", "", "raise SystemExit(3)"])
def test_a_process_that_ends_by_itself_leaves_none(end):
    assert said(WORDS + end) == ""


def said(script):
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()
