"""Clients that mind no rules: they send what they are told to, over a blocking socket."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
from collections.abc import Iterable
from typing import Any

TEXT, PART, LAST_PART, PING = 0x81, 0x00, 0x80, 0x89
_CLOSE = 8
_SOME = 1 << 20  # bytes


def text(message: Any) -> bytes:
    """A message's text; text stays as it is."""
    if isinstance(message, bytes):
        return message
    return (message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))).encode()


def frame(payload: bytes, first: int = TEXT) -> bytes:
    """A frame under a mask that changes nothing."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", first, 0x80 | length)
    elif length < 65536:
        head = struct.pack(">BBH", first, 0x80 | 126, length)
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, length)
    return head + bytes(4) + payload


class Stranger:
    """A connection.

    Attributes:
        sent: bytes, of a WebSocket without those of its handshake.
    """

    def __init__(self, port: int, timeout: float = 60) -> None:
        self.sent = 0
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Bytes, many at a time."""
        data = b"".join(pieces)
        self.sent += len(data)
        self._socket.sendall(data)

    def read(self, count: int) -> bytes:
        """So many bytes at most."""
        return self._socket.recv(count)

    def close(self) -> None:
        """Gone, without a word."""
        self._socket.close()


class Peer(Stranger):
    """A WebSocket.

    Attributes:
        received: bytes of messages.
    """

    def __init__(self, port: int, timeout: float = 60) -> None:
        super().__init__(port, timeout)
        self.received = 0
        self._read = bytearray()
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._read:
            self._more()
        del self._read[: self._read.index(b"\r\n\r\n") + 4]

    def send(self, *messages: Any) -> None:
        """Messages, each as a frame."""
        self.write(frame(text(message)) for message in messages)

    def receive(self) -> Any:
        """The next message. Raises EOFError if the peer has closed."""
        self._need(2)
        first, length, start = self._read[0], self._read[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            self._need(start)
            length = int.from_bytes(self._read[2:start], "big")
        self._need(start + length)
        payload = bytes(self._read[start : start + length])
        del self._read[: start + length]
        self.received += length
        if first & 0x0F == _CLOSE:
            raise EOFError(payload[2:].decode("utf-8", "replace"))
        return json.loads(payload) if first == TEXT else None

    def until(self, call: int) -> Any:
        """The answer to a call, or why there is none."""
        while True:
            try:
                message = self.receive()
            except (EOFError, OSError) as error:
                return f"closed: {error}"
            if message and message[0] == "abort":
                return message
            if message and message[0] in ("resolve", "reject") and message[1] == call:
                return message

    def _need(self, count: int) -> None:
        while len(self._read) < count:
            self._more()

    def _more(self) -> None:
        data = self._socket.recv(_SOME)
        if not data:
            raise EOFError
        self._read += data
