"""Frames that are no messages are work, too: a flood of them is taken in turns, and read no faster."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime.core.held import HeldTotal
from capnweb_runtime.driving import turns
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
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

    def __init__(self, limits: Limits = DEFAULT_LIMITS, total: HeldTotal | None = None) -> None:
        self.socket = NotedSocket()
        self.connection = Connection(Desk(), limits=limits, total=total)
        self.end = WebSocketServer(lambda peer: self.connection, limits, lambda _: None)
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


class TestUnfinishedMessages:
    """What has come of messages that are not whole counts as held."""

    def flooded(self, held_bytes: int = 500_000) -> Flooded:
        flooded = Flooded(Limits(held_bytes=held_bytes))
        flooded.socket.written.clear()
        return flooded

    @pytest.mark.parametrize("first", [TEXT, 0x01])
    async def test_parts_count_until_they_are_whole(self, first: int) -> None:
        flooded = self.flooded()
        held = flooded.connection.session.held
        whole = frame(first, b"[" + b" " * 200_000, True)
        before = held.bytes
        flooded.end.data_received(whole[:150_000])
        assert held.bytes - before == held.unfinished > 149_000
        flooded.end.data_received(whole[150_000:])
        assert held.unfinished == (0 if first == TEXT else 200_001)
        await closed(flooded)

    async def test_too_many_end_the_session(self) -> None:
        flooded = self.flooded()
        data = frame(TEXT, b" " * 600_000, True)
        flooded.end.data_received(data[:400_000])
        assert flooded.connection.session.reason is None
        flooded.end.data_received(data[400_000:550_000])
        await asyncio.sleep(0)
        assert "more than 500000 bytes are held for the peer" in str(flooded.connection.session.reason)
        assert b"abort" in flooded.socket.written
        await closed(flooded)

    async def test_those_of_all_sessions_count_together(self) -> None:
        total = HeldTotal(1_000_000)
        ends = [Flooded(total=total) for _ in range(3)]
        sizes = (300_000, 500_000, 400_000)
        for flooded, size in zip(ends, sizes, strict=True):
            flooded.end.data_received(frame(TEXT, b" " * 600_000, True)[:size])
        await asyncio.sleep(0)
        assert [flooded.connection.session.closed for flooded in ends] == [False, True, False]
        for flooded in ends:
            await closed(flooded)


async def test_others_go_first_once_a_long_frame_has_come_whole() -> None:
    flooded = Flooded()
    data = frame(TEXT, b'["push",["pipeline",0,["add"],[1,2]],"' + b"x" * 5_000_000 + b'"]', True)
    flooded.end.data_received(data[:-10])
    flooded.end.data_received(data[-10:] + frame(TEXT, ADD, True))
    assert flooded.connection.behind
    assert flooded.connection.session.calls_received == 0
    assert flooded.socket.read[-1:] == [False]
    await flooded.finish()
    assert flooded.connection.session.calls_received == 2
    assert flooded.socket.read[-1:] == [True]
