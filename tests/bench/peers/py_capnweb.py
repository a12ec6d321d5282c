"""py-capnweb, a port of Cap'n Web. What its methods return over WebSocket cannot be objects, so that there is
nothing to chain or to churn; and there are no streams.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tests.bench import driver

capnweb: Any = import_module("capnweb")


class Api(capnweb.RpcTarget):  # type: ignore[misc]  # of an environment of its own
    async def get_property(self, property: str) -> Any:
        raise capnweb.RpcError.not_found(property)

    async def call(self, method: str, args: list[Any]) -> Any:
        match method:
            case "add":
                return args[0] + args[1]
            case "echo":
                return args[0]
        raise capnweb.RpcError.not_found(method)


class PortCaller(driver.Caller):
    async def open(self, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}/rpc/batch"
        self.client = capnweb.Client(capnweb.ClientConfig(url=f"ws://{host}:{port}/rpc/ws"))
        await self.client.__aenter__()

    async def close(self) -> None:
        await self.client.close()

    async def add(self, a: int, b: int) -> int:
        total: int = await self.client.call(0, "add", [a, b])
        return total

    async def echo(self) -> Any:
        return await self.client.call(0, "echo", [driver.ITEMS])

    def scores(self, echoed: Any) -> float:
        return float(sum([item["score"] for item in echoed]))

    async def batch(self, count: int) -> list[int]:
        async with capnweb.Client(capnweb.ClientConfig(url=self.url)) as client:
            batch = client.pipeline()
            sums: list[int] = await asyncio.gather(*[batch.call(0, "add", [i, 1]) for i in range(count)])
            return sums


async def serve(port: int) -> None:
    # A batch of 100 calls is 200 messages, and 100 is its default.
    server = capnweb.Server(capnweb.ServerConfig(host="127.0.0.1", port=port, max_batch_size=1000))
    server.register_capability(0, Api())
    await server.start()
    print("READY", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    driver.peer(PortCaller, serve)
