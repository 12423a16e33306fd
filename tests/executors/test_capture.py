"""What a trial prints: kept to its last lines, and without what displays print."""

from __future__ import annotations

import errno
import sys
import threading

import pytest

from kerashpo.core.errors import DiskFull
from kerashpo.core.events import Reached
from kerashpo.core.records import Decision, Start
from kerashpo.executors.capture import MOST, OutputCapture
from kerashpo.executors.failures import classify, is_out_of_memory
from kerashpo.executors.function import FunctionRunner
from kerashpo.executors.messages import Failed, WorkItem


def test_both_streams_are_captured_and_still_printed(capsys):
    tail = OutputCapture()
    with tail.capturing():
        print("one")
        print("two", file=sys.stderr)
    print("three")
    assert tail.text == "one\ntwo\n"
    assert capsys.readouterr() == ("one\nthree\n", "two\n")


def test_only_the_end_is_kept_and_each_trial_starts_again(capsys):
    tail = OutputCapture()
    with tail.capturing():
        print("x" * MOST + "end")
    assert len(tail.text) == MOST and tail.text.endswith("end\n")
    with tail.capturing():
        pass
    assert tail.text == ""


def test_displays_and_other_threads_are_not_captured(capsys):
    tail = OutputCapture()

    def show(message):
        print("a progress bar")
        return Decision.CONTINUE

    with tail.capturing():
        assert tail.without_capture(show)(Reached(0)) is Decision.CONTINUE
        other = threading.Thread(target=print, args=("a clock",))
        other.start()
        other.join()
        print("the trial")
    assert tail.text == "the trial\n"
    assert "a clock" in capsys.readouterr().out


def test_a_process_without_streams_trains_all_the_same(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with OutputCapture().capturing():
        pass
    assert sys.stdout is None


def test_a_stream_keeps_its_other_methods(capsys):
    with OutputCapture().capturing():
        assert sys.stdout.isatty() is False
        sys.stdout.flush()


def test_a_function_that_fails_leaves_its_last_lines(capsys):
    def fn(config):
        print("about to fail")
        raise MemoryError("no room")

    said = []
    runner = FunctionRunner(fn, ["value"], dict)
    runner.train(WorkItem(Start(0, {}, 1), {}, 1), said.append)
    (failed,) = said
    assert isinstance(failed, Failed)
    assert (failed.failure.kind, failed.failure.output) == ("memory", "about to fail\n")
    assert "no room" in failed.failure.message and "fn" in failed.failure.traceback


def allocate_numpy():
    import numpy as np

    np.zeros(10**15)


def allocate_tensorflow():
    import tensorflow as tf

    tf.zeros((10**6, 10**8))


# TensorFlow waits ten seconds for memory that another thread might free.
@pytest.mark.parametrize(
    "allocate", [allocate_numpy, pytest.param(allocate_tensorflow, marks=pytest.mark.slow)]
)
def test_memory_that_is_not_there_is_distinguished(allocate):
    with pytest.raises(Exception) as caught:
        allocate()
    assert classify("fit", caught.value).kind == "memory"


class Fills:
    """A callback, say, whose file has no room any more."""

    def __init__(self, error):
        self.error = error

    def __call__(self, config):
        raise self.error


def named(name, base=RuntimeError):
    return type(name, (base,), {})


@pytest.mark.parametrize(
    "error, memory",
    [
        (named("JaxRuntimeError")("RESOURCE_EXHAUSTED: Out of memory allocating 4 bytes."), True),
        (named("JaxRuntimeError")("INVALID_ARGUMENT: shapes"), False),
        (named("ResourceExhaustedError")("OOM when allocating tensor with shape[4]"), True),
        (named("OutOfMemoryError")("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."), True),
        (RuntimeError("boom"), False),
        (ValueError("I ran out of memory of what to say: out of memory"), False),
    ],
)
def test_what_backends_say(error, memory):
    assert is_out_of_memory(error) is memory


NO_ROOM = "No space left on device"


@pytest.mark.parametrize(
    "error, full",
    [
        (OSError(errno.ENOSPC, "whatever it says"), True),
        (OSError(errno.EDQUOT, "whatever it says"), True),
        (OSError(f"Can't write data (file write failed: errno = 28, '{NO_ROOM}')"), True),
        (named("ResourceExhaustedError", Exception)(f"events.out.tfevents; {NO_ROOM}"), True),
        (named("ResourceExhaustedError", Exception)("OOM when allocating tensor"), False),
        (OSError(errno.ENOENT, "No such file or directory"), False),
        (ValueError(f"I talk of it: {NO_ROOM}"), False),
    ],
)
def test_a_full_disk_is_no_failure_of_the_trial(error, full):
    runner, said = FunctionRunner(Fills(error), ["value"], dict), []
    if full:
        with pytest.raises(DiskFull, match="what is trained cannot write.*run the same search"):
            runner.train(WorkItem(Start(0, {}, 1), {}, 1), said.append)
    else:
        runner.train(WorkItem(Start(0, {}, 1), {}, 1), said.append)
    assert [type(message) for message in said] == ([] if full else [Failed])
