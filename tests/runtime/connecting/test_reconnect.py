"""When a client connects again, and how long it waits."""

from __future__ import annotations

import ssl

import pytest
from websockets.exceptions import InvalidMessage

from capnweb_runtime import LimitExceeded, PeerAborted, ProtocolError, Reconnect, RpcError, SessionClosed
from capnweb_runtime.connecting.reconnect import is_fault, worth_retrying

LOST = SessionClosed("lost")


def refused(status: int) -> SessionClosed:
    return SessionClosed.at("ws://host/", "refused", status)


def caused_by(cause: BaseException) -> SessionClosed:
    error = SessionClosed("cannot connect")
    error.__cause__ = cause
    return error


def test_waits_are_doubled_up_to_the_longest_and_begin_small() -> None:
    policy = Reconnect(random=lambda: 1.0)
    assert [policy.delay(failures, LOST) for failures in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert policy.delay(10**6, LOST) == 30


def test_chance_decides_between_nothing_and_the_longest_wait() -> None:
    chances = iter([0.0, 0.5])
    policy = Reconnect(first=1.0, random=lambda: next(chances))
    assert [policy.delay(0, LOST), policy.delay(0, LOST)] == [0.0, 0.5]


def test_a_server_may_say_how_long_to_wait_at_least() -> None:
    error = SessionClosed("busy")
    error.retry_after = 7.0  # type: ignore[attr-defined]
    assert Reconnect(random=lambda: 0.0).delay(0, error) == 7.0


@pytest.mark.parametrize(
    ("error", "worth"),
    [
        (LOST, True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (LimitExceeded("too much"), True),
        (refused(429), True),
        (refused(500), True),
        (refused(503), True),
        (refused(400), False),
        (refused(401), False),
        (refused(403), False),
        (refused(404), False),
        (ProtocolError("nonsense"), False),
        (caused_by(ssl.SSLCertVerificationError("expired")), False),
        (caused_by(ssl.SSLError("wrong version number")), False),
        (caused_by(InvalidMessage("did not receive a valid HTTP response")), False),
        (caused_by(ConnectionRefusedError()), True),
        (RpcError("no"), False),
        (KeyError("token"), False),
    ],
)
def test_what_another_attempt_would_meet_again_is_not_worth_it(error: BaseException, worth: bool) -> None:
    assert worth_retrying(error) is worth
    assert Reconnect().is_worth(error, 1000) is worth


def test_attempts_in_a_row_may_be_bounded() -> None:
    assert [Reconnect(attempts=2).is_worth(LOST, failures) for failures in range(3)] == [True, True, False]


def test_the_application_may_give_up() -> None:
    policy = Reconnect(give_up=lambda error: "moved" in str(error))
    assert policy.is_worth(LOST, 0)
    assert not policy.is_worth(SessionClosed("moved away"), 0)


def test_an_abort_for_a_fault_is_told_from_a_goodbye() -> None:
    aborted = PeerAborted("the peer aborted the session: bad message")
    aborted.__cause__ = RpcError("bad message")
    assert is_fault(aborted)
    assert is_fault(LimitExceeded("too much"))
    assert not is_fault(LOST)


@pytest.mark.parametrize("times", [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0)])
def test_waits_that_make_no_sense_are_refused(times: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="at most the longest"):
        Reconnect(first=times[0], longest=times[1])
