"""Plain `serve` with what the mounts have, at a port or a file."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from capnweb_runtime import Peer, Refuse, serve
from tests.runtime.mounts.office import HEALTH, OfficeTarget


def office(peer: Peer) -> OfficeTarget:
    if peer.headers.get("X-Agent") == "nobody":
        raise Refuse(401, "Nobody has no office.", {"WWW-Authenticate": "Bearer"})
    return OfficeTarget(peer)


async def main(place: str) -> None:
    where: dict[str, Any] = {"host": "127.0.0.1", "port": int(place)} if place.isdigit() else {"unix": place}
    async with serve(office, path="/rpc", health=HEALTH, **where) as server:
        await server.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
