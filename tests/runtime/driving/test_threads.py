"""Plain methods that block, in threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from capnweb_runtime import in_thread
from capnweb_runtime.transports.memory import pair
from tests.runtime.example import DeskStub
from tests.runtime.example import DeskTarget as Desk

USER: contextvars.ContextVar[str] = contextvars.ContextVar("USER", default="nobody")


class Blocking(Desk):
    """Its `add` waits for the test."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.begun = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.users: list[str] = []
        self.threads: set[str] = set()

    @in_thread
    def add(self, a: int, b: int) -> int:
        self.threads.add(threading.current_thread().name)
        self.users.append(USER.get())
        USER.set("somebody")
        self.loop.call_soon_threadsafe(self.begun.set)
        if a == 0:
            raise ValueError("nothing to add to")
        self.may_go.wait()
        return a + b

    def nothing(self) -> None:
        self.users.append(USER.get())


class TestInThread:
    async def test_others_are_answered_while_it_blocks(self) -> None:
        target = Blocking()
        client, _ = pair(None, target)
        desk = client.main(DeskStub)
        blocked = desk.add(1, 2)
        await desk.nothing()
        await target.begun.wait()
        await desk.nothing()
        target.may_go.set()
        assert await blocked == 3
        assert threading.current_thread().name not in target.threads

    async def test_it_has_a_copy_of_the_calls_context(self) -> None:
        USER.set("ada")
        target = Blocking()
        target.may_go.set()
        client, _ = pair(None, target)
        desk = client.main(DeskStub)
        assert await desk.add(1, 2) == 3
        await desk.nothing()
        assert target.users == ["ada", "ada"]

    async def test_what_it_raises_is_the_calls_error(self) -> None:
        client, _ = pair(None, Blocking())
        with pytest.raises(ValueError, match="nothing to add to"):
            await client.main(DeskStub).add(0, 2)

    def test_it_is_for_functions_that_block(self) -> None:
        async def waits() -> None: ...

        async def streams() -> AsyncIterator[int]:
            yield 1

        def generates() -> Iterator[int]:
            yield 1

        for function, hint in ((waits, "leave @in_thread out"), (streams, "leave @in_thread out"), (generates, "list")):
            with pytest.raises(TypeError, match=hint):
                in_thread(function)
