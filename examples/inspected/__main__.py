"""`python -m examples.inspected`: serves schemas/accounts.py, has clients call it, and prints where to look at that."""

from __future__ import annotations

import argparse
import asyncio
import logging
from random import Random

from capnweb_runtime import Peer, Server, serve
from examples.demo.server import Accounts
from examples.inspected.traffic import SlowFront, client

CLIENTS = 12


async def main(port: int, clients: int) -> None:
    """Serve, with traffic, until Ctrl-C."""
    accounts, chance = Accounts(), Random(1)

    def front(_: Peer) -> SlowFront:
        return SlowFront(accounts, chance)

    async with serve(front, "127.0.0.1", port, path="/rpc", inspector="calls") as server:
        print(f"serving schemas/accounts.py at {server.url}, with {clients} clients")
        print(f"look at it: {server.inspector_url}")
        await busy(server, accounts, clients)


async def busy(server: Server, accounts: Accounts, clients: int) -> None:
    """Keep clients calling until the server is told to stop."""
    calling = [
        asyncio.create_task(client(server.url, accounts, Random(number), pause=0.4 + number % 4))
        for number in range(clients)
    ]
    try:
        await server.run()
    finally:
        for one in calling:
            one.cancel()
        await asyncio.gather(*calling, return_exceptions=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.inspected", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=CLIENTS, help="how many call (default: %(default)s)")
    options = parser.parse_args()
    # What fails on purpose is shown on the page, and not here.
    logging.getLogger("capnweb_runtime").setLevel(logging.CRITICAL)
    asyncio.run(main(options.port, options.clients))
