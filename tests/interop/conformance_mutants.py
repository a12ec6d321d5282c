"""Servers of the conformance interface with one fault each. Each names checks of the conformance client that have to find it.

Some are faults of the main object, some of what goes over the wire: those stand in a proxy in front of a sound server.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed

from capnweb_runtime import UNDEFINED, Blob, CallbackStub, Peer, RpcError, serve
from examples.conformance.generated.conformance import PeerApiStub
from examples.conformance.parts import Counter, Sink, Tracked
from examples.conformance.schema.conformance import Config, Nested, SinkState
from examples.conformance.target import Main

Frame = str | bytes


@asynccontextmanager
async def serving(make: Callable[[PeerApiStub], Main]) -> AsyncIterator[tuple[str, str]]:
    """Serve mains while the block runs; yield the WebSocket and the HTTP URL."""

    def main_of(peer: Peer) -> Main:
        return make(peer.main(PeerApiStub))

    async with serve(main_of, "127.0.0.1", 0, path=None, origins=["*"]) as server:
        yield f"ws://127.0.0.1:{server.port}/", f"http://127.0.0.1:{server.port}/"


# ---- faults of the main object


class RoundsNumbers(Main):
    def square(self, i: float) -> float:
        return int(i) * int(i)


class ReturnsNullForUndefined(Main):
    def return_undefined(self) -> Any:
        return None


class ForgetsTrailingUndefined(Main):
    def arg_count(self, *args: Any) -> int:
        return len([value for value in args if value is not UNDEFINED])


class LosesErrorProperties(Main):
    def throw_rich(self) -> Any:
        raise RpcError("rich error", "TypeError")


class CopiesACapability(Main):
    def get_same_counter_twice(self) -> list[Counter]:
        return [Counter(5), Counter(5)]


class HoldsWithoutDup(Main):
    def hold(self, fn: CallbackStub[[Any], Any]) -> None:
        self._held = fn


class NeverDisposes(Main):
    def make_tracked(self) -> Tracked:
        return Tracked(lambda: None)


class AwaitsWhatItShouldPassOn(Main):
    async def later_inside(self, ms: float, value: Any) -> dict[str, Any]:
        return {"now": value, "later": await self.echo_later(value, ms)}


class LogsInReverse(Main):
    def append_log(self, x: Any) -> int:
        self._log.insert(0, x)
        return len(self._log)


class ForgetsNestedList(Main):
    @property
    def config(self) -> Config:
        return Config(mode="test", nested=Nested(deep=[10, 20], flag=True))


class CountsOneTooMany(Main):
    async def countdown(self, n: int) -> AsyncIterator[int]:
        for i in range(n, -1, -1):
            yield i


class LosesTheReasonOfAnAbort(Main):
    def make_sink(self) -> Sink:
        self._sink = SinkState(chunks=[], state="open", reason=None)
        return Forgetful(self._sink)


class Forgetful(Sink):
    def abort(self, reason: BaseException) -> None:
        self._state.state = "aborted"


class LosesTheTypeOfABlob(Main):
    def echo_blob(self, blob: Blob) -> Blob:
        return Blob(blob.data[:-1], blob.type)


# ---- faults on the wire


@dataclass(frozen=True, slots=True)
class Fault:
    """What a proxy does to frames.

    Attributes:
        to_client: frames to send on for one that the server sent; None leaves them.
        to_server: the same for the client's.
        close_code: of the client's connection, whatever the server's was; None passes it on.
        batch: status and text to answer for those of the server; None leaves them.
    """

    to_client: Callable[[str], list[Frame]] | None = None
    to_server: Callable[[Frame], list[Frame]] | None = None
    close_code: int | None = None
    batch: Callable[[int, str], tuple[int, str]] | None = None


@asynccontextmanager
async def faulty(fault: Fault) -> AsyncIterator[tuple[str, str]]:
    """Run a proxy with a fault in front of a sound server; yield its WebSocket and HTTP URLs."""
    async with serving(Main) as (ws, http), _faulty_batches(http, fault) as faulty_http:

        async def handle(client: ServerConnection) -> None:
            async with connect(ws, compression=None, max_size=None) as server:

                async def answers() -> None:
                    async for frame in server:
                        assert isinstance(frame, str)
                        for changed in [frame] if fault.to_client is None else fault.to_client(frame):
                            await client.send(changed)
                    await client.close(fault.close_code or server.close_code or 1000, server.close_reason or "")

                await _both(answers(), _pass_on(client, server, fault))

        async with serve_websocket(handle, "127.0.0.1", 0, compression=None, max_size=None) as proxy:
            yield f"ws://127.0.0.1:{next(iter(proxy.sockets)).getsockname()[1]}/", faulty_http


async def _pass_on(client: ServerConnection, server: Any, fault: Fault) -> None:
    async for frame in client:
        for changed in [frame] if fault.to_server is None else fault.to_server(frame):
            await server.send(changed)
    await server.close()


async def _both(*directions: Awaitable[None]) -> None:
    import_ = __import__("asyncio")
    await import_.gather(*directions, return_exceptions=True)


@asynccontextmanager
async def _faulty_batches(upstream: str, fault: Fault) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, upstream, data=body) as answer,
        ):
            status, text = answer.status, await answer.text()
        status, text = fault.batch(status, text) if fault.batch else (status, text)
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
