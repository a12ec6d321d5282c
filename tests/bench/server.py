"""Serves the measured interface: `python -m tests.bench.server PORT [--uvloop]` prints READY once it accepts
connections.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module

from capnweb_runtime import ReadableStream, serve
from tests.bench.generated.api import AccountTarget, ApiTarget, CapabilityTarget
from tests.bench.schema.api import Item, Profile


class Account(AccountTarget):
    def get_profile(self, id: int) -> Profile:
        return Profile(id=id, name="Ada", email="ada@example.com")


class Capability(CapabilityTarget):
    def ping(self) -> int:
        return 1


class Api(ApiTarget):
    def add(self, a: int, b: int) -> int:
        return a + b

    def authenticate(self, token: str) -> Account:
        return Account()

    def echo(self, items: list[Item]) -> list[Item]:
        return items

    def make(self) -> Capability:
        return Capability()

    async def sink(self, stream: ReadableStream[bytes]) -> int:
        return sum([len(chunk) async for chunk in stream])


async def main(port: int) -> None:
    async with serve(lambda peer: Api(), "127.0.0.1", port, path="/rpc") as server:
        print("READY", flush=True)
        await server.wait_closed()


def use_uvloop() -> None:
    """Makes uvloop the event loop of what is run next; it is an extra, so it is imported only if asked for."""
    import_module("uvloop").install()


if __name__ == "__main__":
    if "--uvloop" in sys.argv:
        use_uvloop()
    asyncio.run(main(int(sys.argv[1])))
