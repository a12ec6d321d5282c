"""WebSocket frames on their fast way: whole, unfragmented data frames in and out. Rule: whatever is anything else is
left to the engine of `websockets`, bytes untouched.

The engine parses a frame in a generator that yields for each of its parts, which costs more than answering the call in
it; with many calls in flight that was a quarter of all time (see `tests/bench`).
Source: https://datatracker.ietf.org/doc/html/rfc6455#section-5.2
"""

from __future__ import annotations

from os import urandom
from typing import Final, TypeAlias

from capnweb_runtime.transports.engine import apply_mask

Message: TypeAlias = bytes | tuple[bytes, ...]
"""UTF-8 text; or that and its attachments."""
TEXT: Final = 0x81
"""First byte of a whole text frame: FIN, no extension, opcode 1."""
BINARY: Final = 0x82
"""First byte of a whole binary frame: FIN, no extension, opcode 2."""
CLOSE: Final = 0x88
"""First byte of a close frame."""
PING: Final = 0x89
"""First byte of a ping."""
PONG: Final = 0x8A
"""First byte of a pong."""
_MASKED: Final = 0x80
LARGE_TEXT: Final = 64 * 1024
"""Bytes from which on the text of a message is a piece of its own."""
_LARGE: Final = 4096  # bytes from which a copy costs more than a piece of its own
_SHORT: Final = 126  # lengths below stand in the second byte
_LONGEST: Final = 127
_FIN: Final = 0x80
_CONTROL: Final = 0x08
_GOING_ON: Final = frozenset((0, 1, 2, 9, 10))  # opcodes after which there may be more: data, ping, pong
_HEADS: Final = tuple(bytes((TEXT, length)) for length in range(_SHORT))
_MASKED_HEADS: Final = tuple(bytes((TEXT, _MASKED | length)) for length in range(_SHORT))


class FrameReader:
    """Cuts what arrives into frames.

    Parameters:
        masked: whether frames have to be masked, as a client's are.
        max_size: longest payload taken, in bytes; a longer one is left to the engine, which knows what to answer.
    """

    __slots__ = ("_fragmented", "_masked", "_max_size", "_missing", "_over", "_pending", "_shorter_than")

    def __init__(self, masked: bool, max_size: int) -> None:
        self._masked = masked
        self._max_size = max_size
        self._shorter_than = min(_SHORT, max_size + 1)
        self._pending = bytearray()
        self._missing = 0  # bytes of it that are needed before it is worth looking at it again
        self._fragmented = False  # inside a message of several frames
        self._over = False  # nothing follows that concerns this reader

    @property
    def pending(self) -> int:
        """Bytes of a frame that has not arrived whole."""
        return len(self._pending)

    def texts(self, data: bytes) -> tuple[list[Message], int]:
        """Takes the short text frames that bytes which have arrived begin with: nearly all there are, in less time than
        `feed` takes for them.

        Parameters:
            data: the bytes.

        Returns:
            The payloads, and how many bytes they took; what follows is for `feed`.
        """
        payloads: list[Message] = []
        if self._pending or self._fragmented or self._over:
            return payloads, 0
        masked, shorter_than = self._masked, self._shorter_than
        first_length, head_size = (_MASKED, 6) if masked else (0, 2)
        position, end = 0, len(data)
        while end - position >= head_size and data[position] == TEXT:
            length = data[position + 1] - first_length
            start = position + head_size
            stop = start + length
            if not 0 <= length < shorter_than or stop > end:
                break
            payload = data[start:stop]
            payloads.append(apply_mask(payload, data[start - 4 : start]) if masked else payload)
            position = stop
        return payloads, position

    def feed(self, data: bytes, start: int = 0) -> list[tuple[int, bytes]]:
        """Takes bytes that have arrived.

        Parameters:
            data: the bytes.
            start: how many of them `texts` has taken.

        Returns:
            The frames that are whole now, in order: of a data frame, its first byte and its payload; of any other, 0
            and all of its bytes, for the engine, which so always stands between two frames.
        """
        frames: list[tuple[int, bytes]] = []
        while self._pending:
            # Only what the frame at hand lacks is put behind it: what follows is cut from the data as it came.
            stop = start + self._missing - len(self._pending)
            self._pending += data if start == 0 and stop >= len(data) else memoryview(data)[start:stop]
            if stop > len(data):
                return frames
            start = stop
            if self._cut(self._pending, 0, frames):
                self._pending = bytearray()
        if start < len(data):
            taken = self._cut(data, start, frames)
            if taken < len(data):
                self._pending += memoryview(data)[taken:]
        return frames

    def _cut(self, data: bytes | bytearray, position: int, frames: list[tuple[int, bytes]]) -> int:
        """Appends the frames from a position on to the list and returns where the first incomplete one begins."""
        end = len(data)
        masked, most = self._masked, self._max_size
        while not self._over:
            if end - position < 2:
                self._missing = 2
                return position
            first, length, start = data[position], data[position + 1], position + 2
            if masked:
                length -= _MASKED
            if _SHORT <= length <= _LONGEST:
                start += 2 if length == _SHORT else 8
                if end < start and first & ~_FIN in _GOING_ON:  # or the engine needs no length to refuse it
                    self._missing = start - position
                    return position
                length = int.from_bytes(data[position + 2 : start], "big")
            elif not 0 <= length < _SHORT:
                break  # a mask where there must be none, or none where there must be one
            stop = start + length + (4 if masked else 0)
            if length > most or (first != TEXT and first != BINARY and first & ~_FIN not in _GOING_ON):
                break  # too long, broken, or the last one
            if stop > end:
                self._missing = stop - position
                return position
            if (first != TEXT and first != BINARY) or self._fragmented:
                self._fragmented = self._fragmented if first & _CONTROL else not first & _FIN
                frames.append((0, bytes(data[position:stop])))
            else:
                payload = data[stop - length : stop] if length < _LARGE else memoryview(data)[stop - length : stop]
                frames.append((first, apply_mask(payload, data[start : start + 4]) if masked else bytes(payload)))
            position = stop
        self._over = True
        frames.append((0, bytes(data[position:])))
        return end


def frames(messages: list[Message], masked: bool) -> list[bytes]:
    """The bytes of messages: each one text frame, with a binary frame before it for each of its attachments.

    Parameters:
        messages: what to send.
        masked: whether to mask the frames, each with a key of its own that nobody can foresee.

    Returns:
        The bytes in pieces, which belong behind each other: large ones are not copied once more to join them.
    """
    pieces: list[bytes] = []
    small: list[bytes] = []
    keys = urandom(4 * len(messages)) if masked else b""  # one system call for all
    at = 0
    for message in messages:
        if isinstance(message, tuple):
            text, *attachments = message
            for attachment in attachments:
                _add_large(attachment, masked, small, pieces)
        else:
            text = message
        length = len(text)
        if length >= LARGE_TEXT:
            _add_large(text, masked, small, pieces, TEXT)
        elif masked:
            key = keys[at : at + 4]
            at += 4
            small += (
                _MASKED_HEADS[length] if length < _SHORT else head(TEXT, length, _MASKED),
                key,
                apply_mask(text, key),
            )
        else:
            small += _HEADS[length] if length < _SHORT else head(TEXT, length), text
    if small:
        pieces.append(b"".join(small))
    return pieces


def _add_large(content: bytes, masked: bool, small: list[bytes], pieces: list[bytes], first: int = BINARY) -> None:
    """Adds a frame: to the small parts that are joined, or behind them if it is large."""
    key = urandom(4) if masked else b""
    small += head(first, len(content), _MASKED if masked else 0), key
    payload = apply_mask(content, key) if masked else content
    if len(content) < _LARGE:
        small.append(payload)
    else:
        pieces += b"".join(small), payload
        small.clear()


def frame(first: int, payload: bytes, masked: bool) -> bytes:
    """One whole frame.

    Parameters:
        first: its first byte.
        payload: what is in it.
        masked: whether to mask it.
    """
    if not masked:
        return head(first, len(payload)) + payload
    key = urandom(4)
    return b"".join((head(first, len(payload), _MASKED), key, apply_mask(payload, key)))


def head(first: int, length: int, masked: int = 0) -> bytes:
    """What stands before the masking key, or before the payload if there is none."""
    if length < _SHORT:
        return bytes((first, masked | length))
    if length < 65536:
        return bytes((first, masked | _SHORT)) + length.to_bytes(2, "big")
    return bytes((first, masked | 127)) + length.to_bytes(8, "big")
