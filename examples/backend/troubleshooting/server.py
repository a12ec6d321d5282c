"""One model on a port: `python -m examples.backend.troubleshooting.server --port 8080 --mood overloaded`."""

from __future__ import annotations

import argparse
import asyncio

from capnweb_runtime import serve
from examples.backend.troubleshooting.fallback import Model


async def main(port: int, name: str, mood: str) -> None:
    """Serve until a signal."""
    async with serve(lambda peer: Model(name, mood), "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.backend.troubleshooting.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--name", default="large", help="of the model (default: %(default)s)")
    parser.add_argument("--mood", choices=("well", "overloaded", "stuck"), default="well")
    told = parser.parse_args()
    asyncio.run(main(told.port, told.name, told.mood))
