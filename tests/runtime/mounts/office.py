"""An interface with one method for each thing that is tried of a mount, written as generated code is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from typing_extensions import TypeVar

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime import time_left
from capnweb_runtime.health import Health
from capnweb_runtime.serving.peer import Peer

HEALTH = Health(alive="/healthz", ready="/readyz")
CALL_INT = rpc.callback(rpc.INT, rpc.INT)
STREAM_INT = rpc.stream_of(rpc.INT)
OFFICE = rpc.interface(lambda: OfficeStub, lambda: OfficePromise, lambda: OfficeTarget)


class OfficeSpec(rpc.Interface):
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    echo = rpc.method("echo", rpc.ANY, rpc.param("value", rpc.ANY))
    apply = rpc.method("apply", rpc.INT, rpc.param("function", CALL_INT), rpc.param("value", rpc.INT))
    next_door = rpc.method("nextDoor", OFFICE)
    count = rpc.method("count", STREAM_INT, rpc.param("most", rpc.INT))
    who = rpc.method("who", rpc.ANY)
    paper = rpc.method("paper", rpc.STR, rpc.param("size", rpc.INT))
    papers = rpc.method("papers", rpc.INT)
    about = rpc.method("about", rpc.ANY)
    read = rpc.method("read", rpc.STR, rpc.param("file", rpc.STR))


class OfficeCalls(rpc.Calls):
    def add(self, a: int | rpc.RpcPromise[int], b: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(OfficeSpec.add, a, b)

    def echo(self, value: Any) -> rpc.AnyPromise:
        return self._call(OfficeSpec.echo, value)

    def apply(self, function: Callable[[int], int | Awaitable[int]], value: int) -> rpc.RpcPromise[int]:
        return self._call(OfficeSpec.apply, function, value)

    def next_door(self) -> OfficePromise:
        return self._call(OfficeSpec.next_door)

    def count(self, most: int) -> rpc.StreamPromise[int]:
        return self._call(OfficeSpec.count, most)

    def who(self) -> rpc.AnyPromise:
        return self._call(OfficeSpec.who)

    def papers(self) -> rpc.RpcPromise[int]:
        return self._call(OfficeSpec.papers)

    def about(self) -> rpc.AnyPromise:
        return self._call(OfficeSpec.about)

    def read(self, file: str) -> rpc.RpcPromise[str]:
        return self._call(OfficeSpec.read, file)


OfficeR = TypeVar("OfficeR", covariant=True, default="OfficeStub")


class OfficeStub(OfficeCalls, rpc.RpcStub):
    pass


class OfficePromise(OfficeCalls, rpc.RpcPromise[OfficeR]):
    pass


class OfficeTarget(rpc.RpcTarget, spec=OfficeSpec):
    """Made for a peer; the papers are counted for all of a process."""

    made = 0

    def __init__(self, peer: Peer, found: Any = None) -> None:
        self.peer = peer
        self.found = found

    def add(self, a: int, b: int) -> int:
        return a + b

    def echo(self, value: Any) -> Any:
        return value

    async def apply(self, function: rpc.CallbackStub[[int], int], value: int) -> int:
        return await function(value)

    def next_door(self) -> OfficeTarget:
        return OfficeTarget(self.peer)

    async def count(self, most: int) -> AsyncIterator[int]:
        for number in range(most):
            yield number

    def who(self) -> Any:
        """What the factory was told."""
        return {
            "agent": self.peer.headers.get("X-Agent"),
            "cookies": self.peer.headers.get("Cookie"),
            "path": self.peer.path,
            "query": self.peer.query,
            "client": self.peer.address is not None,
            "transport": self.peer.transport,
            "found": self.found,
        }

    def paper(self, size: int) -> str:
        OfficeTarget.made += 1
        return "x" * size

    def papers(self) -> int:
        return OfficeTarget.made

    def about(self) -> Any:
        """What a mount may know or not."""
        process = self.peer.process
        return {
            "request": type(self.peer.request).__name__,
            "scope": isinstance(self.peer.request, dict) and "asgi" in self.peer.request,
            "process": None if process is None else process.pid,
            "hurried": time_left() is not None,
        }

    async def read(self, file: str) -> str:
        """What somebody writes into a pipe."""
        return await asyncio.to_thread(Path(file).read_text)
