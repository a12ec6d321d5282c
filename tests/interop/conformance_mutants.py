"""Servers of the conformance interface with one fault each. Each names checks of the conformance client that have to
find it.

Some are faults of the main object, some of what goes over the wire: those stand in a proxy in front of a sound server.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import aiohttp
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket

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

    async with serve(main_of, "127.0.0.1", 0, path=None, origins=["*"], errors="all") as server:
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


class ResolvesAPromiseAtOnce(Main):
    def later_inside(self, ms: float, value: Any) -> dict[str, Any]:
        return {"now": value, "later": value}


class LogsInReverse(Main):
    def append_log(self, x: Any) -> int:
        self._log.insert(0, x)
        return len(self._log)


class ForgetsNestedList(Main):
    @property
    def config(self) -> Config:
        return Config(mode="test", nested=Nested(deep=[10, 20], flag=True))


class SharesState(Main):
    shared_log: ClassVar[list[Any]] = []

    def append_log(self, x: Any) -> int:
        self.shared_log.append(x)
        return len(self.shared_log)

    def get_log(self) -> list[Any]:
        return self.shared_log


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


class CutsABlob(Main):
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
    to_server: Callable[[str], list[Frame]] | None = None
    close_code: int | None = None
    batch: Callable[[int, str], tuple[int, str]] | None = None


@asynccontextmanager
async def faulty(fault: Fault) -> AsyncIterator[tuple[str, str]]:
    """Run a proxy with a fault in front of a sound server; yield its WebSocket and HTTP URLs."""
    async with serving(Main) as (ws, http), _faulty_batches(http, fault) as faulty_http:

        async def handle(client: ServerConnection) -> None:
            async with connect(ws, compression=None, max_size=None) as server:
                # Either end may go first, in the middle of anything.
                await asyncio.gather(
                    _answers(server, client, fault), _questions(client, server, fault), return_exceptions=True
                )

        async with serve_websocket(handle, "127.0.0.1", 0, compression=None, max_size=None) as proxy:
            yield f"ws://127.0.0.1:{next(iter(proxy.sockets)).getsockname()[1]}/", faulty_http


async def _answers(server: ClientConnection, client: ServerConnection, fault: Fault) -> None:
    try:
        async for frame in server:
            assert isinstance(frame, str)
            for changed in [frame] if fault.to_client is None else fault.to_client(frame):
                await client.send(changed)
    finally:
        await client.close(fault.close_code or server.close_code or 1000, server.close_reason or "")


async def _questions(client: ServerConnection, server: ClientConnection, fault: Fault) -> None:
    try:
        async for frame in client:
            assert isinstance(frame, str)
            for changed in [frame] if fault.to_server is None else fault.to_server(frame):
                await server.send(changed)
    finally:
        await server.close()


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


def tree(change: Callable[[Any], Any]) -> Callable[[str], list[Frame]]:
    """A fault in expressions: `change` gets every list and object of a message, the inner ones first."""

    def walk(item: Any) -> Any:
        if isinstance(item, list):
            return change([walk(inner) for inner in item])
        if isinstance(item, dict):
            return change({key: walk(inner) for key, inner in item.items()})
        return item

    return lambda frame: [json.dumps(walk(json.loads(frame)), separators=(",", ":"))]


def later(kind: str) -> Callable[[str], list[Frame]]:
    """A fault in the order: messages of a kind come after the message that should come after them."""
    waiting: list[Frame] = []

    def pass_on(frame: str) -> list[Frame]:
        if frame.startswith(f'["{kind}"'):
            waiting.append(frame)
            return []
        frames = [frame, *waiting]
        waiting.clear()
        return frames

    return pass_on


def padded(item: Any) -> Any:
    if isinstance(item, list) and item[:1] == ["bytes"]:
        item[1] += "=" * (-len(item[1]) % 4)
    return item


def with_stack(item: Any) -> Any:
    return [*item, "Error: at line 1"] if isinstance(item, list) and item[:1] == ["error"] and len(item) == 3 else item


def first_instruction(item: Any) -> Any:
    return [*item[:4], item[4][:1]] if isinstance(item, list) and item[:1] == ["remap"] else item


def swapped_captures(item: Any) -> Any:
    return [*item[:3], item[3][::-1], item[4]] if isinstance(item, list) and item[:1] == ["remap"] else item


def nan_as_null(item: Any) -> Any:
    return None if item == ["nan"] else item


def _renamed(old: str, new: str) -> Callable[[str], list[Frame]]:
    return lambda frame: [frame.replace(f'"{old}":', f'"{new}":')]


# ---- all of them


@dataclass(frozen=True, slots=True)
class Mutant:
    """A server with one fault.

    Attributes:
        name: the fault.
        fault: a main object with it, or what a proxy does.
        found_by: names of checks of which each has to find it.
    """

    name: str
    fault: type[Main] | Fault
    found_by: tuple[str, ...]

    def running(self) -> Any:
        """Serve while a block runs; see `serving`."""
        return faulty(self.fault) if isinstance(self.fault, Fault) else serving(self.fault)


MUTANTS = [
    Mutant("rounds numbers", RoundsNumbers, ("numbers are squared and added (WebSocket)",)),
    Mutant(
        "returns null for undefined",
        ReturnsNullForUndefined,
        ("null and undefined are results of their own (HTTP batch)",),
    ),
    Mutant("forgets trailing undefined", ForgetsTrailingUndefined, ("trailing undefined arguments count",)),
    Mutant(
        "loses properties of errors", LosesErrorProperties, ("properties and cause travel with an error (WebSocket)",)
    ),
    Mutant(
        "copies a capability",
        CopiesACapability,
        ("one capability twice in a result has two ids, or one of two introductions",),
    ),
    Mutant(
        "holds a callback without dup",
        HoldsWithoutDup,
        ("a held callback is called until it is dropped, and then disposed",),
    ),
    Mutant("never runs a disposer", NeverDisposes, ("a result that nobody asked for is disposed with its promise",)),
    Mutant(
        "sends a value for a promise",
        ResolvesAPromiseAtOnce,
        ("a promise in a result is resolved by a message of its own, without a pull",),
    ),
    Mutant("changes the order of calls", LogsInReverse, ("calls start in the order in which they arrive",)),
    Mutant("loses an item", ForgetsNestedList, ("a path leads into a property (HTTP batch)",)),
    Mutant("counts one too many", CountsOneTooMany, ("a readable is read to its end",)),
    Mutant("loses the reason of an abort", LosesTheReasonOfAnAbort, ("a writable is aborted with a reason",)),
    Mutant("cuts a blob", CutsABlob, ("a blob is an argument",)),
    Mutant(
        "shares state among sessions",
        SharesState,
        ("a session has its own main and its own state", "each batch has a main of its own"),
    ),
    Mutant("pads base64", Fault(to_client=tree(padded)), ("bytes are sent without padding",)),
    Mutant(
        "sends nan as null", Fault(to_client=tree(nan_as_null)), ("echo gives back infinities and nan (WebSocket)",)
    ),
    Mutant("sends stacks", Fault(to_client=tree(with_stack)), ("an error with nothing more has three elements",)),
    Mutant(
        "sends binary frames",
        Fault(to_client=lambda frame: [frame.encode()]),
        ("messages are text frames, one message each",),
    ),
    Mutant("answers twice", Fault(to_client=lambda frame: [frame, frame]), ("a second pull is ignored",)),
    Mutant(
        "closes with another code",
        Fault(close_code=1000),
        ("pull of an unknown id aborts", "a received abort is not answered, and closes"),
    ),
    Mutant(
        "keeps keys of Object.prototype",
        Fault(to_server=_renamed("constructor", "x"), to_client=_renamed("x", "constructor")),
        ("keys that JavaScript objects inherit are dropped",),
    ),
    Mutant(
        "ignores releases",
        Fault(to_server=lambda frame: [] if frame.startswith('["release"') else [frame]),
        ("a disposer runs once the stub is gone",),
    ),
    Mutant(
        "answers before it releases parameters",
        Fault(to_client=later("release")),
        ("a parameter is released before the call is answered",),
    ),
    Mutant(
        "announces a pipe too late",
        Fault(to_client=later("pipe")),
        ("a readable result comes through a pipe that is announced first",),
    ),
    Mutant(
        "maps by the first instruction",
        Fault(to_server=tree(first_instruction)),
        ("the last instruction is the result, earlier ones are its variables",),
    ),
    Mutant("confuses captures", Fault(to_server=tree(swapped_captures)), ("-k is the k-th capture",)),
    Mutant(
        "ends a batch with a newline",
        Fault(batch=lambda status, text: (status, text + "\n")),
        ("answers are joined by newlines, without one at the end", "an empty body is answered by an empty one"),
    ),
    Mutant(
        "answers a failed batch by 200",
        Fault(batch=lambda status, text: (200, text)),
        ("an unknown id fails the batch, and says why",),
    ),
]
