"""A node: `python -m examples.distributed_cache.server --origin ws://... --port 8081 --backplane redis://...`."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from capnweb_runtime import Reconnect, Server, connect, serve
from capnweb_runtime.scale import Backplane, Cluster
from examples.distributed_cache.cache import Settings
from examples.distributed_cache.generated.distributed_cache import OriginStub
from examples.distributed_cache.node import Node
from examples.form import shared

SECRET = "CACHE_SECRET"
"""Variable of the environment with what nodes prove to each other."""
PARSER = shared.options("examples.distributed_cache.server", __doc__)
PARSER.add_argument("--origin", required=True, help="URL of what values are loaded from")
PARSER.add_argument("--capacity", type=int, default=Settings.capacity, help="values kept (default: %(default)s)")


@asynccontextmanager
async def serving(told: argparse.Namespace, backplane: Backplane) -> AsyncGenerator[Server]:
    """A node that follows the others."""

    def tables() -> tuple[int, int]:
        totals = server.totals()
        return totals.imports, totals.exports

    async with (
        connect(told.origin, OriginStub, reconnect=Reconnect(), call_timeout=10) as origin,
        Cluster(backplane, listen="127.0.0.1:0", secret=os.environ[SECRET], ttl=5.0) as cluster,
    ):
        node = Node(backplane, cluster, origin.load, Settings(capacity=told.capacity), tables)
        async with node.following(), serve(lambda peer: node, "127.0.0.1", told.port) as server:
            yield server


if __name__ == "__main__":
    shared.main(PARSER, serving)
