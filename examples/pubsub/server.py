"""Publish and subscribe: `python -m examples.pubsub.server --port 8080`."""

from __future__ import annotations

import argparse
import asyncio

from capnweb_runtime import serve
from examples.pubsub.hub import Bounds, Hub


async def main(port: int, bounds: Bounds) -> None:
    """Serve until a signal."""

    def tables() -> tuple[int, int]:
        totals = server.totals()
        return totals.imports, totals.exports

    hub = Hub(bounds, tables)
    async with serve(lambda peer: hub, "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.pubsub.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--keep", type=int, default=Bounds.keep, help="events kept of a topic (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.port, Bounds(keep=options.keep)))
