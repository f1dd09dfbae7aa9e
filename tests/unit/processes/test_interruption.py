"""Signals that interrupt the program, and the moment at which they do."""

import os
import signal

import pytest

from ser.processes.interruption import Interrupted, Listener

# Exit codes of shells and clusters: 128 plus the signal's number.
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 138, signal.SIGUSR2: 140}


@pytest.fixture(autouse=True)
def survive():
    """Signals that are not handled must not end the tests."""
    before = {number: signal.signal(number, lambda *_: None) for number in CODES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test advances."""
    seconds = [100.0]
    monkeypatch.setattr("ser.processes.interruption.time.monotonic", lambda: seconds[0])
    return seconds


@pytest.mark.parametrize("number", CODES)
def test_outside_of_a_step_every_signal_ends_the_program(number):
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as ended, Listener().ending_in_order():
        os.kill(os.getpid(), number)
    assert ended.value.code == CODES[number]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", CODES)
def test_within_a_step_it_is_kept_and_a_repetition_ends_the_program(number, clock):
    listener = Listener()
    with listener.ending_in_order():
        listener.be_patient()
        os.kill(os.getpid(), number)
        clock[0] += 0.5
        os.kill(os.getpid(), number)  # a cluster's signal, and the same one from the parent
        assert listener.heard == number
        clock[0] += 0.6
        with pytest.raises(Interrupted) as ended:
            os.kill(os.getpid(), number)
    assert ended.value.number == number
    assert (listener.heard, listener.patient) == (None, False)


def test_another_signal_is_no_repetition(clock):
    listener = Listener()
    with listener.ending_in_order():
        listener.be_patient()
        os.kill(os.getpid(), signal.SIGUSR1)
        clock[0] += 30
        os.kill(os.getpid(), signal.SIGTERM)
        assert listener.heard == signal.SIGTERM


def test_what_is_the_parents_affair_is_ignored():
    with Listener().ending_in_order(ignored=(signal.SIGINT,)):
        os.kill(os.getpid(), signal.SIGINT)
