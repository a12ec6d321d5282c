"""An interface with one method for each thing that a transport test needs, written as generated code is."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from typing_extensions import TypeVar

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.serving.peer import Peer

CALL_INT = rpc.callback(rpc.INT, rpc.INT)


class ExampleSpec(rpc.Interface):
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    echo = rpc.method("echo", rpc.ANY, rpc.param("value", rpc.ANY))
    fail = rpc.method("fail", rpc.NONE, rpc.param("message", rpc.STR))
    apply = rpc.method("apply", rpc.INT, rpc.param("function", CALL_INT), rpc.param("value", rpc.INT))
    wait = rpc.method("wait", rpc.STR, rpc.param("gate", rpc.STR))
    task_name = rpc.method("taskName", rpc.STR)


class ExampleCalls(rpc.Calls):
    def add(self, a: int | rpc.RpcPromise[int], b: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(ExampleSpec.add, a, b)

    def echo(self, value: Any) -> rpc.RpcPromise[Any]:
        return self._call(ExampleSpec.echo, value)

    def fail(self, message: str | rpc.RpcPromise[str]) -> rpc.RpcPromise[None]:
        return self._call(ExampleSpec.fail, message)

    def apply(
        self,
        function: Callable[[int], int | Awaitable[int]] | rpc.CallbackStub[[int], int],
        value: int | rpc.RpcPromise[int],
    ) -> rpc.RpcPromise[int]:
        return self._call(ExampleSpec.apply, function, value)

    def wait(self, gate: str | rpc.RpcPromise[str]) -> rpc.RpcPromise[str]:
        return self._call(ExampleSpec.wait, gate)

    def task_name(self) -> rpc.RpcPromise[str]:
        return self._call(ExampleSpec.task_name)


ExampleR = TypeVar("ExampleR", covariant=True, default="ExampleStub")


class ExampleStub(ExampleCalls, rpc.RpcStub):
    pass


class ExamplePromise(ExampleCalls, rpc.RpcPromise[ExampleR]):
    pass


EXAMPLE = rpc.interface(lambda: ExampleStub, lambda: ExamplePromise, lambda: ExampleTarget)


class ExampleTarget(rpc.RpcTarget, spec=ExampleSpec):
    @abstractmethod
    def add(self, a: int, b: int) -> int | Awaitable[int]: ...

    @abstractmethod
    def echo(self, value: Any) -> Any: ...

    @abstractmethod
    def fail(self, message: str) -> Awaitable[None] | None: ...

    @abstractmethod
    def apply(self, function: rpc.CallbackStub[[int], int], value: int) -> int | Awaitable[int]: ...

    @abstractmethod
    def wait(self, gate: str) -> str | Awaitable[str]: ...

    @abstractmethod
    def task_name(self) -> str | Awaitable[str]: ...


class Gates:
    """Calls of `wait` say that they have come, and stay until they are let go."""

    def __init__(self) -> None:
        self._come: dict[str, asyncio.Event] = {}
        self._open: dict[str, asyncio.Event] = {}

    def come(self, gate: str) -> asyncio.Event:
        return self._come.setdefault(gate, asyncio.Event())

    def open(self, gate: str) -> asyncio.Event:
        return self._open.setdefault(gate, asyncio.Event())


class Example(ExampleTarget):
    def __init__(self, peer: Peer | None = None, gates: Gates | None = None) -> None:
        self.peer = peer
        self.gates = gates or Gates()

    def add(self, a: int, b: int) -> int:
        return a + b

    def echo(self, value: Any) -> Any:
        return value

    def fail(self, message: str) -> None:
        raise ValueError(message)

    async def apply(self, function: rpc.CallbackStub[[int], int], value: int) -> int:
        return await function(value)

    async def wait(self, gate: str) -> str:
        self.gates.come(gate).set()
        await self.gates.open(gate).wait()
        return gate

    def task_name(self) -> str:
        task = asyncio.current_task()
        return "none" if task is None else task.get_name()
