"""Late code is stopped, on any thread; code in time never is."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from tunesmith.tokenizer.watchdog import TimeUp, time_limit


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_late_code_is_stopped_on_each_thread() -> None:
    stopped: list[float] = []

    def late() -> None:
        started = time.monotonic()
        with pytest.raises(TimeUp), time_limit(0.1):
            spin(10)
        stopped.append(time.monotonic() - started)

    threads = [threading.Thread(target=late) for _ in range(3)]
    for thread in threads:
        thread.start()
    late()
    for thread in threads:
        thread.join(timeout=20)
    assert len(stopped) == 4
    assert max(stopped) < 8


def test_code_in_time_is_never_struck_later() -> None:
    for _ in range(300):
        with time_limit(0.0):
            pass
        spin(0.001)
    spin(0.5)


def test_errors_of_the_code_come_through() -> None:
    with pytest.raises(KeyError), time_limit(5):
        raise KeyError("x")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_a_watch_of_its_own() -> None:
    with time_limit(5):
        pass
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with time_limit(0.1):
                spin(10)
        except TimeUp:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
