"""A node: `python -m examples.distributed_cache.server --name b --origin ws://... --peer ws://... --port 8081`."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack

from capnweb_runtime import Reconnect, connect, serve
from examples.distributed_cache.cache import Cache, Settings
from examples.distributed_cache.generated.distributed_cache import NodeStub, OriginStub
from examples.distributed_cache.node import Node
from examples.distributed_cache.schemas.distributed_cache import LoadFailed


async def main(name: str, port: int, origin_url: str, peers: list[str], settings: Settings) -> None:
    """Serve until a signal, linked to the other nodes."""

    async def load(key: str) -> str:
        try:
            return await origin.load(key)
        except Exception as error:
            raise LoadFailed(key, str(error)) from error

    def tables() -> tuple[int, int]:
        totals = server.totals()
        return totals.imports, totals.exports

    node = Node(name, Cache(load, settings), tables)
    policy = Reconnect(first=0.1, longest=2.0, on_connect=node.link)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(lambda peer: node, "127.0.0.1", port))
        origin = await stack.enter_async_context(
            connect(origin_url, OriginStub, reconnect=Reconnect(), call_timeout=10)
        )
        for peer in peers:
            await stack.enter_async_context(connect(peer, NodeStub, reconnect=policy))
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.distributed_cache.server", description=__doc__)
    parser.add_argument("--name", required=True, help="by which other nodes know it")
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--origin", required=True, help="URL of what values are loaded from")
    parser.add_argument("--peer", action="append", default=[], help="URL of another node; one of two knows the other")
    parser.add_argument("--capacity", type=int, default=Settings.capacity, help="values kept (default: %(default)s)")
    options = parser.parse_args()
    settings = Settings(capacity=options.capacity)
    asyncio.run(main(options.name, options.port, options.origin, options.peer, settings))
