"""A target whose calls are watched from several sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from capnweb_runtime import Interceptor, connect, serve
from tests.gen.golden.cancellable.expected import OnHitStub, SearchStub, SearchTarget
from tests.gen.golden.cancellable.schema import TooBroad
from tests.runtime.test_cancellation import PATIENCE

__all__ = ["PATIENCE", "Answering", "SearchStub", "TooBroad", "joined", "until"]


class Answering(SearchTarget):
    """Answers at once, and says what each method sees.

    Parameters:
        look: asked by every method.

    Attributes:
        may_go_on: what streams wait for behind their first chunk.
    """

    def __init__(self, look: Callable[[], object] = lambda: None) -> None:
        self.look = look
        self.seen: list[Any] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    def find(self, word: str, limit: int = 10) -> Awaitable[list[int]]:
        return self._find(word, limit)

    async def _find(self, word: str, limit: int) -> list[int]:
        self.seen.append(self.look())
        if word == "everything":
            raise TooBroad("no end")
        if word == "trouble":
            raise KeyError("a secret\nERROR:root:forged")
        return [limit]

    async def count(self, numbers: list[int]) -> int:
        self.seen.append(self.look())
        await asyncio.sleep(0)
        self.seen.append(self.look())
        return len(numbers)

    async def each(self, word: str, on_hit: OnHitStub) -> int:
        self.seen.append(self.look())
        return int(await on_hit(1))

    async def inside(self, word: str) -> Answering:
        return self

    async def follow(self, word: str) -> AsyncIterator[int]:
        self.seen.append(self.look())
        for number in range(2):
            await asyncio.sleep(0)
            self.seen.append(self.look())
            yield number
            await self.may_go_on.wait()
        if word == "trouble":
            raise KeyError("midway")


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so."""
    async with asyncio.timeout(PATIENCE):
        for _ in iter(condition, True):
            await asyncio.sleep(0)


@asynccontextmanager
async def joined(
    target: SearchTarget,
    making: Sequence[Interceptor] = (),
    serving: Sequence[Interceptor] = (),
    headers: dict[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[SearchStub]:
    """A client with a server's main object, and interceptors at either end."""
    async with (
        asyncio.timeout(6 * PATIENCE),
        serve(lambda peer: target, "127.0.0.1", 0, interceptors=serving, **options) as server,
        connect(server.url, SearchStub, interceptors=making, headers=headers) as search,
    ):
        yield search
