"""What takes note of the messages of a session while somebody looks. Rule: it does as little as it can: a message is
kept as it is, and whoever asks has it read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

from capnweb_runtime.driving.connection import Connection

LARGEST: Final = 16 * 1024
"""Bytes of a message that is kept; of a larger one its beginning is, and its size."""
_BEGINNING: Final = 256
_COUNTED: Final = frozenset((b'["push', b'["stre', b'["pipe'))
"""How messages begin for which both ends count an id, as this side writes them."""
_HEAD: Final = len(b'["push')


class Cut(NamedTuple):
    """The beginning of a message that is too large to be kept.

    Attributes:
        beginning: of its text.
        size: bytes of the whole.
    """

    beginning: bytes
    size: int


class Reads(Protocol):
    """What reads the messages of a session."""

    def read(self, burst: Burst) -> None:
        """Reads messages that went together."""
        ...


class Burst(NamedTuple):
    """Messages that went together.

    Attributes:
        reading: of the session.
        received: whether the peer has sent them.
        at: when, by the clock of the loop.
        counted: how many messages with an id there were before, in this direction; None if that is not known.
        messages: the messages.
    """

    reading: Reads
    received: bool
    at: float
    counted: int | None
    messages: list[Any]


class Ring:
    """The last messages of all sessions that are tapped.

    Parameters:
        most: how many are kept.

    Attributes:
        skipped: how many were not, since that was asked.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._bursts: deque[Burst] = deque()
        self._messages = 0
        self.skipped = 0

    def add(self, burst: Burst) -> None:
        """Keeps messages, in the place of the oldest."""
        self._bursts.append(burst)
        self._messages += len(burst.messages)
        while self._messages > self._most and len(self._bursts) > 1:
            gone = len(self._bursts.popleft().messages)
            self._messages -= gone
            self.skipped += gone

    def take(self) -> list[Burst]:
        """What is kept, of which nothing is any more."""
        bursts, self._bursts, self._messages = [*self._bursts], deque(), 0
        return bursts

    def clear(self) -> None:
        """Forgets what is kept."""
        self._bursts.clear()
        self._messages = self.skipped = 0


class Tap:
    """Takes note of the messages of one session, to which `Connection.tap` shows them.

    Parameters:
        connection: the session's.
        reading: reads them.
        ring: keeps them.
        clock: of the loop.
    """

    def __init__(self, connection: Connection, reading: Reads, ring: Ring, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._reading = reading
        self._ring = ring
        self._clock = clock

    def received(self, messages: list[Any]) -> None:
        """Takes note of what has arrived."""
        # What waits for the session's turn has not been counted yet.
        known = None if self._connection.behind else self._connection.session.calls_received
        self._ring.add(Burst(self._reading, True, self._clock(), known, _bounded(messages)))

    def sent(self, messages: list[Any]) -> None:
        """Takes note of what is written."""
        session = self._connection.session
        before = session.calls_made - counted(session._outbox) - counted(messages)
        self._ring.add(Burst(self._reading, False, self._clock(), before, _bounded(messages)))


def counted(messages: Iterable[Any]) -> int:
    """How many of the messages of this side have an id that both ends count."""
    count = 0
    for message in messages:
        if type(message) is bytes:
            count += message[:_HEAD] in _COUNTED
        else:
            count += _begins_counted(message)
    return count


def _begins_counted(message: Any) -> bool:
    if isinstance(message, tuple):
        message = message[0]
    if isinstance(message, (bytes, bytearray)):
        return bytes(message[:_HEAD]) in _COUNTED
    return isinstance(message, list) and bool(message) and message[0] in ("push", "stream", "pipe")


def _bounded(messages: list[Any]) -> list[Any]:
    """The messages as they are kept, none of which is large."""
    if max(map(len, messages), default=0) > LARGEST or tuple in map(type, messages):
        return [*map(_kept, messages)]
    return messages


def _kept(message: Any) -> Any:
    if type(message) is tuple:
        message, *attachments = message
        size = len(message) + sum(map(len, attachments))
        return message if size <= LARGEST else Cut(_start(message), size)
    return message if len(message) <= LARGEST else Cut(_start(message), len(message))


def _start(message: Any) -> bytes:
    return message[:_BEGINNING].encode() if isinstance(message, str) else bytes(message[:_BEGINNING])
