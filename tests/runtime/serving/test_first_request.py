"""Which protocol gets a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime.serving.first_request import HEAD_BYTES, FirstRequest

UPGRADE = b"GET / HTTP/1.1\r\nHost: h\r\nUPGRADE:  WebSocket\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.protocol: asyncio.BaseProtocol | None = None
        self.written = b""
        self.paused = False
        self.closed = ""
        self.on_close = asyncio.Event()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = "closed"
        self.on_close.set()

    def abort(self) -> None:
        self.closed = "aborted"

    def is_closing(self) -> bool:
        return bool(self.closed)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Recorder(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.BaseTransport | None = None
        self.chunks: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.chunks.append(data)


class Case:
    """A connection whose bytes are given by hand."""

    def __init__(self, timeout: float = 60, connected: bool = True) -> None:
        self.websocket, self.http = Recorder(), Recorder()
        self.made: list[FirstRequest] = []
        self.gone: list[FirstRequest] = []
        self.waiting: list[Callable[[], object]] = []
        self.http_is_there = True
        self.first = FirstRequest(
            lambda: self.websocket,
            lambda: self.http,
            http_waits=self.http_waits,
            timeout=timeout,
            on_made=self.made.append,
            on_gone=self.gone.append,
        )
        self.transport = FakeTransport()
        if connected:
            self.first.connection_made(self.transport)

    def http_waits(self, then: Callable[[], object]) -> bool:
        if not self.http_is_there:
            self.waiting.append(then)
        return not self.http_is_there


@pytest.mark.parametrize(("head", "kind"), [(UPGRADE, "websocket"), (POST, "http")])
async def test_the_first_request_decides(head: bytes, kind: str) -> None:
    case = Case()
    case.first.data_received(head)
    chosen: Recorder = getattr(case, kind)
    assert case.transport.protocol is chosen
    assert chosen.transport is case.transport
    assert chosen.chunks == [head]
    assert case.gone == [case.first]


class TestWhatRequestsNeedIsNotThereYet:
    async def test_the_request_waits_and_nothing_more_is_read(self) -> None:
        case = Case()
        case.http_is_there = False
        case.first.data_received(POST + b"bo")
        case.first.data_received(b"dy")
        assert case.transport.protocol is None
        assert case.transport.paused
        case.waiting.pop()()
        assert not case.transport.paused
        assert case.http.chunks == [POST, b"body"]
        assert case.gone == [case.first]

    async def test_websockets_do_not_wait(self) -> None:
        case = Case()
        case.http_is_there = False
        case.first.data_received(UPGRADE)
        assert case.websocket.chunks == [UPGRADE]

    @pytest.mark.parametrize("ends", [FakeTransport.abort, FakeTransport.close])
    async def test_a_connection_that_ends_meanwhile_is_left_alone(self, ends: Callable[[FakeTransport], None]) -> None:
        case = Case()
        case.http_is_there = False
        case.first.data_received(POST)
        ends(case.transport)
        case.waiting.pop()()
        assert case.transport.protocol is None

    async def test_the_time_for_the_head_goes_on(self) -> None:
        case = Case(timeout=0.001)
        case.http_is_there = False
        case.first.data_received(POST)
        async with asyncio.timeout(20):
            await case.transport.on_close.wait()
        assert b" 408 " in case.transport.written


async def test_bytes_after_the_head_follow_it() -> None:
    case = Case()
    case.first.data_received(UPGRADE + b"frame")
    assert case.websocket.chunks == [UPGRADE, b"frame"]


async def test_a_head_may_come_byte_by_byte() -> None:
    case = Case()
    for index in range(len(POST)):
        assert case.transport.protocol is None
        case.first.data_received(POST[index : index + 1])
    assert case.http.chunks == [POST]


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
        b"GET /upgrade:websocket HTTP/1.1\r\nX-Upgrade: websocket\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n\r\nUpgrade: websocket\r\n\r\n",
    ],
)
async def test_other_upgrades_are_plain_requests(head: bytes) -> None:
    case = Case()
    case.first.data_received(head)
    assert case.transport.protocol is case.http


async def test_a_head_without_end_is_refused_at_the_limit() -> None:
    case = Case()
    case.first.data_received(b"GET / HTTP/1.1\r\n")
    line = b"X: " + b"x" * 1000 + b"\r\n"
    for _ in range(HEAD_BYTES // len(line) + 1):
        case.first.data_received(line)
    assert case.transport.written.startswith(b"HTTP/1.1 431 ")
    assert case.transport.closed == "closed"
    case.first.data_received(b"\r\n")
    assert case.transport.protocol is None


async def test_a_long_head_is_refused_also_if_it_comes_whole() -> None:
    case = Case()
    case.first.data_received(b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * (HEAD_BYTES // 6) + b"\r\n")
    assert case.transport.written.startswith(b"HTTP/1.1 431 ")
    assert case.transport.protocol is None


async def test_a_head_that_does_not_come_is_given_up() -> None:
    case = Case(timeout=0)
    case.first.data_received(b"GET / HT")
    await case.transport.on_close.wait()
    assert case.transport.written.startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_came_in_time_is_not_given_up() -> None:
    case = Case(timeout=0)
    case.first.data_received(POST)
    for _ in range(3):
        await asyncio.sleep(0)
    assert case.transport.written == b""


@pytest.mark.parametrize("first", [b"\x16", b"\x16\x03\x01\x02\x00", b"\x80", b"\x00", b"\xff", b" GET", b"{", b"["])
async def test_what_cannot_begin_a_request_is_answered_at_once(first: bytes) -> None:
    case = Case()
    case.first.data_received(first)
    assert case.transport.written.startswith(b"HTTP/1.1 400 ")
    assert (b"TLS" in case.transport.written) == first.startswith(b"\x16")
    assert case.transport.closed == "closed"
    case.first.data_received(POST)
    assert case.transport.protocol is None


@pytest.mark.parametrize("first", [b"G", b"_", b"0", b"~", b"\r\n"])
async def test_what_can_begin_one_is_waited_for(first: bytes) -> None:
    case = Case()
    case.first.data_received(first)
    assert case.transport.written == b""
    case.first.data_received(POST)
    assert case.transport.protocol is case.http


async def test_an_answer_says_why_and_how_long_it_is() -> None:
    case = Case()
    case.first.data_received(b"\x16")
    head, _, body = case.transport.written.partition(b"\r\n\r\n")
    assert body == b"This port does not speak TLS: use ws:// or http://.\n"
    assert f"Content-Length: {len(body)}".encode() in head


async def test_what_comes_before_the_connection_is_kept() -> None:
    case = Case(connected=False)
    case.first.data_received(POST)
    assert case.made == []
    case.first.connection_made(case.transport)
    assert case.made == [case.first]
    assert case.http.chunks == [POST]


async def test_a_connection_that_is_lost_before_it_is_made_is_not_kept() -> None:
    case = Case(connected=False)
    case.first.data_received(POST)
    case.first.connection_lost(None)
    case.first.connection_made(case.transport)
    assert case.made == []
    assert case.gone == [case.first]
    assert case.transport.protocol is None


async def test_a_lost_connection_is_reported() -> None:
    case = Case()
    case.first.connection_lost(None)
    assert case.gone == [case.first]
    case.first.abort()
    assert case.transport.closed == ""


async def test_a_connection_can_be_dropped() -> None:
    case = Case()
    case.first.abort()
    assert case.transport.closed == "aborted"
    case.first.connection_lost(None)
