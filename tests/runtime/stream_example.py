"""An interface with streams whose target does what a test tells it to, and a line between two sessions that keeps what
passes.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, Literal

from typing_extensions import TypeVar

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.core.held import EXPORT
from capnweb_runtime.core.hook import Hook, Host
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from tests.runtime.pair import Recording

STREAM_INT = rpc.stream_of(rpc.INT)
STREAM_ANY = rpc.stream_of(rpc.ANY)
WRITABLE_INT = rpc.writable_of(rpc.INT)
WRITABLE_ANY = rpc.writable_of(rpc.ANY)
DEPOT = rpc.interface(lambda: DepotStub, lambda: DepotPromise, lambda: Depot)


class DepotSpec(rpc.Interface):
    echo = rpc.method("echo", rpc.ANY, rpc.param("value", rpc.ANY))
    do = rpc.method("do", rpc.ANY, rpc.param("value", rpc.ANY))
    give = rpc.method("give", STREAM_ANY)
    give_ints = rpc.method("giveInts", STREAM_INT)
    take = rpc.method("take", rpc.ANY, rpc.param("stream", STREAM_ANY))
    take_ints = rpc.method("takeInts", rpc.ANY, rpc.param("stream", STREAM_INT))
    open = rpc.method("open", WRITABLE_ANY)
    open_ints = rpc.method("openInts", WRITABLE_INT)
    fill = rpc.method("fill", rpc.ANY, rpc.param("writable", WRITABLE_ANY))
    other = rpc.method("other", DEPOT)
    meet = rpc.method("meet", rpc.ANY, rpc.param("other", DEPOT))


class DepotCalls(rpc.Calls):
    def echo(self, value: Any) -> rpc.AnyPromise:
        return self._call(DepotSpec.echo, value)

    def do(self, value: Any) -> rpc.AnyPromise:
        return self._call(DepotSpec.do, value)

    def give(self) -> rpc.StreamPromise[Any]:
        return self._call(DepotSpec.give)

    def give_ints(self) -> rpc.StreamPromise[int]:
        return self._call(DepotSpec.give_ints)

    def take(self, stream: AsyncIterable[Any]) -> rpc.AnyPromise:
        return self._call(DepotSpec.take, stream)

    def take_ints(self, stream: AsyncIterable[int]) -> rpc.AnyPromise:
        return self._call(DepotSpec.take_ints, stream)

    def open(self) -> rpc.RpcPromise[rpc.WritableStream[Any]]:
        return self._call(DepotSpec.open)

    def open_ints(self) -> rpc.RpcPromise[rpc.WritableStream[int]]:
        return self._call(DepotSpec.open_ints)

    def fill(self, writable: rpc.WritableTarget[Any] | rpc.WritableStream[Any]) -> rpc.AnyPromise:
        return self._call(DepotSpec.fill, writable)

    def other(self) -> DepotPromise:
        return self._call(DepotSpec.other)

    def meet(self, other: DepotTarget | DepotStub | DepotPromise) -> rpc.AnyPromise:
        return self._call(DepotSpec.meet, other)


class DepotStub(DepotCalls, rpc.RpcStub):
    pass


DepotR = TypeVar("DepotR", covariant=True, default=DepotStub)


class DepotPromise(DepotCalls, rpc.RpcPromise[DepotR]):
    pass


class DepotTarget(rpc.RpcTarget, spec=DepotSpec):
    """The generated class would declare every member abstract."""


class Depot(DepotTarget):
    """`echo` returns what it gets; every other method calls the function of that name which the test has given."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        self.methods = methods
        self.disposed = 0

    def echo(self, value: Any) -> Any:
        return value

    def do(self, value: Any) -> Any:
        return self._act("do", value)

    def give(self) -> Any:
        return self._act("give")

    def give_ints(self) -> Any:
        return self._act("give_ints")

    def take(self, stream: rpc.ReadableStream[Any]) -> Any:
        return self._act("take", stream)

    def take_ints(self, stream: rpc.ReadableStream[int]) -> Any:
        return self._act("take_ints", stream)

    def open(self) -> Any:
        return self._act("open")

    def open_ints(self) -> Any:
        return self._act("open_ints")

    def fill(self, writable: rpc.WritableStream[Any]) -> Any:
        return self._act("fill", writable)

    def other(self) -> Any:
        return self._act("other")

    def meet(self, other: DepotStub) -> Any:
        return self._act("meet", other)

    def dispose(self) -> None:
        self.disposed += 1

    def _act(self, name: str, *args: Any) -> Any:
        assert name in self.methods, f"the test did not expect a call of {name}"
        return self.methods[name](*args)


class Producer:
    """Gives the items, counting them, and knows how it ended: "finished", "closed" or what was raised.

    Parameters:
        items: what to give.
        error: raised after the items.
    """

    def __init__(self, items: Any, error: Exception | None = None) -> None:
        self.items = items
        self.error = error
        self.given = 0
        self.ended = asyncio.Event()
        self.how: object = "running"

    async def run(self) -> AsyncIterator[Any]:
        try:
            for item in self.items:
                self.given += 1
                yield item
            if self.error is not None:
                raise self.error
            self.how = "finished"
        except GeneratorExit:
            self.how = "closed"
            raise
        except BaseException as error:
            self.how = error
            raise
        finally:
            self.ended.set()


class Sink(rpc.WritableTarget[Any]):
    """Keeps what it is given, each write waiting for the gate."""

    def __init__(self, gate: asyncio.Event | None = None, fails_at: int | None = None) -> None:
        self.gate = gate
        self.fails_at = fails_at
        self.chunks: list[Any] = []
        self.ends: list[Any] = []
        self.ended = asyncio.Event()

    async def write(self, chunk: Any) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if len(self.chunks) == self.fails_at:
            raise ValueError("the sink is full")
        self.chunks.append(chunk)

    async def close(self) -> None:
        self.ends.append("closed")
        self.ended.set()

    def abort(self, reason: BaseException) -> None:
        self.ends.append(str(reason))
        self.ended.set()


async def collected(stream: AsyncIterable[Any]) -> list[Any]:
    return [chunk async for chunk in stream]


class Line:
    """One direction between two sessions: keeps what passes, and holds it back when told to."""

    def __init__(self, own: Connection, peer: Connection) -> None:
        self.own = own
        self.peer = peer
        self.sent: list[Any] = []
        self.bytes = 0
        self.held: list[list[Any]] | None = None
        self.on_its_way = 0
        own.attach(self)

    def write(self, messages: list[Any]) -> None:
        for message in messages:
            self.bytes += len(message) if isinstance(message, bytes) else 0
            self.sent.append(json.loads(message) if isinstance(message, bytes) else message)
        if self.held is not None:
            self.held.append(messages)
        else:
            self._send(messages)

    def close(self, reason: BaseException) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(self.own.lost, reason)
        loop.call_soon(self.peer.lost, reason)

    def buffered(self) -> int:
        return 0

    def hold(self) -> None:
        self.held = []

    def let_go(self) -> None:
        held, self.held = self.held or [], None
        for messages in held:
            self._send(messages)

    def _send(self, messages: list[Any]) -> None:
        self.on_its_way += 1
        asyncio.get_running_loop().call_soon(self._deliver, messages)

    def _deliver(self, messages: list[Any]) -> None:
        self.on_its_way -= 1
        self.peer.received(messages)

    def kinds(self) -> list[str]:
        return [message[0] for message in self.sent]

    def take(self) -> list[Any]:
        """What has been sent since the last time."""
        sent, self.sent = self.sent, []
        return sent


class Joined:
    """Two sessions on the running loop with a line each way: `a` calls `b`."""

    def __init__(
        self,
        main_b: rpc.RpcTarget | None = None,
        main_a: rpc.RpcTarget | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        encoding: Encoding = "string",
    ) -> None:
        self.seen = Recording()
        self.a = Connection(main_a, limits=limits, observer=self.seen, encoding=encoding)
        self.b = Connection(main_b, limits=limits, observer=self.seen, encoding=encoding)
        self.to_b = Line(self.a, self.b)
        self.to_a = Line(self.b, self.a)
        self.depot = self.a.main(DepotStub)

    async def quiet(self) -> None:
        """Waits until nothing happens any more without something from outside."""
        idle = 0
        while idle < 10:
            before = len(self.to_a.sent), len(self.to_b.sent)
            await asyncio.sleep(0)
            moving = self.to_a.on_its_way or self.to_b.on_its_way
            idle = 0 if moving or before != (len(self.to_a.sent), len(self.to_b.sent)) else idle + 1

    @property
    def is_empty(self) -> bool:
        """Whether the tables of both ends hold nothing but the main objects, no call runs, and nothing else counts as
        held: what an error's frames have is, as long as the test has the error.
        """
        return all(
            (stats.imports, stats.exports, stats.calls, connection.session.held.bytes) == (1, 1, 0, EXPORT)
            for connection in (self.a, self.b)
            for stats in (connection.stats(),)
        )

    async def assert_empty(self) -> None:
        """Nothing is left at either end, and both sessions live."""
        await self.quiet()
        if not self.is_empty:
            gc.collect()
            await self.quiet()
        for connection in (self.a, self.b):
            session = connection.session
            assert session.reason is None
            stats = session.stats()
            assert (stats.imports, stats.exports, stats.calls) == (1, 1, 0), (
                f"left over: imports {sorted(session._imports)}, exports {sorted(session._exports)}, "
                f"{stats.calls} calls"
            )
            assert session.held.bytes == EXPORT, "bytes count as held that nobody holds"


class Joining:
    """Makes joined sessions, which must be empty after the test."""

    def __init__(self) -> None:
        self.made: list[Joined] = []

    def __call__(self, main_b: Any = None, main_a: Any = None, **options: Any) -> Joined:
        joined = Joined(main_b, main_a, **options)
        self.made.append(joined)
        return joined

    def forget(self, joined: Joined) -> None:
        """A session that the test has ended."""
        self.made.remove(joined)

    async def assert_empty(self) -> None:
        for joined in (*self.made, *self.made):  # one may free what another holds
            await joined.quiet()
        for joined in self.made:
            await joined.assert_empty()


class Forwarded(rpc.RpcTarget):
    """A main object that lives behind another session: what a relay offers."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def _export(self, host: Host) -> Hook:
        return self._hook


class Chain:
    """A client, relays, and a server: in the middle nobody knows the interface.

    Parameters:
        join: makes sessions.
        main: what the server offers.
        relays: how many there are.
        carry: how messages travel: as an encoding says, or as text with bytes beside it.
        limits: of each session.

    Attributes:
        sessions: from the server to the client; in each, `a` is on the client's side.
        depot: what the server offers, as the client sees it.
    """

    def __init__(
        self,
        join: Joining,
        main: rpc.RpcTarget,
        relays: int = 1,
        carry: Encoding | Literal["attached"] = "string",
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.sessions: list[Joined] = []
        offered = main
        for _ in range(relays + 1):
            joined = join(offered, encoding="string" if carry == "attached" else carry, limits=limits)
            if carry == "attached":
                joined.a.session.attach_bytes()
                joined.b.session.attach_bytes()
            self.sessions.append(joined)
            offered = Forwarded(joined.a.session.remote_main.dup())
        self.depot = self.sessions[-1].depot

    async def quiet(self) -> None:
        """Waits until nothing happens anywhere any more."""
        for joined in (*self.sessions, *reversed(self.sessions), *self.sessions):
            await joined.quiet()

    @property
    def is_empty(self) -> bool:
        """Whether no session holds anything but the main objects."""
        return all(joined.is_empty for joined in self.sessions)

    def failures(self) -> list[tuple[str, BaseException]]:
        """What applications have been told; those of the relays have nothing to be told of."""
        return [failure for joined in self.sessions for failure in joined.seen.failures]


def within(awaitable: Awaitable[Any]) -> Awaitable[Any]:
    """Keeps a test that would hang from doing so for ever."""
    return asyncio.wait_for(awaitable, 20)
