"""What the end of a session is called, on the wire and by its error."""

from __future__ import annotations

import pytest

from capnweb_runtime.errors import (
    ConnectionLost,
    ConnectionRefused,
    GoingAway,
    LimitExceeded,
    PeerAborted,
    ProtocolError,
    SessionClosed,
)
from capnweb_runtime.transports.ends import closed_with, code_for, refusal, said, seconds_of, shown_url

NOON = 1_790_078_400.0  # Tue, 22 Sep 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (SessionClosed("not needed any more"), 1000),
        (GoingAway("the server restarts"), 1012),
        (ProtocolError("bad message"), 3000),
        (LimitExceeded("too much"), 3000),
        (TypeError("a binary frame"), 3000),
        (PeerAborted("answered in kind"), 3000),
    ],
)
def test_the_close_code_tells_why(reason: Exception, code: int) -> None:
    assert code_for(reason) == code


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((code, SessionClosed) for code in (1000, 1005, 3000, 4000, 4999)),
        *((code, GoingAway) for code in (1001, 1012, 1013)),
        *((code, PeerAborted) for code in (1002, 1003, 1007, 1008, 1009, 1010, 1011)),
        (1014, ConnectionLost),
    ],
)
def test_the_class_of_the_error_tells_what_the_code_said(code: int, error: type[SessionClosed]) -> None:
    assert closed_with(code) is error


@pytest.mark.parametrize(
    ("status", "header", "error", "wait"),
    [
        (503, "7", GoingAway, 7.0),
        (503, None, ConnectionRefused, None),
        (503, "soon", ConnectionRefused, None),
        (429, "30", ConnectionRefused, 30.0),
        (401, None, ConnectionRefused, None),
        (302, None, ConnectionRefused, None),
    ],
)
def test_a_status_is_told_with_how_long_to_wait(
    status: int, header: str | None, error: type[SessionClosed], wait: float | None
) -> None:
    refused = refusal("ws://h/", "no", status, header)
    assert type(refused) is error
    assert (str(refused), refused.url, refused.status) == ("no", "ws://h/", status)
    assert isinstance(refused, GoingAway | ConnectionRefused)
    assert refused.retry_after == wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Tue, 22 Sep 2026 12:00:30 GMT", 30.0),
        ("Tue, 22 Sep 2026 11:00:00 GMT", 0.0),
        ("Tue, 31 Feb 2026 12:00:00 GMT", None),
        ("Tue, 22 Foo 2026 12:00:00 GMT", None),
        ("Tuesday, 22-Sep-26 12:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("\N{ARABIC-INDIC DIGIT FIVE}", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert seconds_of(header, NOON) == seconds


class TestSaid:
    @pytest.mark.parametrize(
        ("body", "location", "text"),
        [
            (b"", None, "the server answered 404 Not Found"),
            (b"\n not here \nmore", None, "the server answered 404 Not Found (not here)"),
            (b"moved", "/x", "the server answered 404 Not Found (to /x)"),
            (b"a\x00\xff", None, "the server answered 404 Not Found (a\\x00\N{REPLACEMENT CHARACTER})"),
            (b"x" * 1000, None, f"the server answered 404 Not Found ({'x' * 200}…)"),
        ],
    )
    def test_status_and_first_line(self, body: bytes, location: str | None, text: str) -> None:
        assert said(404, "Not Found", body, location) == text

    def test_credentials_are_not_shown(self) -> None:
        assert shown_url("ws://user:secret@[::1]:80/rpc?x=1") == "ws://[::1]:80/rpc?x=1"
