"""capnweb-python, a rewrite of py-capnweb under the same import name, with pipelining and streams over WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from importlib import import_module
from typing import Any

from tests.bench import driver

capnweb: Any = import_module("capnweb")
web: Any = import_module("aiohttp.web")


class Account(capnweb.RpcTarget):  # type: ignore[misc]  # of an environment of its own
    async def get_profile(self, id: int) -> dict[str, Any]:
        return {"id": id, "name": "Ada", "email": "ada@example.com"}


class Capability(capnweb.RpcTarget):  # type: ignore[misc]  # of an environment of its own
    async def ping(self) -> int:
        return 1


class Api(capnweb.RpcTarget):  # type: ignore[misc]  # of an environment of its own
    async def add(self, a: int, b: int) -> int:
        return a + b

    async def authenticate(self, token: str) -> Account:
        return Account()

    async def echo(self, items: list[Any]) -> list[Any]:
        return items

    async def make(self) -> Capability:
        return Capability()

    async def sink(self, stream: Any) -> int:
        return sum([len(chunk) async for chunk in stream])


class ForkCaller(driver.Caller):
    async def open(self, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}/rpc"
        self.api = await capnweb.new_websocket_rpc_session(f"ws://{host}:{port}/rpc")

    async def close(self) -> None:
        self.api.dispose()

    async def add(self, a: int, b: int) -> int:
        total: int = await self.api.add(a, b)
        return total

    async def chain(self) -> Any:
        return await self.api.authenticate("token").get_profile(5)

    async def churn(self) -> None:
        capability = await self.api.make()
        await capability.ping()
        capability.dispose()

    async def echo(self) -> Any:
        return await self.api.echo(driver.ITEMS)

    def scores(self, echoed: Any) -> float:
        return float(sum([item["score"] for item in echoed]))

    async def batch(self, count: int) -> list[int]:
        api = await capnweb.new_http_batch_rpc_session(self.url)
        sums: list[int] = await asyncio.gather(*[api.add(i, 1) for i in range(count)])
        return sums

    def stream(self, total: int) -> Awaitable[int]:
        data = b"\xab" * driver.CHUNK

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(total // driver.CHUNK):
                yield data

        return self._sink(capnweb.RpcReadableStream(chunks()))

    async def _sink(self, stream: Any) -> int:
        count: int = await self.api.sink(stream)
        return count


async def serve(port: int) -> None:
    application = web.Application()
    application.router.add_route("*", "/rpc", lambda request: capnweb.aiohttp_rpc_handler(request, Api()))
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("READY", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    driver.peer(ForkCaller, serve)
