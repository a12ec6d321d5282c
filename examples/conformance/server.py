"""`python -m examples.conformance.server [--host H] [--port N] [--transport T]`: serves the conformance interface on
every path of one port: over WebSocket and HTTP batch, by itself or inside an application (`asgi` under uvicorn,
`aiohttp`); over HTTP batch alone (`flask` under gunicorn); or over WebTransport with a certificate of its own.

Prints `listening PORT` once it accepts connections, and serves until it is interrupted or terminated. What targets
raise is logged on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from capnweb_runtime import Serving, serve
from examples.conformance.main import main_of

MOUNTS = ("asgi", "aiohttp", "flask")
"""What serves inside an application."""


def serving(host: str, port: int, transport: str, folder: str) -> Serving:
    """What serves over a transport; its certificate, if it has to have one, is put into the folder."""
    if transport == "websocket":
        return serve(main_of, host, port, path=None, origins=["*"], errors="all")
    # An extra, of use to those alone who ask for it.
    from capnweb_runtime.serving.development_certificate import make_certificate  # noqa: PLC0415

    ssl = make_certificate(Path(folder)).certificate
    return serve(main_of, host, port, path=None, origins=["*"], errors="all", ssl=ssl, transports=["webtransport"])


async def run(host: str, port: int, transport: str) -> None:
    """Serve until the process is told to stop."""
    with TemporaryDirectory() as folder:
        async with serving(host, port, transport, folder) as server:
            print(f"listening {server.port}", flush=True)
            await server.run()


def run_mounted(host: str, port: int, kind: str) -> None:
    """Serve inside an application until the process is told to stop."""
    # Frameworks and their servers, of use to those alone who ask for them.
    from examples.conformance import mounted  # noqa: PLC0415

    {"asgi": mounted.serve_asgi, "aiohttp": mounted.serve_aiohttp, "flask": mounted.serve_flask}[kind](host, port)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="examples.conformance.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 means any")
    parser.add_argument(
        "--transport", choices=["websocket", "webtransport", *MOUNTS], default="websocket", help="of sessions"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    if options.transport in MOUNTS:
        run_mounted(options.host, options.port, options.transport)
    else:
        asyncio.run(run(options.host, options.port, options.transport))


if __name__ == "__main__":
    main()
