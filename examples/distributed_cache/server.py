"""A node: `python -m examples.distributed_cache.server --origin ws://... --port 8081 --backplane redis://...`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from capnweb_runtime import Reconnect, Server, connect, serve
from capnweb_runtime.scale import Backplane, open_backplane
from examples.distributed_cache.cache import Settings
from examples.distributed_cache.generated.distributed_cache import OriginStub
from examples.distributed_cache.node import Node


@asynccontextmanager
async def serving(port: int, origin_url: str, backplane: Backplane, settings: Settings) -> AsyncGenerator[Server]:
    """A node that has begun to follow the others."""
    begun = asyncio.Event()

    def tables() -> tuple[int, int]:
        totals = server.totals()
        return totals.imports, totals.exports

    async with connect(origin_url, OriginStub, reconnect=Reconnect(), call_timeout=10) as origin:
        node = Node(backplane, origin.load, settings, tables)
        async with asyncio.TaskGroup() as group, serve(lambda peer: node, "127.0.0.1", port) as server:
            following = group.create_task(node.follow(begun))
            await begun.wait()
            try:
                yield server
            finally:
                following.cancel()


async def main(port: int, origin_url: str, backplane: str, settings: Settings) -> None:
    """Serve until a signal."""
    async with (
        open_backplane(backplane, name="distributed-cache") as shared,
        serving(port, origin_url, shared, settings) as server,
    ):
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.distributed_cache.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--origin", required=True, help="URL of what values are loaded from")
    parser.add_argument("--backplane", default="memory:", help="what nodes share (default: %(default)s)")
    parser.add_argument("--capacity", type=int, default=Settings.capacity, help="values kept (default: %(default)s)")
    options = parser.parse_args()
    settings = Settings(capacity=options.capacity)
    asyncio.run(main(options.port, options.origin, options.backplane, settings))
