"""What one operation of each hot path costs, in counts that no machine changes: function calls and bytecode
instructions; and what it leaves behind, in memory blocks. `python -m tests.runtime.cost` prints the table of
`test_cost`, and with `--write` puts it there.

Rule: each path is warm before it is counted, runs on Connections without sockets, and is the same every time. What the
code of installed packages does is not counted, since their versions differ.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from capnweb_runtime.debugging.settings import Debug
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports import memory
from capnweb_runtime.transports.http_batch import Answer, BatchAnswer, BatchRequest
from tests.bench.generated.api import ApiStub
from tests.bench.schema.api import Item
from tests.bench.server import Api

WARM_UP = 50
CYCLES = 200
CHUNKS = 32
TABLE = Path(__file__).with_name("test_cost.py")
_PATTERN = re.compile(r"^BUDGETS = \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)

Operation = Callable[[], None]
AsyncOperation = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation costs.

    Attributes:
        calls: function calls, those of built-in functions included.
        instructions: bytecode instructions.
    """

    calls: int
    instructions: int


class Tape:
    """A transport that keeps what is written, until it is taken."""

    def __init__(self, connection: Connection) -> None:
        self.connection = timeless(connection)
        self.messages: list[Any] = []
        connection.attach(self)

    def write(self, messages: list[Any]) -> None:
        self.messages += messages

    def close(self, reason: BaseException) -> None:
        self.connection.lost(reason)

    def buffered(self) -> int:
        return 0

    def take(self) -> list[Any]:
        """What has been written since the last time, and what was waiting to be."""
        self.connection.flush()
        messages, self.messages = self.messages, []
        return messages


def timeless(connection: Connection) -> Connection:
    """The connection, which may do as much at a time as it likes: counting takes longer than what is counted."""
    connection.host.account.has_had_turn = lambda: False
    return connection


class Ends:
    """A client and a server whose messages are passed on by hand, all that there are at a time."""

    def __init__(self) -> None:
        self.client = Tape(Connection())
        self.server = Tape(Connection(Api()))
        self.api = self.client.connection.main(ApiStub)
        self.items = [Item(id=i, name=f"User {i}", email="a@b.c", tags=["x", "y"], score=i + 0.5) for i in range(100)]

    def exchange(self) -> None:
        """Passes messages on until there are none."""
        moved = True
        while moved:
            to_server, to_client = self.client.take(), self.server.take()
            moved = bool(to_server or to_client)
            if to_server:
                self.server.connection.received(to_server)
            if to_client:
                self.client.connection.received(to_client)

    def finish(self, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
        """Runs coroutines, passing on messages whenever all of them wait; what they return."""
        results: dict[int, Any] = {}
        while len(results) < len(calls):
            for index, call in enumerate(calls):
                if index not in results:
                    try:
                        call.send(None)
                    except StopIteration as end:
                        results[index] = end.value
            self.exchange()
        return [results[index] for index in range(len(calls))]

    async def add(self) -> int:
        return await self.api.add(1, 2)

    async def chain(self) -> str:
        return (await self.api.authenticate("token").get_profile(5)).name

    async def echo(self) -> list[Item]:
        return await self.api.echo(self.items)

    async def churn(self) -> int:
        capability = await self.api.make()
        value = await capability.ping()
        capability.dispose()
        return value


def add_at_client(debug: Debug = None) -> Operation:
    """`add` awaited, its answer made by hand."""
    client = Tape(Connection(debug=debug))
    api = client.connection.main(ApiStub)
    number = 0

    async def add() -> int:
        return await api.add(1, 2)

    def operation() -> None:
        nonlocal number
        number += 1
        call = add()
        call.send(None)
        client.take()
        client.connection.received([b'["resolve",%d,3]' % number])
        try:
            call.send(None)
        except StopIteration as end:
            expect(end.value, 3)
        client.take()

    return operation


def add_at_server(debug: Debug = None) -> Operation:
    """`add` answered and released, its messages made by hand."""
    server = Tape(Connection(Api(), debug=debug))
    number = 0

    def operation() -> None:
        nonlocal number
        number += 1
        server.connection.received([b'["push",["pipeline",0,["add"],[1,2]]]', b'["pull",%d]' % number])
        expect(server.take(), [b'["resolve",%d,3]' % number])
        server.connection.received([b'["release",%d,1]' % number])

    return operation


def chains() -> Operation:
    ends = Ends()

    def operation() -> None:
        expect(ends.finish(*[ends.chain() for _ in range(64)]), ["Ada"] * 64)

    return operation


def echo() -> Operation:
    ends = Ends()

    def operation() -> None:
        expect(ends.finish(ends.echo()), [ends.items])

    return operation


def churn() -> Operation:
    ends = Ends()

    def operation() -> None:
        expect(ends.finish(ends.churn()), [1])

    return operation


def batch() -> AsyncOperation:
    async def post(body: bytes) -> Answer:
        status, answer = await BatchAnswer(timeless(Connection(Api()))).answer(body)
        expect(status, 200)
        return Answer(answer, status, "OK", "http://localhost/")

    async def operation() -> None:
        connection = timeless(Connection())
        request = BatchRequest(connection, post)
        api = connection.main(ApiStub)
        expect(await asyncio.gather(*[api.add(i, 1) for i in range(100)]), list(range(1, 101)))
        await request.send_rest()
        api.dispose()
        await connection.wait_closed()

    return operation


def stream() -> AsyncOperation:
    """A stream of `CHUNKS` chunks, fewer bytes than the first window of the flow control: time plays no part."""
    client, server = map(timeless, memory.pair(None, Api()))
    api = client.main(ApiStub)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(CHUNKS):
            yield b"\xab" * 1024

    async def operation() -> None:
        expect(await api.sink(chunks()), CHUNKS * 1024)
        await asyncio.sleep(0)
        expect(server.closed, False)

    return operation


PATHS: dict[str, Callable[[], Operation | AsyncOperation]] = {
    "add, at the client": add_at_client,
    "add, at the server": add_at_server,
    "64 pipelined chains": chains,
    "echo of 100 models": echo,
    "make, ping, dispose": churn,
    "HTTP batch of 100 adds": batch,
    f"stream of {CHUNKS} chunks": stream,
}


def expect(value: object, wanted: object) -> None:
    """Raises RuntimeError unless the operation did what it is counted for."""
    if value != wanted:
        raise RuntimeError(f"expected {wanted!r}, got {value!r}")


class Counter:
    """Counts calls by a profiler and instructions by a tracer; a debugger or a coverage tool is put back afterwards."""

    def __init__(self) -> None:
        self.calls = 0
        self.instructions = 0

    def profile(self, frame: FrameType, event: str, argument: object) -> None:
        """Counts one call."""
        if event in {"call", "c_call"} and is_counted(frame):
            self.calls += 1

    def trace(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        """Asks for the instructions of a frame, if they count."""
        if not is_counted(frame):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._instruction

    def _instruction(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        if event == "opcode":
            self.instructions += 1
        return self._instruction


def is_counted(frame: FrameType) -> bool:
    """Whether a frame runs code of this project or of Python."""
    return "site-packages" not in frame.f_code.co_filename


async def once(operation: Operation | AsyncOperation) -> None:
    """Runs an operation, and what it has left to the loop."""
    result = operation()
    if result is not None:
        await result


async def counted(operation: Operation | AsyncOperation) -> Cost:
    """Calls and instructions of one operation that is warm already."""
    counter = Counter()
    profile, trace = sys.getprofile(), sys.gettrace()
    collects = gc.isenabled()
    gc.disable()  # finalizers would run at any moment
    try:
        sys.setprofile(counter.profile)
        await once(operation)
        sys.setprofile(None)
        # From Python 3.12 on, instructions are reported once a tracer has asked for them and has been set again.
        for _ in range(2):
            counter.instructions = 0
            sys.settrace(counter.trace)
            await once(operation)
            sys.settrace(None)
    finally:
        sys.setprofile(profile)
        sys.settrace(trace)
        if collects:
            gc.enable()
    return Cost(counter.calls, counter.instructions)


async def kept(operation: Operation | AsyncOperation) -> int:
    """Memory blocks that `CYCLES` operations have left behind: the fewer of two tries, since free lists of Python's own
    fill up meanwhile.
    """

    async def blocks(cycles: int) -> int:
        for _ in range(cycles):
            await once(operation)
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0)
        return sys.getallocatedblocks()

    before, between, after = await blocks(WARM_UP), await blocks(CYCLES), await blocks(CYCLES)
    return min(between - before, after - between)


async def measured(path: str) -> tuple[Cost, int]:
    """What one operation costs, and how many memory blocks many of them leave behind."""
    operation = PATHS[path]()
    for _ in range(WARM_UP):
        await once(operation)
        await asyncio.sleep(0)
    gc.collect()
    return await counted(operation), await kept(operation)


def table(costs: dict[str, Cost]) -> str:
    """The table of `test_cost`."""
    rows = [
        f'    "{path}": Cost(calls={cost.calls}, instructions={cost.instructions}),\n' for path, cost in costs.items()
    ]
    return "".join(["BUDGETS = {\n", *rows, "}\n"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"put the table into {TABLE.name}")
    options = parser.parse_args()
    costs = {path: asyncio.run(measured(path))[0] for path in PATHS}
    print(table(costs), end="")
    if options.write:
        text, replaced = _PATTERN.subn(lambda _: table(costs), TABLE.read_text("utf-8"))
        if not replaced:
            sys.exit(f"{TABLE} has no table to replace")
        TABLE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
