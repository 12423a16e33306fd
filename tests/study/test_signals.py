"""Ctrl-C: once asks, twice stops; handlers are put back."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from kerashpo.study.signals import Interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops(number):
    with Interrupt() as interrupt:
        assert not interrupt.asked
        signal.raise_signal(number)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


def test_handlers_are_put_back_after_an_error():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ValueError, match="inside"), Interrupt():
        assert signal.getsignal(signal.SIGINT) != before[0]
        raise ValueError("inside")
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_it_can_be_entered_again():
    interrupt = Interrupt()
    for _ in range(2):
        with interrupt:
            signal.raise_signal(signal.SIGINT)
            assert interrupt.asked
            interrupt.asked = False


def test_other_threads_are_left_alone():
    failures = []

    def enter():
        try:
            with Interrupt() as interrupt:
                assert not interrupt.asked
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert failures == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("thread", [False, True])
def test_a_process_forked_meanwhile_dies_by_sigterm(thread):
    """Pools of processes end their workers by SIGTERM and wait for them, in any thread."""

    def fork():
        child = os.fork()
        if child == 0:
            # No code of Python runs here between the signal and its effect.
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            os._exit(0)
        statuses.append(os.waitpid(child, 0)[1])

    statuses = []
    with Interrupt() as interrupt:
        if thread:
            one = threading.Thread(target=fork)
            one.start()
            one.join()
        else:
            fork()
        assert signal.getsignal(signal.SIGTERM) == interrupt._notice
    assert [os.WTERMSIG(status) for status in statuses] == [signal.SIGTERM]
