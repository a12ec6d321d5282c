"""Where the time of a call goes: `python -m tests.bench.breakdown`. Both ends run in this process, without sockets
but for the requests of batches, one stage at a time. Rule: processor time, and the least of many repeats, so that what
else the machine does counts little.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from capnweb_runtime.core.devaluate import devaluate
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.driving.threads import in_thread, threads_of
from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.http_server import BatchHttpServer
from capnweb_runtime.serving.peer import Peer
from capnweb_runtime.transports.frames import FrameReader, Message, frames
from capnweb_runtime.transports.http_batch import Answer, BatchAnswer, BatchRequest
from capnweb_runtime.transports.http_client import post
from capnweb_runtime.transports.memory import join
from tests.bench.generated.api import LIST_ITEM, ApiStub
from tests.bench.generated.plain import PlainStub, PlainTarget
from tests.bench.schema.api import Item
from tests.bench.server import Api

WINDOW = 256
BATCH = 100
REPEATS = 40
_LONGEST = 1 << 20

Stages = dict[str, float]
"""Stage → microseconds."""


class _Tape:
    """A transport that keeps what is written."""

    def __init__(self, connection: Connection) -> None:
        self.messages: list[Any] = []
        connection.attach(self)

    def write(self, messages: list[Any]) -> None:
        self.messages += messages

    def close(self, reason: BaseException) -> None:
        """The client's stub has been given up, at the end."""

    def buffered(self) -> int:
        return 0

    def take(self) -> list[Any]:
        messages, self.messages = self.messages, []
        return messages


class _Clock:
    """Keeps the least time of each stage."""

    def __init__(self) -> None:
        self.stages: Stages = {}

    def time(self, stage: str, count: int, work: Callable[..., Any], *given: Any) -> Any:
        start = time.process_time()
        result = work(*given)
        taken = (time.process_time() - start) / count * 1e6
        self.stages[stage] = min(taken, self.stages.get(stage, taken))
        return result

    async def time_of(self, stage: str, work: Awaitable[Any]) -> Any:
        """As for a call; of what the loop does until the work is done, which is to be all that it does."""
        start = time.process_time()
        result = await work
        taken = (time.process_time() - start) * 1e6
        self.stages[stage] = min(taken, self.stages.get(stage, taken))
        return result


def _alone(connection: Connection) -> Connection:
    """The connection, which shares its loop with nobody: it does all that there is to do without a pause."""
    connection.host.account.has_had_turn = lambda: False
    return connection


async def calls(begin: Callable[[ApiStub], Awaitable[Any]]) -> Stages:
    """The stages of a call, in microseconds per call, with a window of calls in flight."""
    client, server = _alone(Connection()), _alone(Connection(Api()))
    sent, answered = _Tape(client), _Tape(server)
    api = client.main(ApiStub)
    clock = _Clock()
    masked, plain = FrameReader(True, _LONGEST), FrameReader(False, _LONGEST)
    for _ in range(REPEATS):
        promises = clock.time("client: calls", WINDOW, _repeated, begin, api)
        waiting = clock.time("client: waiting begins", WINDOW, asyncio.gather, *promises)
        clock.time("client: outbox taken", WINDOW, client.flush)
        data = clock.time("client: frames written", WINDOW, _framed, sent.take(), True)
        messages = clock.time("server: frames read", WINDOW, _unframed, masked, data)
        clock.time("server: calls run and answered", WINDOW, server.received, messages)
        data = clock.time("server: frames written", WINDOW, _framed, answered.take(), False)
        messages = clock.time("client: frames read", WINDOW, _unframed, plain, data)
        clock.time("client: results", WINDOW, client.received, messages)
        await waiting
        client.flush()
        clock.time("server: results given up", WINDOW, server.received, sent.take())
        del promises
    return clock.stages


async def batches() -> Stages:
    """The stages of an HTTP batch, in microseconds per batch."""
    clock = _Clock()
    loop = asyncio.get_running_loop()
    body = answer = b""

    async def respond(peer: Peer, body: bytes) -> tuple[int, bytes]:
        return 200, answer

    http = BatchHttpServer(respond, lambda peer: None, body_limit=_LONGEST)
    async with await loop.create_server(lambda: http.protocol(Guest(Bounds())), "127.0.0.1", 0) as server:
        url = "http://{}:{}/".format(*server.sockets[0].getsockname())
        for _ in range(REPEATS):
            client = _BatchClient()
            body = await clock.time_of("client: calls, as one body", client.begin())
            ended = BatchAnswer(_alone(Connection(Api()))).answer(body)
            _, answer = await clock.time_of("server: calls run and answered", ended)
            await clock.time_of("client: results", client.end(answer))
            sent = post(url, body, headers={}, ssl=None, open_timeout=None, body_limit=_LONGEST)
            await clock.time_of("aiohttp at both ends: request and response", sent)
        await http.close(0)
    return clock.stages


class _BatchClient:
    """A batch whose body is answered by hand."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._body: asyncio.Future[bytes] = loop.create_future()
        self._answer: asyncio.Future[bytes] = loop.create_future()

    async def begin(self) -> bytes:
        self._connection = _alone(Connection())
        self._request = BatchRequest(self._connection, self._post)
        self._api = self._connection.main(ApiStub)
        self._waiting = asyncio.gather(*[self._api.add(i, 1) for i in range(BATCH)])
        return await self._body

    async def end(self, answer: bytes) -> None:
        self._answer.set_result(answer)
        await self._waiting
        await self._request.send_rest()
        self._api.dispose()
        await self._connection.wait_closed()

    async def _post(self, body: bytes) -> Answer:
        self._body.set_result(body)
        return Answer(await self._answer, 200, "OK", "http://localhost/")


def _repeated(begin: Callable[[ApiStub], Awaitable[Any]], api: ApiStub) -> list[Awaitable[Any]]:
    return [begin(api) for _ in range(WINDOW)]


def _framed(messages: list[Message], masked: bool) -> bytes:
    return b"".join(frames(messages, masked))


def _unframed(reader: FrameReader, data: bytes) -> list[Message]:
    return reader.texts(data)[0]


def models() -> list[Item]:
    """What workload d echoes."""
    return [
        Item(id=i, name=f"User Number {i}", email=f"user{i}@example.com", tags=["alpha", "beta"], score=i * 1.5 + 0.25)
        for i in range(100)
    ]


def lists() -> Stages:
    """What an echo of 100 models does to them at each of its two hops, in microseconds per list."""
    to: Any = Connection().session
    source: Any = None  # of plain data
    wire = LIST_ITEM.encode(models(), to)
    text = orjson.dumps(wire)
    return _steps(
        {
            "models checked and taken apart": (LIST_ITEM.encode, models(), to),
            "JSON written": (orjson.dumps, wire),
            "JSON read": (orjson.loads, text),
            "models checked and built": (LIST_ITEM.decode, wire, source),
        }
    )


def walks() -> Stages:
    """What a walk that knows no types would take instead of the generated functions, in microseconds per list."""
    session: Any = Connection().session
    wire = LIST_ITEM.encode(models(), session)

    def taken_apart(items: list[Item]) -> Any:
        return devaluate([item.model_dump() for item in items], session)

    def built(wire: Any) -> list[Item]:
        return [Item.model_validate(item, strict=True) for item in Evaluator(session).payload(wire).value]

    return _steps(
        {"models checked and taken apart": (taken_apart, models()), "models checked and built": (built, wire)}
    )


def _steps(steps: dict[str, tuple[Callable[..., Any], *tuple[Any, ...]]]) -> Stages:
    clock = _Clock()
    for _ in range(REPEATS * 10):
        for stage, step in steps.items():
            clock.time(stage, 1, *step)
    return clock.stages


class _Inline(PlainTarget):
    def add(self, a: int, b: int) -> int:
        return a + b


class _Async(PlainTarget):
    async def add(self, a: int, b: int) -> int:
        return a + b


class _Threaded(PlainTarget):
    @in_thread
    def add(self, a: int, b: int) -> int:
        return a + b


async def methods() -> Stages:
    """What a call takes by how its method is written, in microseconds of the clock, both ends in one process."""
    threads = threads_of(4)
    kinds: dict[str, tuple[PlainTarget, Any]] = {
        "`def`, on the loop": (_Inline(), None),
        "`async def`": (_Async(), None),
        "`@in_thread def`": (_Threaded(), None),
        "`def`, with `serve(threads=4)`": (_Inline(), threads),
    }
    least: Stages = {}
    for kind, (target, pool) in kinds.items():
        server, client = Connection(target, threads=pool), Connection()
        join(client, server)
        api = client.main(PlainStub)
        for _ in range(REPEATS):
            begun = time.perf_counter()
            await asyncio.gather(*[api.add(1, 2) for _ in range(64)])
            taken = (time.perf_counter() - begun) / 64 * 1e6
            least[kind] = min(taken, least.get(kind, taken))
        api.dispose()
        await client.wait_closed()
    threads.shutdown()
    return least


def measure() -> dict[str, Stages]:
    """Stages of workloads b, c, d and e, of those of d with a generic walk, and kinds of methods."""

    async def measured() -> dict[str, Stages]:
        return {
            "b": await calls(lambda api: api.add(1, 2)),
            "c": await calls(lambda api: api.authenticate("token").get_profile(5)),
            "d": lists(),
            "walk": walks(),
            "e": await batches(),
            "methods": await methods(),
        }

    return asyncio.run(measured())


def main() -> None:
    for workload, stages in measure().items():
        print(workload)
        for stage, taken in stages.items():
            print(f"  {taken:8.2f} µs  {stage}")


if __name__ == "__main__":
    main()
