"""The server that is attacked: an address space of 5.5 GB, 1,024 open files, default limits, plans, and an interface
with little in it.

`python -m tests.attack.server` prints its port once it accepts connections.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import resource

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime import serve

MEMORY = 5500 << 20
FILES = 1024


class ServerSpec(rpc.Interface):
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    count = rpc.method("count", rpc.INT, rpc.param("numbers", rpc.set_of(rpc.INT)))
    echo = rpc.method("echo", rpc.ANY, rpc.param("value", rpc.ANY))
    text = rpc.method("text", rpc.STR, rpc.param("length", rpc.INT))
    later = rpc.method("later", rpc.INT, rpc.param("seconds", rpc.FLOAT))
    yes = rpc.method("yes", rpc.BOOL)
    counters = rpc.method("counters", rpc.ANY, rpc.param("count", rpc.INT))


class Server(rpc.RpcTarget, spec=ServerSpec):
    def add(self, a: int, b: int) -> int:
        return a + b

    def count(self, numbers: set[int]) -> int:
        return len(numbers)

    def echo(self, value: object) -> object:
        return value

    def text(self, length: int) -> str:
        return "x" * length

    async def later(self, seconds: float) -> int:
        await asyncio.sleep(seconds)
        return 1

    def yes(self) -> bool:
        return True

    def counters(self, count: int) -> object:
        return [Server() for _ in range(min(count, 100))]


async def main() -> None:
    async with serve(lambda peer: Server(), "127.0.0.1", 0, path="/", plans=True) as server:
        gc.freeze()  # as `python -m capnweb_runtime serve` does
        print(server.port, flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(main())
