"""Measures one workload with this project: `client.py --port P --srvpid N --wl W --dur S [--uvloop]` prints one line of
JSON. The workloads are those of `driver`. Runs as a module and as a script.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

if not __package__:  # as a script, whose own folder would hide the project's packages
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from capnweb_runtime import connect
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from tests.bench import driver
from tests.bench.generated.api import ApiStub
from tests.bench.schema.api import Item


class OurCaller(driver.Caller):
    """Calls through generated stubs; models go in and come out, the promises of a chain are never awaited between.

    Parameters:
        limits: bounds of the session.
    """

    api: ApiStub

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.items = [Item(**item) for item in driver.ITEMS]

    async def open(self, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}/rpc"
        self.connecting = connect(f"ws://{host}:{port}/rpc", ApiStub, limits=self.limits)
        self.api = await self.connecting

    async def close(self) -> None:
        await self.connecting.__aexit__(None, None, None)

    async def settle(self) -> None:
        gc.collect()
        await self.api.usage()
        gc.collect()

    def add(self, a: int, b: int) -> Awaitable[int]:
        return self.api.add(a, b)

    def chain(self) -> Awaitable[Any]:
        return self.api.authenticate("token").get_profile(5)

    async def churn(self) -> None:
        capability = await self.api.make()
        await capability.ping()
        capability.dispose()

    def echo(self) -> Awaitable[list[Item]]:
        return self.api.echo(self.items)

    def scores(self, echoed: list[Item]) -> float:
        return sum([item.score for item in echoed])

    async def batch(self, count: int) -> list[int]:
        async with connect(self.url, ApiStub) as api:
            return await asyncio.gather(*[api.add(i, 1) for i in range(count)])

    def stream(self, total: int) -> Awaitable[int]:
        return self.api.sink(chunks(total))


async def chunks(total: int) -> AsyncIterator[bytes]:
    """That many bytes, in chunks of 64 KiB."""
    data = b"\xab" * driver.CHUNK
    for _ in range(total // driver.CHUNK):
        yield data


if __name__ == "__main__":
    driver.main(OurCaller())
