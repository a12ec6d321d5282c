"""Connects by the best transport that works. Rule: only what another transport may do better is left to another one:
that nobody answers, or that this one is not served. Who is refused, or finds a certificate that is not to be trusted,
is told so, and no other way is tried round that.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Generic, Literal, TypeVar

from capnweb_runtime import ConnectionLost, ConnectionRefused, RpcStub, connect

S = TypeVar("S", bound=RpcStub)
Way = Literal["webtransport", "websocket", "http"]

WAYS: tuple[Way, ...] = ("webtransport", "websocket", "http")
"""The best first: without waiting for lost packets, with callbacks and streams, and what gets through everywhere."""
NOT_SERVED = 501
"""What a server answers that does not serve WebSockets."""

_PATIENCE_OF_TCP = 10.0


class Best(Generic[S]):
    """A client of one server that takes the best way to it, and remembers what does not work in this network.

    Parameters:
        place: name, port and path of the server: `example.org:443/rpc`.
        stub: class of the stub of its main object.
        check: a cheap call, by which a batch is tried: nothing is sent before the first call.
        trust: which certificates; None is the system's.
        patience: seconds that a session over UDP has to open; where that does not get through, nothing answers. TCP has
            10, as there somebody mostly says no.
        again: seconds after which a way that has not worked is tried again.
        clock: what tells the time, in seconds.

    Attributes:
        tried: the ways that were tried for the last connection.
    """

    def __init__(
        self,
        place: str,
        stub: type[S],
        check: Callable[[S], Awaitable[object]],
        *,
        trust: ssl.SSLContext | None = None,
        patience: float = 2.0,
        again: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place, self._stub, self._check = place, stub, check
        self._trust, self._patience = trust, patience
        self._again, self._clock = again, clock
        self._blocked: dict[Way, float] = {}  # since when
        self.tried: list[Way] = []

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[tuple[Way, S]]:
        """A session by the best way that works, and which that is. By "http" it is a batch, which is one round trip.

        Raises:
            SessionClosed: no way works, or the server has said why there is no session.
        """
        async with AsyncExitStack() as stack:
            yield await self._first(stack)

    async def _first(self, stack: AsyncExitStack) -> tuple[Way, S]:
        self.tried, failed, errors = [], list[Way](), list[ConnectionLost | ConnectionRefused]()
        for way in self._in_order():
            self.tried.append(way)
            try:
                stub = await self._open(way, stack)
            except ConnectionLost as error:
                errors.append(error)
            except ConnectionRefused as error:
                if error.status != NOT_SERVED:
                    raise
                errors.append(error)
            else:  # so that it is the network, or the server, that does not have the others
                self._blocked |= dict.fromkeys(failed, self._clock())
                return way, stub
            failed.append(way)
        raise errors[-1]

    async def _open(self, way: Way, stack: AsyncExitStack) -> S:
        if way == "http":
            async with self._connect(way) as batch:
                await self._check(batch)
        return await stack.enter_async_context(self._connect(way))

    def _connect(self, way: Way) -> AbstractAsyncContextManager[S]:
        url = f"{'wss' if way == 'websocket' else 'https'}://{self._place}"
        transport: Literal["webtransport"] | None = "webtransport" if way == "webtransport" else None
        patience = self._patience if way == "webtransport" else _PATIENCE_OF_TCP
        return connect(url, self._stub, transport=transport, ssl=self._trust, open_timeout=patience)

    def _in_order(self) -> list[Way]:
        """The ways to try: all but those that have not worked a short while ago."""
        now = self._clock()
        return [way for way in WAYS if way not in self._blocked or now - self._blocked[way] >= self._again]
