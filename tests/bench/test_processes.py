"""Programs are waited for with limits, ended by their own handle, and what fails says which program and how."""

from __future__ import annotations

import os
import sys

import pytest

from tests.bench import processes
from tests.bench.processes import MeasureError, Server, figures

PROGRAM = (sys.executable, "-c")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_server_is_ready_when_it_says_so_and_gone_afterwards() -> None:
    with Server((*PROGRAM, "import signal; print('now READY', flush=True); signal.pause()", "{port}")) as server:
        assert server.alive
        assert server.port > 1023
    assert not is_running(server.pid)


def test_server_that_ignores_the_request_to_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_TO_END", 0.1)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('READY', flush=True); time.sleep(60)"
    )
    with Server((*PROGRAM, deaf)) as server:
        pass
    assert not is_running(server.pid)


def test_server_that_ends_at_once_is_said_to_have() -> None:
    with pytest.raises(MeasureError, match=r"^python\S* -c pass: ended before it was ready$"):
        Server((*PROGRAM, "pass"))


def test_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_TO_START", 0.1)
    with pytest.raises(MeasureError, match=r"not ready within 0 s$"):
        Server((*PROGRAM, "import time; time.sleep(60)"))


def test_figures_are_the_last_line_of_json() -> None:
    assert figures((*PROGRAM, "print('hello'); print('{\"rate\": 1}'); print('{\"rate\": 2}')"), 20) == {"rate": 2}


def test_failure_says_what_the_program_said_last() -> None:
    with pytest.raises(MeasureError, match=r": ValueError: lost$"):
        figures((*PROGRAM, "raise ValueError('lost')"), 20)


def test_program_that_prints_no_figures_has_failed() -> None:
    with pytest.raises(MeasureError, match=r": exit status 0$"):
        figures((*PROGRAM, "pass"), 20)


def test_program_that_is_not_there_is_said_to_be_missing() -> None:
    for start in (Server, lambda command: figures(command, 20)):
        with pytest.raises(MeasureError, match=r"^no-such-program --port: No such file or directory$"):
            start(("no-such-program", "--port"))


def test_program_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(MeasureError, match=r"not done within 0 s$"):
        figures((*PROGRAM, "import time; time.sleep(60)"), 0.1)
