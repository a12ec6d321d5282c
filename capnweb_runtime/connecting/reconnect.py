"""When to connect again, and how long to wait before. Rule: one function says which errors are worth it, and time and
chance are arguments.
"""

from __future__ import annotations

import asyncio
import random as chance
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from capnweb_runtime.errors import PeerAborted, ProtocolError, SessionClosed, SessionError
from capnweb_runtime.transports.ends import BadHandshake
from capnweb_runtime.transports.engine import WebSocketException

State: TypeAlias = Literal["connecting", "ready", "waiting", "closed"]
"""What a client is at: opening a connection; having a session; waiting before it tries again; at its end."""

_PROTOCOL_ERRORS: Final = (ssl.SSLError, WebSocketException, BadHandshake)
_REFUSED_FOR_GOOD: Final = frozenset((400, 401, 403, 404))
"""Statuses that another attempt would get again."""


@dataclass(frozen=True)
class Connected:
    """What `Reconnect.on_connect` is told about a new session.

    Attributes:
        number: number of the session: 1 for the first, 2 for the one after it.
        attempts: attempts that it took to open this session, that which succeeded included, counted since the last
            session on which the server has answered a call.
        lost: the exception with which the session before this one ended; None for the first.
    """

    number: int
    attempts: int
    lost: BaseException | None


@dataclass(frozen=True)
class Reconnect:
    """How a client connects again when its session is lost: `connect(url, XStub, reconnect=Reconnect())`.

    Before each attempt the client waits for a random time, so that the clients of a server that restarts do not all
    come at once. The wait is at most `first` seconds, twice that before the next attempt, and so on up to `longest`;
    it is `first` again once a session has brought an answer. A server may ask for a longer wait (Retry-After).

    Attributes:
        first: longest first wait, in seconds; more than 0.
        longest: longest wait of all, in seconds; `first` or more.
        attempts: failed attempts in a row after which the client gives up; None means never.
        give_up: function that is called with the exception with which an attempt failed or a session ended; if it
            returns True, the client gives up. Whatever it returns, the client also gives up at: a refusal with status
            400, 401, 403 or 404, an invalid certificate, a server that breaks the protocol or speaks another one, and
            any exception of `headers` or `on_connect` that is no ConnectionError, TimeoutError or SessionError.
        on_connect: function, plain or async, that is called on each new session with a stub of its main object and a
            `Connected`, before calls that were waiting are sent: the place to subscribe. That stub, and whatever is got
            through it, ends with that session.
        on_disconnect: function, plain or async, that is called with the exception with which a session ended. What it
            raises is reported to the observer, and changes nothing.
        wait_calls: calls that may wait while there is no session; further ones fail at once.
        wait_bytes: bytes that these calls may take together, roughly.
        wait_time: seconds that one call may wait; None means without end.
        clock: function that gives seconds on a clock that never goes back; for tests.
        sleep: async function that waits for a number of seconds; for tests.
        random: function that gives a number from 0 up to 1; for tests.

    Raises:
        ValueError: `first` is not more than 0, or more than `longest`.
    """

    first: float = 0.25
    longest: float = 30.0
    attempts: int | None = None
    give_up: Callable[[BaseException], bool] | None = None
    on_connect: Callable[[Any, Connected], object] | None = None
    on_disconnect: Callable[[BaseException], object] | None = None
    wait_calls: int = 1000
    wait_bytes: int = 8 * 1024 * 1024
    wait_time: float | None = 60.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], Awaitable[object]] = field(default=asyncio.sleep, repr=False)
    random: Callable[[], float] = field(default=chance.random, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.longest:
            raise ValueError(
                f"Reconnect waits from first={self.first} to longest={self.longest} seconds: the first has to be more "
                "than 0, and at most the longest"
            )

    def delay(self, failures: int, error: BaseException) -> float:
        """Chooses how long to wait before an attempt.

        Parameters:
            failures: attempts that have failed, and sessions that have brought no answer, in a row before this.
            error: exception of the last of them; its `retry_after`, if it has one, is waited in any case.

        Returns:
            Seconds.
        """
        most = min(self.longest, self.first * 2.0 ** min(failures, 64))
        asked: object = getattr(error, "retry_after", None)
        least = float(asked) if isinstance(asked, (int, float)) else 0.0
        return max(least, 0.0) + self.random() * most

    def is_worth(self, error: BaseException, failures: int) -> bool:
        """Whether the client should try again, by `attempts`, `give_up` and the errors that are final.

        Parameters:
            error: exception with which the last attempt failed, or the last session ended.
            failures: how many attempts in a row have failed.
        """
        if self.attempts is not None and failures >= self.attempts:
            return False
        return worth_retrying(error) and not (self.give_up is not None and self.give_up(error))


def worth_retrying(error: BaseException) -> bool:
    """Whether another attempt may come to something else than this."""
    if isinstance(error, ProtocolError) or _speaks_otherwise(error):
        return False
    if isinstance(error, SessionClosed):
        return error.status not in _REFUSED_FOR_GOOD
    return isinstance(error, (SessionError, ConnectionError, TimeoutError))


def is_fault(error: BaseException) -> bool:
    """Whether a session ended because one side did something wrong, which the next one may do again: how long to wait
    then goes on growing, whatever the session has brought.
    """
    return isinstance(error, PeerAborted) or not isinstance(error, SessionClosed)


def _speaks_otherwise(error: BaseException) -> bool:
    """Whether no session could be agreed on: the certificate is not valid, or what answers speaks no TLS or no
    WebSocket. An answer that breaks off is a connection that was lost.
    """
    return type(error) is SessionClosed and error.status is None and isinstance(error.__cause__, _PROTOCOL_ERRORS)
