"""rpyc. It blocks: a window is its asynchronous calls, sent one after the other and then waited for. By value travel
only tuples, so that is what is echoed; there are no streams. Without TCP_NODELAY every window would wait 40 ms.
"""

from __future__ import annotations

import socket
from importlib import import_module
from typing import Any

from tests.bench import driver

rpyc: Any = import_module("rpyc")
servers: Any = import_module("rpyc.utils.server")


def undelayed(connection: Any) -> None:
    connection._channel.stream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Account:
    def exposed_get_profile(self, id: int) -> tuple[int, str, str]:
        return (id, "Ada", "ada@example.com")


class Capability:
    def exposed_ping(self) -> int:
        return 1


class Api(rpyc.Service):  # type: ignore[misc]  # a library without types
    def on_connect(self, connection: Any) -> None:
        undelayed(connection)

    def exposed_add(self, a: int, b: int) -> int:
        return a + b

    def exposed_authenticate(self, token: str) -> Account:
        return Account()

    def exposed_echo(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        return items

    def exposed_make(self) -> Capability:
        return Capability()


class RpycCaller(driver.Caller):
    async def open(self, host: str, port: int) -> None:
        self.connection = rpyc.connect(host, port)
        undelayed(self.connection)
        self.api = self.connection.root
        self.sum, self.login, self.make = (
            rpyc.async_(method) for method in (self.api.add, self.api.authenticate, self.api.make)
        )
        self.items = tuple(tuple({**item, "tags": tuple(item["tags"])}.values()) for item in driver.ITEMS)

    async def close(self) -> None:
        self.connection.close()

    async def add(self, a: int, b: int) -> int:
        total: int = self.api.add(a, b)
        return total

    async def adds(self, count: int) -> list[int]:
        return [result.value for result in [self.sum(1, 2) for _ in range(count)]]

    async def chains(self, count: int) -> list[Any]:
        accounts = [result.value for result in [self.login("token") for _ in range(count)]]
        return [result.value for result in [rpyc.async_(account.get_profile)(5) for account in accounts]]

    async def churns(self, count: int) -> list[Any]:
        made = [result.value for result in [self.make() for _ in range(count)]]
        return [result.value for result in [rpyc.async_(capability.ping)() for capability in made]]

    async def echo(self) -> Any:
        return self.api.echo(self.items)

    def scores(self, echoed: Any) -> float:
        return float(sum([item[4] for item in echoed]))


async def serve(port: int) -> None:
    server = servers.ThreadedServer(Api(), hostname="127.0.0.1", port=port)
    print("READY", flush=True)
    server.start()


if __name__ == "__main__":
    driver.peer(RpycCaller, serve)
