"""How the two services are run."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable

from capnweb_runtime import RpcTarget, serve
from capnweb_runtime.health import Health

HEALTH = Health(alive="/healthz", ready="/readyz")


def run(service: str, description: str | None, make: Callable[[], RpcTarget]) -> None:
    """Read the command line, and serve until a signal."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.microservices.{service}", description=description)
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free (default: %(default)s)")
    asyncio.run(_serve(make, parser.parse_args().port))


async def _serve(make: Callable[[], RpcTarget], port: int) -> None:
    async with serve(lambda peer: make(), "127.0.0.1", port, health=HEALTH) as server:
        print("serving", server.url, flush=True)
        await server.run()
