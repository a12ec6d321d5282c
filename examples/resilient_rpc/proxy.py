"""A proxy that cuts connections where it is told. Rule: bytes are passed on as they are; frames are only looked into to
know where to cut.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from enum import Enum
from itertools import count
from types import TracebackType
from typing import Final, Self

_LONG, _LONGER = 126, 127
_MASKED = 0x80
_ANSWERS = (b'["resolve"', b'["reject"')
WHOLE: Final = -1


class Place(Enum):
    """Where a connection is cut, as seen from a call."""

    NOWHERE = "nowhere"
    IDLE = "while nothing is said"
    BEFORE = "before the call arrives"
    IN_CALL = "in the midst of the call"
    AFTER = "after the call, before the answer"
    IN_ANSWER = "in the midst of the answer"
    RESTART = "by the server's end, before the answer"


class Proxy:
    """Passes connections on to a server of this machine: `async with Proxy(port) as proxy`.

    Parameters:
        port: of the server.

    Attributes:
        url: where clients connect.
        cuts: how many connections it has cut.
        end_server: ends the server, for `Place.RESTART`.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._place = Place.NOWHERE
        self._method = b""
        self._answer_is_due = False
        self._frames = 0  # of the server's, after which connections are cut
        self._connections = 0  # that are to be cut after so many
        self._writers: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0
        self.url = ""
        self.end_server: Callable[[], Awaitable[object]] | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def arm(self, place: Place, method: str) -> None:
        """Cuts the connection once, at a place of the next call of a method."""
        self._place, self._method = place, f'["{method}"]'.encode()

    def cut_after(self, frames: int, connections: int) -> None:
        """Cuts so many connections, each after a number of frames that the server has sent on it."""
        self._frames, self._connections = frames, connections

    def cut(self) -> None:
        """Cuts every connection at once."""
        for writer in self._writers:
            writer.transport.abort()

    # ---- inside

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        except OSError:
            pass  # there is no server, or somebody has gone
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _join(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Passes on in both directions, until one of them ends."""
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        ways = [
            asyncio.create_task(self._pass_on(reader, server_writer, upward=True)),
            asyncio.create_task(self._pass_on(server_reader, writer, upward=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            server_writer.close()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter, *, upward: bool) -> None:
        try:
            writer.write(await reader.readuntil(b"\r\n\r\n"))  # the handshake
            for number in count():
                frame = await _frame(reader)
                passed = await self._passed(frame, upward, number)
                if passed != WHOLE:
                    writer.write(frame[:passed])
                    self.cuts += 1
                    return
                writer.write(frame)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # the end of the connection

    async def _passed(self, frame: bytes, upward: bool, number: int) -> int:
        """How many bytes of a frame are passed on before the connection is cut; WHOLE if it is not."""
        if not upward and self._connections and number == self._frames:
            self._connections -= 1
            return 0
        if self._place in {Place.NOWHERE, Place.IDLE}:
            return WHOLE
        text = _text(frame)
        if upward and self._method in text:
            self._answer_is_due = self._place not in {Place.BEFORE, Place.IN_CALL}
            if not self._answer_is_due:
                return self._fired(len(frame) // 2 if self._place is Place.IN_CALL else 0)
        elif not upward and self._answer_is_due and text.startswith(_ANSWERS):
            if self._place is Place.RESTART and self.end_server is not None:
                await self.end_server()
            return self._fired(len(frame) // 2 if self._place is Place.IN_ANSWER else 0)
        return WHOLE

    def _fired(self, passed: int) -> int:
        self._place, self._answer_is_due = Place.NOWHERE, False
        return passed


async def _frame(reader: StreamReader) -> bytes:
    """The next frame of a WebSocket, as it is on the wire. https://datatracker.ietf.org/doc/html/rfc6455#section-5.2"""
    head = await reader.readexactly(2)
    size = head[1] & ~_MASKED
    if size in {_LONG, _LONGER}:
        extended = await reader.readexactly(2 if size == _LONG else 8)
        head, size = head + extended, int.from_bytes(extended)
    mask = 4 if head[1] & _MASKED else 0
    return head + await reader.readexactly(mask + size)


def _text(frame: bytes) -> bytes:
    """What a frame says, without its mask."""
    start = 2 + {_LONG: 2, _LONGER: 8}.get(frame[1] & ~_MASKED, 0)
    if not frame[1] & _MASKED:
        return frame[start:]
    mask, masked = frame[start : start + 4], frame[start + 4 :]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
