"""The application on a port: `python -m examples.backend.socketio.server --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from examples.backend.socketio.application import application


@asynccontextmanager
async def running(port: int) -> AsyncGenerator[str]:
    """Serve, and give the URL."""
    runner = web.AppRunner(application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, bound = runner.addresses[0][:2]
        yield f"http://{host}:{bound}"
    finally:
        await runner.cleanup()


async def main(port: int) -> None:
    """Serve until the program is ended."""
    async with running(port) as url:
        print(f"serving {url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.backend.socketio.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    asyncio.run(main(parser.parse_args().port))
