"""pycapnp, the binding of Cap'n Proto. The items to echo are built beforehand; streams are calls, 32 in flight, since
the binding has no streams of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench import driver

capnp: Any = import_module("capnp")
schema: Any = capnp.load(str(Path(__file__).with_name("api.capnp")))
WINDOW = 32


class Account(schema.Account.Server):  # type: ignore[misc]  # made from the schema at run time
    async def getProfile(self, id: int, **_: Any) -> Any:
        return schema.Profile.new_message(id=id, name="Ada", email="ada@example.com")


class Capability(schema.Capability.Server):  # type: ignore[misc]  # made from the schema at run time
    async def ping(self, **_: Any) -> int:
        return 1


class Api(schema.Api.Server):  # type: ignore[misc]  # made from the schema at run time
    async def add(self, a: int, b: int, **_: Any) -> int:
        return a + b

    async def authenticate(self, token: str, **_: Any) -> Account:
        return Account()

    async def echo(self, items: Any, **_: Any) -> Any:
        return items

    async def make(self, **_: Any) -> Capability:
        return Capability()

    async def sink(self, data: bytes, **_: Any) -> int:
        return len(data)


class CapnpCaller(driver.Caller):
    async def open(self, host: str, port: int) -> None:
        self.connection = await capnp.AsyncIoStream.create_connection(host=host, port=port)
        self.client = capnp.TwoPartyClient(self.connection)
        self.api = self.client.bootstrap().cast_as(schema.Api)
        self.items = [schema.Item.new_message(**item) for item in driver.ITEMS]

    async def add(self, a: int, b: int) -> int:
        value: int = (await self.api.add(a, b)).value
        return value

    async def chain(self) -> Any:
        return (await self.api.authenticate("token").account.getProfile(5)).profile

    async def churn(self) -> None:
        capability = (await self.api.make()).capability
        await capability.ping()

    async def echo(self) -> Any:
        return (await self.api.echo(self.items)).items

    def scores(self, echoed: Any) -> float:
        return float(sum([item.score for item in echoed]))

    async def stream(self, total: int) -> int:
        data = b"\xab" * driver.CHUNK
        count, left = 0, total // driver.CHUNK
        while left:
            window = min(WINDOW, left)
            calls: list[Awaitable[Any]] = [self._chunk(data) for _ in range(window)]
            count += sum([reply.count for reply in await asyncio.gather(*calls)])
            left -= window
        return count

    async def _chunk(self, data: bytes) -> Any:
        return await self.api.sink(data)


async def serve(port: int) -> None:
    async def connected(stream: Any) -> None:
        await capnp.TwoPartyServer(stream, bootstrap=Api()).on_disconnect()

    server = await capnp.AsyncIoStream.create_server(connected, "127.0.0.1", port)
    print("READY", flush=True)
    async with server:
        await server.serve_forever()


def start(program: Awaitable[None]) -> None:
    """Cap'n Proto's own loop has to run inside of asyncio's."""
    asyncio.run(capnp.run(program))


if __name__ == "__main__":
    driver.peer(CapnpCaller, serve, start)
