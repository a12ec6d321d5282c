"""Messages on a stream of bytes: one JSON text per line, as in an HTTP batch. Rule: what has begun and not ended has
a bound, counted as it arrives.

Where both ends have agreed to it, the byte strings of a message stand before its line, each behind a line with a number
sign, which no JSON begins with, and how many bytes it has: `#65536`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

from capnweb_runtime.core.attachments import ATTACHMENT_COST
from capnweb_runtime.errors import LimitExceeded, ProtocolError

_MARK: Final = b"#"
_DIGITS: Final = 15  # of a size, which are more than any has


class Reader(Protocol):
    """Puts messages together from pieces of any size."""

    @property
    def unfinished(self) -> int:
        """Bytes of the message that has not ended."""
        ...

    def feed(self, data: bytes) -> tuple[list[Any], Exception | None]:
        """Takes what has arrived.

        Parameters:
            data: bytes of the stream, cut anywhere.

        Returns:
            The messages that end in it; and what is wrong with what is behind them, if something is.
        """
        ...


class Lines:
    """Puts lines together from pieces of any size: a Reader.

    Parameters:
        longest: bytes that a line may have.
    """

    __slots__ = ("_longest", "_partial", "_size")

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._partial: list[bytes] = []
        self._size = 0

    @property
    def unfinished(self) -> int:
        """Bytes of the line that has not ended."""
        return self._size

    def feed(self, data: bytes) -> tuple[list[bytes], LimitExceeded | None]:
        """Takes what has arrived; see `Reader`. Lines are without their ends; empty ones, which say nothing, are left
        out.
        """
        *whole, rest = data.split(b"\n")
        if whole and self._partial:
            whole[0] = b"".join((*self._partial, whole[0]))
            self._partial, self._size = [], 0
        if rest:
            self._partial.append(rest)
            self._size += len(rest)
        lines: list[bytes] = []
        for line in whole:
            if len(line) > self._longest:
                return lines, self._too_long()
            if line:
                lines.append(line)
        return lines, self._too_long() if self._size > self._longest else None

    def _too_long(self) -> LimitExceeded:
        self._partial, self._size = [], 0
        return LimitExceeded(f"Incoming message exceeds maximum size of {self._longest} bytes.")


class AttachingLines:
    """Puts lines and the byte strings before them together: a Reader, whose messages are lines, or tuples of a line and
    its byte strings.

    Parameters:
        longest: bytes that a line may have, and likewise its byte strings, each of which counts for a little more than
            its own.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._forget()

    def _forget(self) -> None:
        """Nothing has begun."""
        self._line: list[bytes] = []  # pieces of the line that has not ended
        self._in_line = 0
        self._attachments: list[bytes] = []  # of the line that is to come
        self._attached = 0  # what they count for, as far as it has been announced
        self._pieces: list[bytes] = []  # of the byte string that has not ended
        self._missing = 0  # bytes of it

    @property
    def unfinished(self) -> int:
        """Bytes of the message that has not ended, as far as they have come."""
        return self._in_line + self._attached - self._missing

    def feed(self, data: bytes) -> tuple[list[bytes | tuple[bytes, ...]], Exception | None]:
        """Takes what has arrived; see `Reader`."""
        messages: list[bytes | tuple[bytes, ...]] = []
        at = 0
        while at < len(data):
            if self._missing:
                at += self._take_bytes(data[at : at + self._missing])
                continue
            end = data.find(b"\n", at)
            piece = data[at : len(data) if end < 0 else end]
            self._line.append(piece)
            self._in_line += len(piece)
            if self._in_line > self._longest:
                return messages, self._too_much("message exceeds maximum size")
            if end < 0:
                break
            at = end + 1
            error = self._take_line(messages)
            if error is not None:
                return messages, error
        return messages, None

    def _take_bytes(self, piece: bytes) -> int:
        self._pieces.append(piece)
        self._missing -= len(piece)
        if not self._missing:
            self._attachments.append(b"".join(self._pieces))
            self._pieces = []
        return len(piece)

    def _take_line(self, messages: list[bytes | tuple[bytes, ...]]) -> Exception | None:
        line = b"".join(self._line)
        self._line, self._in_line = [], 0
        if line.startswith(_MARK):
            return self._expect(line[1:])
        if line:
            messages.append((line, *self._attachments) if self._attachments else line)
            self._attachments, self._attached = [], 0
        return None

    def _expect(self, digits: bytes) -> Exception | None:
        if not digits.isdigit() or len(digits) > _DIGITS:
            return ProtocolError("Peer broke the protocol: a line announces bytes, and does not say how many.")
        size = int(digits)
        self._attached += size + ATTACHMENT_COST
        if self._attached > self._longest:
            return self._too_much("attachments exceed maximum message size")
        self._missing = size
        if not size:
            self._attachments.append(b"")
        return None

    def _too_much(self, what: str) -> LimitExceeded:
        self._forget()
        return LimitExceeded(f"Incoming {what} of {self._longest} bytes.")


def written(messages: Iterable[Any]) -> bytes:
    """Messages as lines: each is a text, or a tuple of one and its byte strings.

    Parameters:
        messages: as the session gives them.
    """
    parts: list[bytes] = []
    for message in messages:
        if isinstance(message, tuple):
            text, *attachments = message
            for attachment in attachments:
                parts += (b"#%d\n" % len(attachment), attachment)
            parts += (text, b"\n")
        else:
            parts += (message, b"\n")
    return b"".join(parts)
