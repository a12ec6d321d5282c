"""What is said about a WebTransport session on the stream of its CONNECT request. Rule: a capsule has a bound before it
is read, and one of an unknown type is skipped.

Sources: https://datatracker.ietf.org/doc/html/rfc9297#section-3.2 (capsules),
https://datatracker.ietf.org/doc/html/draft-ietf-webtrans-http3 ("Session Termination": the two that are known here)
and https://datatracker.ietf.org/doc/html/rfc9000#section-16 (integers of variable length).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

CLOSE_SESSION: Final = 0x2843
DRAIN_SESSION: Final = 0x78AE
_CODE_BYTES: Final = 4
REASON_BYTES: Final = 1024
"""Bytes that the reason of a close may have."""


class Closed(NamedTuple):
    """The peer has closed the session.

    Attributes:
        code: the application's code.
        reason: the application's text.
    """

    code: int
    reason: str


class Draining(NamedTuple):
    """The peer asks for the session to be ended soon."""


class CapsuleError(Exception):
    """A capsule that is known is not well formed."""


class Capsules:
    """Puts capsules together from pieces of any size."""

    __slots__ = ("_data", "_skip")

    def __init__(self) -> None:
        self._data = bytearray()
        self._skip = 0  # bytes of an unknown capsule that are still to come

    def feed(self, data: bytes) -> Iterator[Closed | Draining]:
        """Takes what has arrived, and gives the capsules that it completes.

        Raises:
            CapsuleError: one is not well formed.
        """
        self._data += data
        while True:
            skipped = min(self._skip, len(self._data))
            del self._data[:skipped]
            self._skip -= skipped
            head = _head(self._data)
            if head is None:
                return
            kind, size, start = head
            if kind != CLOSE_SESSION:
                del self._data[:start]
                self._skip = size
                if kind == DRAIN_SESSION:
                    yield Draining()
                continue
            if not _CODE_BYTES <= size <= _CODE_BYTES + REASON_BYTES:
                raise CapsuleError(f"a capsule that closes a session cannot have {size} bytes")
            if len(self._data) < start + size:
                return
            value = bytes(self._data[start : start + size])
            del self._data[: start + size]
            yield _closed(value)


def close_session(code: int, reason: str) -> bytes:
    """The capsule that closes a session.

    Parameters:
        code: an unsigned number of 32 bits.
        reason: is cut to what fits, at a character boundary.
    """
    text = reason.encode("utf-8", "replace")[:REASON_BYTES].decode("utf-8", "ignore").encode()
    return _capsule(CLOSE_SESSION, code.to_bytes(_CODE_BYTES, "big") + text)


def drain_session() -> bytes:
    """The capsule that asks the peer to end a session soon."""
    return _capsule(DRAIN_SESSION, b"")


def _closed(value: bytes) -> Closed:
    try:
        return Closed(int.from_bytes(value[:_CODE_BYTES], "big"), value[_CODE_BYTES:].decode())
    except UnicodeDecodeError:
        raise CapsuleError("the reason for which a session is closed is not UTF-8") from None


def _capsule(kind: int, value: bytes) -> bytes:
    return _integer(kind) + _integer(len(value)) + value


def _integer(value: int) -> bytes:
    if value < 0x40:
        return bytes((value,))
    if value < 0x4000:
        return (value | 0x4000).to_bytes(2, "big")
    return (value | 0x8000_0000).to_bytes(4, "big")


def _head(data: bytearray) -> tuple[int, int, int] | None:
    """Type and length of the capsule that data begin with, and where its value starts; None if more has to come."""
    kind = _read_integer(data, 0)
    size = None if kind is None else _read_integer(data, kind[1])
    return None if kind is None or size is None else (kind[0], *size)


def _read_integer(data: bytearray, start: int) -> tuple[int, int] | None:
    """An integer and where it ends; None if more has to come."""
    if start >= len(data):
        return None
    length = 1 << (data[start] >> 6)
    if len(data) < start + length:
        return None
    return int.from_bytes(data[start : start + length], "big") & ((1 << (8 * length - 2)) - 1), start + length
