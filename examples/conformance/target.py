"""The main object of the conformance server: one for each session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from capnweb_runtime import (
    UNDEFINED,
    AnyStub,
    Blob,
    CallbackStub,
    RangeError,
    ReadableStream,
    RpcError,
    WritableStream,
)
from capnweb_runtime.errors import wire_message
from examples.conformance.generated.conformance import ConformanceApiTarget, CounterStub, PeerApiStub
from examples.conformance.kinds import all_types, kind_of
from examples.conformance.parts import Authed, Counter, FailingSink, Sink, Tracked
from examples.conformance.schema.conformance import (
    BlobInfo,
    ByteCount,
    Config,
    Item,
    Nested,
    SinkState,
    Stats,
)

STATS = Stats(disposed=0, broken=0)
"""Counts over all sessions of the process."""


class Main(ConformanceApiTarget):
    """What a session starts with.

    Parameters:
        peer: the client's own main object.
    """

    def __init__(self, peer: PeerApiStub) -> None:
        self.instance_field = self.instanceField = "do-not-leak"
        self._peer = peer
        self._counter = Counter(100)
        self._held: CallbackStub[[Any], Any] | None = None
        self._kept: list[AnyStub] = []
        self._later: set[asyncio.Task[None]] = set()
        self._last_error: str | None = None
        self._disposed = 0
        self._log: list[Any] = []
        self._sink = SinkState(chunks=[], state="none", reason=None)
        self._cancelled: str | None = None

    # ---- properties

    @property
    def version(self) -> str:
        return "conformance-1"

    @property
    def config(self) -> Config:
        return Config(mode="test", nested=Nested(deep=[10, 20, 30], flag=True))

    @property
    def failing(self) -> Any:
        raise RpcError("getter failed")

    @property
    def shared_counter(self) -> Counter:
        return self._counter

    # ---- plain calls

    def square(self, i: float) -> float:
        return i * i

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def greet(self, name: str) -> str:
        return f"Hello, {name}!"

    def echo(self, value: Any) -> Any:
        return value

    async def echo_later(self, value: Any, ms: float) -> Any:
        await asyncio.sleep(ms / 1000)
        return value

    def arg_count(self, *args: Any) -> int:
        return len(args)

    def arg_kinds(self, *args: Any) -> list[str]:
        return [kind_of(value) for value in args]

    def kind_of(self, value: Any) -> str:
        return kind_of(value)

    def sum(self, numbers: list[float]) -> float:
        return sum(numbers)

    def generate_fibonacci(self, n: int) -> list[float]:
        numbers: list[float] = []
        a, b = 0, 1
        while len(numbers) < n:
            numbers.append(a)
            a, b = b, a + b
        return numbers

    def return_null(self) -> None:
        return None

    def return_undefined(self) -> Any:
        return UNDEFINED

    def return_number(self, i: float) -> float:
        return i

    def get_list(self) -> list[Item]:
        return [Item(id=1, name="one"), Item(id=2, name="two"), Item(id=3, name="three")]

    def get_matrix(self) -> list[list[int]]:
        return [[1, 2], [3], []]

    def get_nested(self) -> Any:
        return {"a": {"b": {"c": [10, 20, [30]]}}, "s": "x"}

    def big_array(self, n: int) -> list[int]:
        return list(range(n))

    def big_string(self, n: int) -> str:
        return "x" * n

    def make_deep(self, n: int) -> Any:
        bottom: Any = "bottom"
        return reduce(lambda value, _: [value], range(n), bottom)

    def all_types(self) -> dict[str, Any]:
        return all_types()

    # ---- errors

    def throw_error(self) -> Any:
        raise RangeError("test error")

    def throw_named(self, type: str, message: str) -> Any:
        raise RpcError(message, type)

    def throw_rich(self) -> Any:
        details = {"list": [1, "two"], "when": datetime.fromtimestamp(0, UTC)}
        raise RpcError("rich error", "TypeError", code=42, details=details) from RpcError("root cause")

    def throw_aggregate(self) -> Any:
        raise ExceptionGroup("many", [RangeError("e1"), RpcError("e2")])

    def throw_value(self, value: Any) -> Any:
        """Python raises exceptions only, so the value travels as a property of one."""
        raise RpcError("a value was thrown that is no error", value=value)

    async def reject_later(self, message: str, ms: float) -> Any:
        await asyncio.sleep(ms / 1000)
        raise RpcError(message)

    def return_unserializable(self) -> Any:
        return object()

    # ---- capabilities

    def call_square(self, stub: AnyStub, i: float) -> dict[str, Any]:
        return {"result": stub.call("square", i)}

    async def call_function(self, fn: CallbackStub[[Any], Any], i: Any) -> dict[str, Any]:
        return {"result": await fn(i)}

    async def call_many(self, fn: CallbackStub[[int], Any], n: int) -> list[Any]:
        return [await fn(i) for i in range(n)]

    def call_later(self, fn: CallbackStub[[Any], Any], ms: float, arg: Any) -> None:
        kept = fn.dup()

        async def call() -> None:
            with kept:
                await kept(arg)

        self._after(ms, call)

    def use_after_return(self, fn: CallbackStub[[int], Any], ms: float) -> None:
        async def call() -> None:
            try:
                await fn(1)
            except Exception as error:
                self._last_error = wire_message(error)
            else:
                self._last_error = "no error"

        self._after(ms, call)

    def _after(self, ms: float, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs something later that no call waits for; the client may have gone by then."""

        async def wait() -> None:
            await asyncio.sleep(ms / 1000)
            await run()

        task = asyncio.create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._later.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it

    def last_error(self) -> str | None:
        return self._last_error

    def make_counter(self, i: float) -> Counter:
        return Counter(i)

    async def increment_counter(self, counter: CounterStub, n: float = 1) -> float:
        return await counter.increment(n)

    def get_counter_pair(self) -> dict[str, Counter]:
        return {"a": Counter(1), "b": Counter(2)}

    def get_same_counter_twice(self) -> list[Counter]:
        counter = Counter(5)
        return [counter, counter]

    def make_adder(self, n: float) -> Callable[[float], float]:
        return lambda x: x + n

    def return_stub(self, stub: AnyStub) -> AnyStub:
        return stub.dup()

    def return_stub_in(self, stub: AnyStub) -> dict[str, AnyStub]:
        return {"stub": stub.dup()}

    def hold(self, fn: CallbackStub[[Any], Any]) -> None:
        self.drop_held()
        self._held = fn.dup()

    async def call_held(self, x: Any) -> Any:
        if self._held is None:
            raise RpcError("nothing is held")
        return await self._held(x)

    def drop_held(self) -> None:
        if self._held is not None:
            self._held.dispose()
        self._held = None

    def _tracked(self) -> Tracked:
        def on_dispose() -> None:
            self._disposed += 1
            STATS.disposed += 1

        return Tracked(on_dispose)

    def make_tracked(self) -> Tracked:
        return self._tracked()

    def make_tracked_twice(self) -> dict[str, Tracked]:
        tracked = self._tracked()
        return {"a": tracked, "b": tracked}

    def disposed_count(self) -> int:
        return self._disposed

    def watch_broken(self, stub: AnyStub) -> None:
        def on_broken(reason: BaseException) -> None:
            STATS.broken += 1

        kept = stub.dup()
        kept.on_broken(on_broken)
        self._kept.append(kept)

    def global_stats(self) -> Stats:
        return STATS

    def append_log(self, x: Any) -> int:
        self._log.append(x)
        return len(self._log)

    def get_log(self) -> list[Any]:
        return self._log

    def later_inside(self, ms: float, value: Any) -> dict[str, Any]:
        return {"now": value, "later": self.echo_later(value, ms)}

    async def deferred_counter(self, ms: float, i: float) -> Counter:
        await asyncio.sleep(ms / 1000)
        return Counter(i)

    async def call_peer(self, x: float) -> float:
        return await self._peer.on_peer_call(x)

    def authenticate(self, token: str) -> Authed:
        if token != "secret":
            raise RpcError("invalid token")
        return Authed()

    # ---- streams and blobs

    def make_sink(self) -> Sink:
        self._sink = SinkState(chunks=[], state="open", reason=None)
        return Sink(self._sink)

    def sink_state(self) -> SinkState:
        return self._sink

    def make_failing_sink(self, n: int) -> FailingSink:
        return FailingSink(n)

    async def countdown(self, n: int) -> AsyncIterator[int]:
        for i in range(n, 0, -1):
            yield i

    async def failing_readable(self, n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i
        raise RpcError("readable failed")

    async def make_cancelable(self) -> AsyncIterator[int]:
        self._cancelled = None
        try:
            while True:
                await asyncio.sleep(0.005)
                yield 1
        finally:
            self._cancelled = "the stream was cancelled by its reader"

    def cancel_state(self) -> str | None:
        return self._cancelled

    async def collect(self, readable: ReadableStream[Any]) -> list[Any]:
        return [chunk async for chunk in readable]

    async def collect_bytes(self, readable: ReadableStream[bytes]) -> ByteCount:
        count = ByteCount(chunks=0, total=0, sum=0)
        async for chunk in readable:
            count.chunks += 1
            count.total += len(chunk)
            count.sum = (count.sum + sum(chunk)) % 2**32
        return count

    def pass_readable(self, readable: ReadableStream[Any]) -> ReadableStream[Any]:
        return readable

    async def drain_to(self, writable: WritableStream[Any], items: list[Any]) -> int:
        async with writable:
            for item in items:
                await writable.write(item)
        return len(items)

    async def abort_to(self, writable: WritableStream[Any], reason: str) -> None:
        await writable.abort(RpcError(reason))

    def make_blob(self, text: str, type: str) -> Blob:
        return Blob(text.encode(), type)

    def echo_blob(self, blob: Blob) -> Blob:
        return blob

    def blob_info(self, blob: Blob) -> BlobInfo:
        return BlobInfo(type=blob.type, size=blob.size, text=blob.text())
