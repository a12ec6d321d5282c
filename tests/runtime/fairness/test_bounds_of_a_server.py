"""Many clients together get no more than a server has, and those that it serves do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as stock_connect

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import Limits, ServerLimits
from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server
from capnweb_runtime.serving.websocket_server import WebSocketServer
from capnweb_runtime.transports.frames import BINARY, TEXT, frame
from tests.attack.peer import Peer
from tests.runtime.example import Desk
from tests.runtime.fairness.test_frames import NotedSocket
from tests.runtime.serving.test_serve import ask, push, until_closed
from tests.runtime.transports.example_api import Example
from tests.runtime.transports.raw_websocket import OFFER, REQUEST

ROOT = Path(__file__).parents[3]
PART, LAST_PART, CLOSE = 0x00, 0x80, 0x88
PUSH = b'["push",["pipeline",0,["add"],[1,2]]]'


class End:
    """A server's end of a WebSocket, after the handshake, and what it counts."""

    def __init__(self, offer: bytes = b"", limits: Limits | None = None) -> None:
        self.bounds = Bounds(ServerLimits())
        self.guest = Guest(self.bounds)
        self.socket = NotedSocket()
        self.connection = Connection(Desk())
        self.end = WebSocketServer(lambda peer: self.connection, limits or Limits(), lambda _: None, guest=self.guest)
        self.end.connection_made(self.socket)
        self.end.data_received(REQUEST % offer)
        self.socket.written.clear()

    def hear(self, data: bytes) -> int:
        """Bytes come; how many are unfinished then."""
        self.end.data_received(data)
        return self.bounds.unfinished.bytes

    def close(self) -> None:
        self.end.connection_lost(None)
        assert self.bounds.unfinished.bytes == 0
        self.bounds.close()


async def test_parts_of_a_frame_fragments_and_attachments_are_unfinished() -> None:
    end = End(OFFER)
    whole = frame(TEXT, b'["push","' + b"x" * 500 + b'"]', True)
    assert end.hear(whole[:300]) == 300
    assert end.hear(whole[300:]) == 0
    assert end.hear(frame(0x01, b'["push",', True)) == 8
    assert end.hear(frame(PART, b"1", True)) == 9
    assert end.hear(frame(LAST_PART, b"]", True) + whole[:10]) == 10
    assert end.hear(whole[10:]) == 0
    assert end.hear(frame(BINARY, b"x" * 300, True)) >= 300
    assert end.hear(frame(TEXT, b'["push",["bytes",0]]', True)) == 0
    end.close()


async def test_whole_messages_are_not_looked_at() -> None:
    end = End()
    told: list[int] = []
    end.end._on_unfinished = lambda size, anew: told.append(size)
    end.hear(frame(TEXT, PUSH, True) * 3)
    end.hear(frame(TEXT, b'["push","' + b"x" * 500 + b'"]', True))
    assert told == []
    end.close()


async def test_a_message_behind_another_begins_anew() -> None:
    end = End()
    told: list[tuple[int, bool]] = []
    end.end._on_unfinished = lambda size, anew: told.append((size, anew))
    piece = frame(TEXT, b'["push","' + b"x" * 500 + b'"]', True)
    for chunk in (piece[:100], piece[100:200], piece[200:] + piece[:50], frame(TEXT, b"", True)[:0] + piece[50:]):
        end.hear(chunk)
    assert told == [(100, False), (200, False), (50, True), (0, True)]
    end.close()


async def test_what_is_given_up_is_not_kept_and_the_peer_is_told() -> None:
    end = End()
    end.hear(frame(0x01, b'["push","' + b"x" * 500, True))
    end.guest.end(HTTPStatus.SERVICE_UNAVAILABLE, "The server is busy.")
    await asyncio.sleep(0)
    assert b'["abort",["error"' in end.socket.written
    assert b"The server is busy." in end.socket.written
    assert (1013).to_bytes(2, "big") in end.socket.written
    assert end.socket.ended  # this side's half
    assert len(end.end._fragments) == 0
    end.hear(frame(BINARY, b"x" * 100_000, True)[:99_999])
    assert end.end._reader.pending == 0
    end.close()


async def test_a_peer_that_is_not_read_from_is_not_called_slow() -> None:
    end = End()
    end.hear(frame(0x01, b'["push","', True))
    for paused in (True, False):
        (end.end.pause_writing if paused else end.end.resume_writing)()
        assert end.guest._waits == paused
    end.close()


async def test_what_is_too_slow_ends_the_session_as_any_bound_of_it_does() -> None:
    end = End()
    end.hear(frame(0x01, b'["push","', True))
    end.guest.end(HTTPStatus.REQUEST_TIMEOUT, "30 s without progress.")
    await asyncio.sleep(0)
    assert (3000).to_bytes(2, "big") + b"30 s" in end.socket.written
    end.guest.end(HTTPStatus.REQUEST_TIMEOUT, "again")
    end.close()


@contextlib.asynccontextmanager
async def server(**bounds: Any) -> AsyncIterator[Server]:
    async with (
        asyncio.timeout(60),
        serve(
            Example, "127.0.0.1", 0, limits=Limits(message_size=60_000), server_limits=ServerLimits(**bounds)
        ) as served,
    ):
        yield served


@contextlib.asynccontextmanager
async def begun(served: Server, size: int, sent: int) -> AsyncIterator[tuple[ClientConnection, bytes]]:
    """A client that has sent this much of a message of that size, and the rest of it."""
    async with stock_connect(served.url) as peer:
        before = served.stats().unfinished_bytes.now
        text = frame(TEXT, b'["push","' + b"x" * (size - 11) + b'"]', True)
        peer.transport.write(text[:sent])
        for _ in iter(lambda: served.stats().unfinished_bytes.now != before, True):
            await asyncio.sleep(0)
        yield peer, text[sent:]
        peer.transport.abort()  # it could not close in the middle of a frame


async def test_the_heaviest_of_many_goes_and_the_rest_is_heard_to_its_end() -> None:
    async with (
        server(unfinished_bytes=100_000) as served,
        begun(served, 60_000, 55_000) as (heavy, _),
        begun(served, 30_000, 29_900) as (light, rest),
        begun(served, 30_000, 20_000) as (last, _),
    ):
        messages, code, reason = await until_closed(heavy)
        assert (messages[0][0], code, reason) == ("abort", 1013, "The server is busy. Try again later.")
        light.transport.write(rest)
        assert await ask(light, 2, "add", 1, 2) == ["resolve", 2, 3]
        assert last.close_code is None
        assert served.stats().unfinished_bytes.refused == 1


async def test_a_message_that_does_not_go_on_ends_its_session() -> None:
    async with server(unfinished_seconds=0.01) as served, stock_connect(served.url) as idle:
        async with begun(served, 60_000, 100) as (slow, _):
            messages, code, reason = await until_closed(slow)
            assert (messages[0][0], code) == ("abort", 3000)
            assert "without progress" in str(reason)
        assert await ask(idle, 1, "add", 1, 2) == ["resolve", 1, 3]


async def test_a_hundred_clients_of_one_address_leave_room_for_others() -> None:
    async with server(connections=200, connections_per_address=50) as served, contextlib.AsyncExitStack() as stack:
        for _ in range(50):
            await stack.enter_async_context(stock_connect(served.url))
        for _ in range(50):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(REQUEST % b"")
            assert (await reader.readline()).startswith(b"HTTP/1.1 503 ")
            writer.close()
        stats = served.stats()
        assert (stats.connections.now, stats.connections_per_address.refused) == (50, 50)


async def test_a_flood_of_batches_in_one_write_is_answered_one_by_one() -> None:
    call = (push("add", 1, 2) + '\n["pull",1]').encode()
    one = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(call), call)
    async with server() as served, stock_connect(served.url) as neighbour:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(one * 500)
        assert await ask(neighbour, 1, "add", 1, 2) == ["resolve", 1, 3]
        for _ in range(500):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(15) == b'["resolve",1,3]'
        assert served.stats().sessions.now < 5
        writer.close()


FEW_FILES = """
import asyncio, json, logging, resource, sys
from capnweb_runtime import serve
from tests.runtime.transports.example_api import Example

resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
logging.basicConfig(level=logging.INFO, format="%(message)s")

async def main():
    async with serve(Example, "127.0.0.1", 0) as server:
        print(server.port, flush=True)
        for line in await asyncio.to_thread(sys.stdin.readline):
            own = [open("/dev/null") for _ in range(10)]
            print(json.dumps([len(own), server.stats().connections.now]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


@pytest.fixture
def few_files() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", FEW_FILES],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    process.communicate(timeout=60)


def refused(port: int) -> bytes:
    """What a client is told that sends nothing, or asks in vain."""
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(REQUEST % b"")
        return client.recv(12)


def test_idle_clients_leave_files_for_the_application_and_a_way_in_for_others(
    few_files: subprocess.Popen[str],
) -> None:
    assert few_files.stdin is not None
    assert few_files.stdout is not None
    port = int(few_files.stdout.readline())
    first = Peer(port)
    idle = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(100)]
    assert refused(port) == b"HTTP/1.1 503"
    first.send(json.loads(push("add", 1, 2)), ["pull", 1])
    assert first.until(1) == ["resolve", 1, 3]
    few_files.stdin.write("\n")
    few_files.stdin.flush()
    own, connections = json.loads(few_files.stdout.readline())
    assert own == 10
    assert 20 < connections < 60
    for client in idle:
        client.close()
    for _ in iter(lambda: refused(port) == b"HTTP/1.1 503", False):
        pass
    last = Peer(port)
    last.send(json.loads(push("add", 1, 2)), ["pull", 1])
    assert last.until(1) == ["resolve", 1, 3]
    first.close()
    last.close()
    _, log = few_files.communicate("\n", timeout=60)
    assert "Too many open files" not in log
    assert sum("at the bound of" in line for line in log.splitlines()) <= 4
