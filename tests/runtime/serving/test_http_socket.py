"""What aiohttp is given, and when."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import pytest

from capnweb_runtime.driving import turns
from capnweb_runtime.limits import ServerLimits
from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.http_socket import SLICE, WAITING, HttpSocket
from capnweb_runtime.serving.peer import Refuse
from tests.runtime.fairness.test_frames import NotedSocket

REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\n\r\n"
FLOOD = REQUEST * 2000


class Inside:
    """Stands for aiohttp: keeps what it is given, each request as one of its messages."""

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self._messages: list[bytes] = []
        self.here: HttpSocket | None = None
        self.lost = False
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.here = HttpSocket.here()

    def data_received(self, data: bytes) -> None:
        self.given.append(data)
        self._messages += data.split(b"\r\n\r\n")[:-1]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


class Case:
    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.inside = Inside()
        self.transport = NotedSocket()
        self.guest = Guest(self.bounds)
        self.socket = HttpSocket(self.inside, self.guest)
        self.socket.connection_made(self.transport)


async def turned(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_request_is_passed_on_at_once_and_its_handler_finds_the_socket() -> None:
    case = Case()
    case.socket.data_received(REQUEST)
    assert case.inside.given == [REQUEST]
    assert case.inside.here is case.socket
    assert case.transport.read == []


async def test_of_many_requests_in_one_write_few_are_taken_in_and_nothing_more_is_read() -> None:
    case = Case()
    case.socket.data_received(FLOOD)
    assert case.inside.given == [FLOOD[:SLICE]]
    assert case.transport.read == [False]
    case.socket.is_whole()
    await turned()
    assert len(case.inside.given) == 1  # too many wait in there
    del case.inside._messages[WAITING - 1 :]
    case.socket.is_whole()
    await turned()
    assert b"".join(case.inside.given) == FLOOD[: 2 * SLICE]
    for _ in range(len(FLOOD) // SLICE):
        case.inside._messages.clear()
        case.socket.is_whole()
        await turned()
    assert b"".join(case.inside.given) == FLOOD
    assert case.transport.read[-1]


async def test_they_are_taken_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN", 0.0)
    case = Case()
    monkeypatch.setattr(Inside, "data_received", lambda self, data: self.given.append(data))
    case.socket.data_received(FLOOD)
    assert len(case.inside.given) < 3
    taken = 0
    while len(case.inside.given) * SLICE < len(FLOOD):
        await asyncio.sleep(0)
        taken += 1
    assert taken >= len(FLOOD) // SLICE - 2
    assert b"".join(case.inside.given) == FLOOD
    await turned()
    assert case.transport.read[-1]


async def test_reading_goes_on_only_when_nothing_is_against_it() -> None:
    case = Case()
    case.inside.transport.pause_reading()
    case.socket.data_received(b"x" * (SLICE + 1))  # which a transport may give all the same
    assert case.inside.given == []
    assert not any(case.transport.read)
    case.inside.transport.resume_reading()
    assert not any(case.transport.read)
    await turned()
    assert b"".join(case.inside.given) == b"x" * (SLICE + 1)
    assert case.transport.read[-1]


async def test_what_has_come_since_a_request_was_whole_is_unfinished() -> None:
    case = Case()
    case.socket.data_received(REQUEST)
    case.socket.data_received(b"x" * 100)
    assert case.bounds.unfinished.bytes == len(REQUEST) + 100
    case.socket.is_whole()
    assert case.bounds.unfinished.bytes == 0
    case.socket.data_received(b"POST")
    case.socket.is_answered()
    assert case.bounds.unfinished.bytes == 4
    case.socket.is_refused()
    case.socket.data_received(b"x" * 100)
    assert case.bounds.unfinished.bytes == 0
    case.socket.connection_lost(None)
    assert case.inside.lost
    case.bounds.close()


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.REQUEST_TIMEOUT])
async def test_a_body_that_has_to_go_is_answered(status: HTTPStatus) -> None:
    case = Case()
    reading = asyncio.create_task(case.socket.whole(never()))
    await turned()
    case.socket.data_received(REQUEST)
    case.guest.end(status, "so it is")
    with pytest.raises(Refuse) as caught:
        await reading
    assert caught.value.status == status
    case.bounds.close()


async def never() -> bytes:
    await asyncio.get_running_loop().create_future()
    return b""


async def test_a_body_that_times_out_by_itself_says_so() -> None:
    async def late() -> bytes:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await Case().socket.whole(late())


async def test_a_head_that_has_to_go_is_answered_and_a_call_that_has_more_behind_it_is_not() -> None:
    case, other = Case(), Case()
    case.socket.data_received(b"POST / HT")
    case.guest.end(HTTPStatus.REQUEST_TIMEOUT, "too slow")
    other.socket.is_whole()
    other.socket.data_received(REQUEST)
    other.guest.end(HTTPStatus.SERVICE_UNAVAILABLE, "busy")
    await turned()
    assert case.transport.written.startswith(b"HTTP/1.1 408 ")
    assert (bytes(other.transport.written), other.transport.ended) == (b"", True)
    case.socket._end(HTTPStatus.REQUEST_TIMEOUT, "again")
    assert case.transport.written.count(b"408") == 1
    case.bounds.close()
    other.bounds.close()


async def test_the_heaviest_body_goes_first() -> None:
    bounds = Bounds(ServerLimits(unfinished_bytes=1000))
    cases = [Case(bounds) for _ in range(3)]
    for case, size in zip(cases, (200, 700, 300), strict=True):
        case.socket.data_received(b"x" * size)
    await turned()
    assert [case.transport.ended for case in cases] == [False, True, False]
    for case in cases:
        case.socket.connection_lost(None)
    bounds.close()
