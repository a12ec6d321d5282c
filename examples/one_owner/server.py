"""A worker: `python -m examples.one_owner.server --backplane redis://localhost:6379/0 --port 8080`.

Rule: all workers have the same engine and the same secret; anything else they learn from the engine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from capnweb_runtime import Server, serve
from capnweb_runtime.scale import Backplane, Cluster, Ownership, open_backplane
from examples.one_owner.auctions import Auction, House
from examples.one_owner.generated.auctions import AuctionStub

SECRET = "AUCTION_SECRET"
"""Variable of the environment with what workers prove to each other."""


class Worker:
    """A worker that runs.

    Attributes:
        cluster: its part in the cluster.
        server: serves its clients.
        made: names of the auctions that it has made, or taken over.
    """

    def __init__(self, cluster: Cluster, server: Server, made: list[str]) -> None:
        self.cluster, self.server, self.made = cluster, server, made


@asynccontextmanager
async def working(backplane: Backplane, secret: str, port: int = 0) -> AsyncGenerator[Worker]:
    """A worker, until the block is left.

    Parameters:
        backplane: shared by all workers.
        secret: what they prove to each other.
        port: for its clients; 0 is any that is free.
    """
    made: list[str] = []

    async def make(owned: Ownership) -> Auction:
        made.append(owned.name)
        return await Auction.taken_over(owned)

    async with (
        Cluster(backplane, listen="127.0.0.1:0", secret=secret, ttl=5.0) as cluster,
        serve(lambda peer: House(cluster), "127.0.0.1", port) as server,
    ):
        cluster.register(AuctionStub, make)
        yield Worker(cluster, server, made)


async def main(engine: str, port: int) -> None:
    """Serve until a signal."""
    async with open_backplane(engine) as backplane, working(backplane, os.environ[SECRET], port) as worker:
        print("serving", worker.server.url, flush=True)
        await worker.server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.one_owner.server", description=__doc__)
    parser.add_argument(
        "--backplane", default="memory:", help="URL of the engine (default: %(default)s, for one worker)"
    )
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.backplane, options.port))
