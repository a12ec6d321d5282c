"""The market: `python -m examples.backend.services.server --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
import time
from random import Random

from capnweb_runtime import serve
from examples.backend.services.outside import PRICES, FlakyAgency, SlowExchange
from examples.backend.services.wiring import wired


async def main(port: int) -> None:
    """Warm the cache, and serve until a signal."""
    services = wired(SlowExchange(), FlakyAgency(), list(PRICES), time.monotonic, Random())
    await services.quotes.warm(services.symbols)
    async with serve(lambda peer: services.market(), "127.0.0.1", port, health=services.health) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.backend.services.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    asyncio.run(main(parser.parse_args().port))
