"""A relay: a server whose main object is that of another server. Rule: it knows no interface, so whatever crosses it is
passed on as it came.

Each session that is opened with it opens one with the server behind, in which the main object of the one is that of the
other, both ways round; where one of the two ends, so does the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from capnweb_runtime import Peer, SessionClosed, serve
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports.websocket_client import open_websocket
from tests.runtime.pair import Recording
from tests.runtime.stream_example import Forwarded


class Passage:
    """The two sessions at the relay of one client.

    Parameters:
        front: with the client.
        back: with the server behind.
    """

    def __init__(self, front: Connection, back: Connection) -> None:
        self.both = front, back
        self.back = back
        self._moved = asyncio.Event()
        for connection in self.both:
            receive = connection.received
            connection.received = partial(self._received, receive)  # type: ignore[method-assign]  # to be told of each

    def _received(self, receive: Callable[..., None], messages: Sequence[Any], *, again: bool = False) -> None:
        receive(messages, again=again)
        self._moved.set()

    def held(self) -> list[tuple[int, int, int, int]]:
        """Entries on the import and the export table, calls in progress, and bytes that count as held; of both."""
        return [
            (stats.imports, stats.exports, stats.calls, connection.session.held.bytes)
            for connection in self.both
            for stats in (connection.stats(),)
        ]

    async def until_held(self, wanted: list[tuple[int, int, int, int]]) -> None:
        """Waits until the two sessions hold this."""
        while self.held() != wanted:
            self._moved.clear()
            await self._moved.wait()


@dataclass(slots=True)
class Relay:
    """A running relay.

    Attributes:
        behind: URL of the server behind.
        port: on which it listens.
        passages: of all clients up to now.
        seen: what it has reported: no failure, as no code of an application runs in it.
    """

    behind: str
    port: int = 0
    passages: list[Passage] = field(default_factory=list)
    seen: Recording = field(default_factory=Recording)
    opening: set[asyncio.Task[object]] = field(default_factory=set)

    def main_of(self, peer: Peer) -> Forwarded:
        """The main object for a client: calls of it wait in the session behind until that is open."""
        front = peer.connection
        assert front is not None
        back = Connection(Forwarded(front.session.remote_main.dup()), observer=self.seen)
        self.passages.append(Passage(front, back))
        opening = asyncio.create_task(open_websocket(self.behind, back, headers={}, ssl=None, open_timeout=None))
        self.opening.add(opening)
        opening.add_done_callback(self.opening.discard)
        front.when_closed(lambda: back.abort(SessionClosed("the client has gone")))
        back.when_closed(lambda: front.abort(SessionClosed("the server has gone")))
        return Forwarded(back.session.remote_main.dup())


@asynccontextmanager
async def relaying(port: int) -> AsyncIterator[Relay]:
    """Relays to the server at a port of this machine while the block runs."""
    relay = Relay(f"ws://127.0.0.1:{port}/rpc")
    async with serve(
        relay.main_of, "127.0.0.1", 0, path=None, origins=["*"], observer=relay.seen, errors="all"
    ) as server:
        relay.port = server.port
        yield relay
        for passage in relay.passages:
            passage.back.abort(SessionClosed("the relay has ended"))
            await passage.back.wait_closed()
