"""A worker as a process of its own: `python -m tests.placed.worker URL APPLICATION NAME TTL SECRET`. It says where it
serves clients, and goes on until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import serve
from capnweb_runtime.scale import Cluster, open_backplane
from tests.placed.generated.rooms import RoomStub
from tests.placed.service import Front, rooms


async def main(url: str, application: str, name: str, ttl: str, secret: str) -> None:
    async with (
        open_backplane(url, name=application) as backplane,
        Cluster(backplane, listen="127.0.0.1:0", secret=secret, ttl=float(ttl)) as cluster,
        serve(lambda peer: Front(cluster, name), "127.0.0.1", 0) as server,
    ):
        cluster.register(RoomStub, rooms([], name))
        print(server.url, flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
