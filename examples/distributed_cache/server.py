"""A node: `python -m examples.distributed_cache.server --origin ws://... --port 8081 --backplane redis://...`."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from capnweb_runtime import Reconnect, Server, connect, serve
from capnweb_runtime.scale import Backplane, Cluster, open_backplane
from examples.distributed_cache.cache import Settings
from examples.distributed_cache.generated.distributed_cache import OriginStub
from examples.distributed_cache.node import Node

SECRET = "CACHE_SECRET"
"""Variable of the environment with what nodes prove to each other."""


@asynccontextmanager
async def serving(
    port: int, origin_url: str, backplane: Backplane, secret: str, settings: Settings
) -> AsyncGenerator[Server]:
    """A node that follows the others."""

    def tables() -> tuple[int, int]:
        totals = server.totals()
        return totals.imports, totals.exports

    async with (
        connect(origin_url, OriginStub, reconnect=Reconnect(), call_timeout=10) as origin,
        Cluster(backplane, listen="127.0.0.1:0", secret=secret, ttl=5.0) as cluster,
    ):
        node = Node(backplane, cluster, origin.load, settings, tables)
        async with node.following(), serve(lambda peer: node, "127.0.0.1", port) as server:
            yield server


async def main(port: int, origin_url: str, backplane: str, settings: Settings) -> None:
    """Serve until a signal."""
    async with (
        open_backplane(backplane, name="distributed-cache") as shared,
        serving(port, origin_url, shared, os.environ[SECRET], settings) as server,
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
