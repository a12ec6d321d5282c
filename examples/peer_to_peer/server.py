"""A peer that listens: `python -m examples.peer_to_peer.server --name carol`."""

from __future__ import annotations

import argparse
import asyncio

from capnweb_runtime import serve
from examples.peer_to_peer.generated.peer_to_peer import PeerStub
from examples.peer_to_peer.peer import Face, Node


async def main(name: str, port: int) -> None:
    """Be a peer until a signal."""
    node = Node(name)
    async with serve(lambda peer: Face(node, peer.main(PeerStub)), "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.peer_to_peer.server", description=__doc__)
    parser.add_argument("--name", required=True, help="what the peer is called")
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free (default: %(default)s)")
    told = parser.parse_args()
    asyncio.run(main(told.name, told.port))
