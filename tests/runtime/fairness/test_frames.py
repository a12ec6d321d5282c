"""Frames that are no messages are work, too: a flood of them is taken in turns, and read no faster."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime.driving import turns
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.serving.websocket_server import WebSocketServer
from capnweb_runtime.transports.frames import frame
from tests.runtime.example import Desk
from tests.runtime.transports.raw_websocket import REQUEST, Socket

ADD = b'["push",["pipeline",0,["add"],[1,2]]]'
PING, PONG, TEXT, PART = 0x89, 0x8A, 0x81, 0x00


@pytest.fixture(autouse=True)
def turns_of_one_slice(monkeypatch: pytest.MonkeyPatch, turns_without_end: None) -> None:
    monkeypatch.setattr(turns, "TURN", 0.0)


class NotedSocket(Socket):
    """A transport that notes when it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[bool] = []

    def pause_reading(self) -> None:
        self.read.append(False)

    def resume_reading(self) -> None:
        self.read.append(True)


class Flooded:
    """A server's end, after the handshake."""

    def __init__(self) -> None:
        self.socket = NotedSocket()
        self.connection = Connection(Desk())
        self.end = WebSocketServer(lambda peer: self.connection, DEFAULT_LIMITS, lambda _: None)
        self.end.connection_made(self.socket)
        self.end.data_received(REQUEST % b"")
        self.socket.written.clear()

    def hear(self, *frames: tuple[int, bytes]) -> None:
        self.end.data_received(b"".join(frame(first, payload, True) for first, payload in frames))

    async def finish(self) -> int:
        count = 0
        while self.connection.behind:
            await asyncio.sleep(0)
            count += 1
        await asyncio.sleep(0)
        return count


async def closed(flooded: Flooded) -> None:
    flooded.end.connection_lost(None)
    await flooded.finish()


@pytest.mark.parametrize(
    "flood",
    [[(PING, b"")] * 3000, [(0x01, b" "), *[(PART, b"")] * 3000, (0x80, ADD)]],
    ids=["pings", "empty parts"],
)
async def test_a_flood_is_taken_in_turns_and_nothing_more_is_read_meanwhile(flood: list[Any]) -> None:
    flooded = Flooded()
    flooded.hear(*flood, (TEXT, ADD), (TEXT, b'["pull",1]'))
    assert flooded.connection.behind
    assert flooded.socket.read == [False]
    assert await flooded.finish() > 20
    assert flooded.socket.read == [False, True]
    assert flooded.socket.written.endswith(b'["resolve",1,3]')
    await closed(flooded)


async def test_what_a_transport_gives_all_the_same_comes_after_what_waits() -> None:
    flooded = Flooded()
    flooded.hear(*[(PING, b"")] * 1000, (TEXT, ADD))
    flooded.hear((TEXT, b'["pull",1]'), (PING, b"last"))
    assert b"resolve" not in flooded.socket.written
    await flooded.finish()
    assert flooded.socket.written.endswith(frame(PONG, b"last", False) + frame(TEXT, b'["resolve",1,3]', False))
    await closed(flooded)


async def test_a_close_frame_behind_messages_that_wait_ends_the_session_after_them() -> None:
    flooded = Flooded()
    flooded.hear(*[(TEXT, ADD)] * 1000, (0x88, b"\x03\xe8bye"))
    assert flooded.connection.session.reason is None
    await flooded.finish()
    assert flooded.connection.stats().messages_received == 1000
    assert "bye" in str(flooded.connection.session.reason)
    await closed(flooded)


async def test_a_few_pings_are_answered_at_once() -> None:
    flooded = Flooded()
    flooded.hear((PING, b"a"), (PING, b"b"))
    assert flooded.socket.written == frame(PONG, b"a", False) + frame(PONG, b"b", False)
    assert flooded.socket.read == []
    await closed(flooded)


async def test_a_peer_is_read_from_again_only_when_nothing_is_against_it() -> None:
    flooded = Flooded()
    flooded.end.pause_writing()
    flooded.hear(*[(TEXT, ADD)] * 1000)
    flooded.end.resume_writing()
    assert not any(flooded.socket.read)
    flooded.end.pause_writing()
    await flooded.finish()
    assert not any(flooded.socket.read)
    flooded.end.resume_writing()
    assert flooded.socket.read[-1]
    await closed(flooded)
