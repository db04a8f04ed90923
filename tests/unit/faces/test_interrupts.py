"""An interrupt inside the shield is kept until the end, a second one is not."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from replfix.cli.interrupts import wait_for_a_safe_point


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_waits_for_the_end_and_is_not_lost(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    done = []
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), wait_for_a_safe_point():
        os.kill(os.getpid(), number)
        done.append("what was begun")
    assert done
    assert "safe point" in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_a_second_one_comes_through() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), wait_for_a_safe_point():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        done.append("never")
    assert not done


def test_an_error_inside_is_the_error_that_is_seen() -> None:
    with pytest.raises(ValueError, match="the real one"), wait_for_a_safe_point():
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("the real one")


def test_in_another_thread_it_changes_nothing() -> None:
    found: list[object] = []

    def work() -> None:
        with wait_for_a_safe_point():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
