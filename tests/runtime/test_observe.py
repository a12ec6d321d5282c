"""What an application is told of a session."""

from __future__ import annotations

import logging

import pytest

from capnweb_runtime.observe import Observer
from tests.runtime.pair import SyncHost


def test_by_default_failures_are_logged_with_their_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        Observer().target_failed("Desk.fail", error)
    (record,) = caplog.records
    assert record.name == "capnweb_runtime"
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "Desk.fail raised ValueError: no"
    assert record.exc_info is not None
    assert record.exc_info[2] is not None


def test_by_default_errors_are_sent_as_they_are() -> None:
    error = ValueError("no")
    assert Observer().sending_error(error) is error


def test_by_default_the_end_of_a_session_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    Observer().session_ended(ValueError("gone"))
    assert caplog.records == []


def test_a_host_tells_its_observer(caplog: pytest.LogCaptureFixture) -> None:
    SyncHost(Observer()).report("Desk.fail", ValueError("no"))
    assert [record.getMessage() for record in caplog.records] == ["Desk.fail raised ValueError: no"]
