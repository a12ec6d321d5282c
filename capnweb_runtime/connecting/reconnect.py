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
    """What `Reconnect.on_connect` is told of a new session.

    Attributes:
        number: how many sessions there have been with it: 1 for the first.
        attempts: how many attempts it took since the last session that the server answered on, with this one.
        lost: what the session before it ended with; None for the first.
    """

    number: int
    attempts: int
    lost: BaseException | None


@dataclass(frozen=True)
class Reconnect:
    """How a client connects again whose session was lost: `connect(url, XStub, reconnect=Reconnect())`.

    It waits before each attempt for a time between nothing and a longest one, by chance, so that the clients of a
    server that restarts do not come all at once. The longest one begins at `first` seconds, is doubled by each attempt
    up to `longest`, and is `first` again once a session has brought an answer.

    Attributes:
        first: seconds that the first wait takes at most.
        longest: seconds that any wait takes at most.
        attempts: attempts in a row after which it gives up; None means never.
        give_up: told of what an attempt failed with, or a session ended with; True ends the client for good. Without
            it, these do: the statuses 400, 401, 403 and 404, certificates that are not valid, a server that breaks the
            protocol or speaks another one, and whatever is raised in `headers` and `on_connect` that is no
            ConnectionError or TimeoutError.
        on_connect: called with a stub of the new session's main object and a `Connected`, before calls that wait go
            out; may be async. It is the place to subscribe: what is called through the stub comes first on the new
            session. The stub, and what is got through it, ends with that session.
        on_disconnect: called with what the session ended with; may be async. What it raises is reported, and no more.
        wait_calls: calls that may wait while there is no session; those beyond fail at once.
        wait_bytes: bytes that they may take together, about.
        wait_time: seconds that one may wait; None means without end.
        clock: seconds on a clock that never goes back; for tests.
        sleep: waits for some seconds; for tests.
        random: a number from 0 up to 1; for tests.
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
        """Seconds to wait before an attempt.

        Parameters:
            failures: attempts and sessions in a row that came to nothing before.
            error: what the last one came to; a server may say in it how long to wait at least.
        """
        most = min(self.longest, self.first * 2.0 ** min(failures, 64))
        asked: object = getattr(error, "retry_after", None)
        least = float(asked) if isinstance(asked, (int, float)) else 0.0
        return max(least, 0.0) + self.random() * most

    def is_worth(self, error: BaseException, failures: int) -> bool:
        """Whether to try again.

        Parameters:
            error: what the last attempt failed with, or the last session ended with.
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
