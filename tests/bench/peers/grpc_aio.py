"""grpc.aio. It has neither objects nor pipelining: a chain is two calls with a key, and there are no cycles to measure.
The message to echo is built beforehand, and the reply stays a message.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from tests.bench import driver

grpc: Any = import_module("grpc")
messages, services = grpc.protos_and_services("tests/bench/peers/api.proto")


class Api:
    """The server's methods, by the names that gRPC looks for."""

    async def Add(self, request: Any, context: Any) -> Any:
        return messages.Number(value=request.a + request.b)

    async def Authenticate(self, request: Any, context: Any) -> Any:
        return messages.Session(key="key of " + request.token)

    async def GetProfile(self, request: Any, context: Any) -> Any:
        return messages.Profile(id=request.id, name="Ada", email="ada@example.com")

    async def Echo(self, request: Any, context: Any) -> Any:
        return request

    async def Sink(self, chunks: AsyncIterator[Any], context: Any) -> Any:
        return messages.Number(value=sum([len(chunk.data) async for chunk in chunks]))


class GrpcCaller(driver.Caller):
    async def open(self, host: str, port: int) -> None:
        self.channel = grpc.aio.insecure_channel(f"{host}:{port}")
        self.api = services.ApiStub(self.channel)
        self.items = messages.Items(items=[messages.Item(**item) for item in driver.ITEMS])

    async def close(self) -> None:
        await self.channel.close()

    async def add(self, a: int, b: int) -> int:
        sum_: int = (await self.api.Add(messages.Sum(a=a, b=b))).value
        return sum_

    async def chain(self) -> Any:
        session = await self.api.Authenticate(messages.Login(token="token"))
        return await self.api.GetProfile(messages.ProfileOf(key=session.key, id=5))

    async def echo(self) -> Any:
        return (await self.api.Echo(self.items)).items

    def scores(self, echoed: Any) -> float:
        return float(sum([item.score for item in echoed]))

    async def stream(self, total: int) -> int:
        data = b"\xab" * driver.CHUNK

        async def chunks() -> AsyncIterator[Any]:
            for _ in range(total // driver.CHUNK):
                yield messages.Chunk(data=data)

        count: int = (await self.api.Sink(chunks())).value
        return count


async def serve(port: int) -> None:
    server = grpc.aio.server()
    services.add_ApiServicer_to_server(Api(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("READY", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    driver.peer(GrpcCaller, serve)
