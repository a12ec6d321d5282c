"""A session that has ended gives its memory back at once, whatever was going on, by reference counting alone: nothing
waits for Python's garbage collector, which stops everybody.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from weakref import ref

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.core.budget import Running
from capnweb_runtime.core.held import HeldTotal
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.observe import Observer
from capnweb_runtime.transports import memory
from capnweb_runtime.transports.http_batch import BatchAnswer
from capnweb_runtime.transports.keepalive import Silence
from tests.runtime.example import Desk, DeskStub

ADD = ["push", ["pipeline", 0, ["add"], [1, 2]]]
HOLD = ["push", ["pipeline", 0, ["hold"], ["gate"]]]


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Dying(Desk):
    """A main object that tells how many of its kind there are; a call that waits does not keep it."""

    def hold(self, name: str) -> Any:
        return asyncio.get_running_loop().create_future()


class Silent(Observer):
    """Where pytest's log would keep what it is told."""

    def target_failed(self, where: str, error: BaseException) -> None:
        """Says nothing."""


class End:
    """The server's end of a session without a socket."""

    def __init__(self) -> None:
        self.connection = Connection(Dying(), errors="all", observer=Silent())
        self.connection.attach(self)

    def write(self, messages: list[Any]) -> None:
        """Nobody reads."""

    def close(self, reason: BaseException) -> None:
        self.connection.lost(reason)

    def buffered(self) -> int:
        return 0


OF_A_SERVER = (HeldTotal, Running, Silence)


def ours() -> Counter[str]:
    """How many objects there are of each class of the runtime's, and main objects; without those of a server, of which
    there is one.
    """
    return Counter(
        cls.__qualname__
        for cls in map(type, gc.get_objects())
        if cls is Dying
        or (
            str(cls.__module__).startswith("capnweb_runtime")
            and ".serving." not in cls.__module__
            and cls not in OF_A_SERVER
        )
    )


async def iterations(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


GOING_ON: dict[str, list[Any]] = {
    "nothing": [],
    "calls": [ADD, ["pull", 1], ADD],
    "a call that runs": [HOLD, ["pull", 1]],
    "capabilities": [["push", ["pipeline", 0, ["counter"], [number]]] for number in range(5)],
    "pending pipelines": [
        HOLD,
        *[["push", ["pipeline", number, []]] for number in range(1, 50)],
        *[["push", ["pipeline", 1, ["x"], [1]]] for _ in range(50)],
        *[["pull", number] for number in range(1, 100)],
    ],
    "maps": [["push", [[1, 2, 3]]], ["push", ["remap", 1, [], [], [[[1]]]]], HOLD, ["push", ["remap", 3, [], [], [1]]]],
    "composites": [["push", [[1, 2]]], ["push", [[["pipeline", 1], ["pipeline", 1]]]], ["push", ["pipeline", 2, []]]],
    "streams": [["pipe"], *[["stream", ["pipeline", 1, ["write"], ["x" * 500]]] for _ in range(20)]],
    "errors": [["push", ["pipeline", 0, ["fail"], ["no"]]], ["push", ["pipeline", 0, ["nope"], []]], ["pull", 1]],
    "imports": [["push", ["pipeline", 0, ["keep"], [["export", -1]]]], ["push", [[["export", -2], ["promise", -3]]]]],
}

ENDS: dict[str, Callable[[End], object]] = {
    "lost": lambda end: end.connection.lost(SessionClosed("gone")),
    "aborted here": lambda end: end.connection.abort(ValueError("enough")),
    "aborted by the peer": lambda end: end.connection.received([b'["abort",["error","Error","enough"]]']),
    "a broken message": lambda end: end.connection.received([b'["push",["pipeline",77,["x"],[["date"]]]]']),
    "its main stub": lambda end: end.connection.session.remote_main.dispose(),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("what", GOING_ON)
async def test_nothing_is_left_of_a_server_end(what: str, how: str) -> None:
    async def session() -> list[Any]:
        end = End()
        end.connection.received([json.dumps(message).encode() for message in GOING_ON[what]])
        await iterations()
        watched: list[ref[Any]] = [ref(end.connection), ref(end.connection.session)]
        tasks = tuple(end.connection.host.tasks)
        ENDS[how](end)
        await iterations()
        del end
        alive = [watching() for watching in watched]
        for task in tasks:  # which an ended session leaves to run; what they keep is their own
            task.cancel()
        await iterations()
        return [one for one in alive if one is not None]

    assert not await session()  # once, so that what is made for the first time is there
    before = ours()
    left = await session()
    await iterations()
    assert not left
    assert ours() - before == Counter()


async def sessions_of_a_pair() -> list[ref[Any]]:
    a, b = memory.pair(None, Dying())
    desk = a.main(DeskStub)
    assert await desk.add(1, 2) == 3
    counter = await desk.counter(3)
    assert await counter.increment(1) == 4
    books = await desk.books()
    assert books
    waiting = asyncio.ensure_future(_failed(desk.hold("gate")))
    await iterations()
    counter.dispose()
    desk.dispose()
    await waiting
    await a.wait_closed()
    await b.wait_closed()
    for task in (*a.host.tasks, *b.host.tasks):
        task.cancel()
    await iterations()
    return [ref(a), ref(b), ref(a.session), ref(b.session)]


async def _failed(promise: Awaitable[Any]) -> None:
    try:
        await promise
    except SessionClosed:
        del promise  # which has the error, which has this frame
        return
    raise AssertionError("it has a result")


async def sessions_over_a_websocket() -> list[ref[Any]]:
    kept: list[ref[Any]] = []

    def factory(peer: Any) -> Dying:
        kept.extend((ref(peer.connection), ref(peer.connection.session)))
        return Dying()

    async with serve(factory, "127.0.0.1", 0) as server:
        async with connect(f"ws://127.0.0.1:{server.port}", DeskStub) as desk:
            assert await desk.add(1, 2) == 3
        await iterations()
    await iterations()
    return kept


async def sessions_of_a_batch() -> list[ref[Any]]:
    connection = Connection(Dying())
    body = b'["push",["pipeline",0,["add"],[1,2]]]\n["push",["pipeline",1,[]]]\n["pull",1]'
    status, answer = await BatchAnswer(connection).answer(body)
    assert (status, answer) == (200, b'["resolve",1,3]')
    await iterations()
    return [ref(connection), ref(connection.session)]


@pytest.mark.parametrize("sessions", [sessions_of_a_pair, sessions_over_a_websocket, sessions_of_a_batch])
async def test_nothing_is_left_of_either_end(sessions: Callable[[], Awaitable[list[ref[Any]]]]) -> None:
    await sessions()
    await iterations()
    before = ours()
    kept = await sessions()
    await iterations()
    assert [one() for one in kept if one() is not None] == []
    assert ours() - before == Counter()


async def test_an_error_that_ends_a_session_keeps_no_frames() -> None:
    end = End()
    end.connection.received([b'["push",["pipeline",77,["x"],[]]]'])
    reason = end.connection.session.reason
    assert reason is not None
    assert reason.__traceback__ is None
    await iterations()
    assert sys.getrefcount(end) < 10
