"""A page for a browser and the RPC mount that it calls, on one port: no build step, and nothing from elsewhere.

Rule: a page is a folder of plain files with an index.html. Its script imports the npm package `capnweb` from
`/capnweb/index.js`, which is the file that npm has installed, and connects to `/rpc` of its own origin.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp

GRACE = 2.0
"""Seconds that calls in progress have when the program is told to stop."""
_MODULE = Path("dist", "index.js")
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
_MISSING = """<!doctype html><title>capnweb is missing</title><h1>capnweb is missing</h1>
<p>This page imports the npm package <code>capnweb</code>. Install it with <code>npm install capnweb</code>, and start
the server again in that folder, or with <code>--capnweb path/to/node_modules/capnweb</code>."""


@dataclass(frozen=True)
class Website:
    """Where a page and its mount are.

    Attributes:
        page: the URL of the page.
        rpc: the URL for programs.
    """

    page: str
    rpc: str

    def __str__(self) -> str:
        return f"{self.rpc} with a page at {self.page}"


def installed_capnweb(start: Path | None = None) -> Path | None:
    """The npm package `capnweb` as `npm install capnweb` has left it, in a folder or in one above it.

    Parameters:
        start: the folder; the current one if none is given.

    Returns:
        The folder of the package; None if it is not there.
    """
    here = (start or Path.cwd()).resolve()
    found = (folder / "node_modules" / "capnweb" for folder in (here, *here.parents))
    return next((package for package in found if (package / _MODULE).is_file()), None)


def application(folder: Path, rpc: CapnwebAiohttp, capnweb: Path | None) -> web.Application:
    """An application of aiohttp that serves a page, the package that it imports, and the mount that it calls.

    Parameters:
        folder: the files of the page, with an index.html.
        rpc: the mount.
        capnweb: the npm package; without it the page says how to get it, and programs are served all the same.
    """
    app = web.Application()
    rpc.add_to(app, "/rpc", grace=GRACE)

    async def index(_: web.Request) -> web.StreamResponse:
        return (
            web.Response(text=_MISSING, content_type="text/html", status=503)
            if capnweb is None
            else web.FileResponse(folder / "index.html")
        )

    async def restrict(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = _POLICY  # what people write into a chat is never run
        response.headers["Cache-Control"] = "no-cache"

    app.router.add_get("/", index)
    if capnweb is not None:
        app.router.add_static("/capnweb", capnweb / _MODULE.parent)
    app.router.add_static("/", folder)
    app.on_response_prepare.append(restrict)
    return app


@asynccontextmanager
async def serve_page(
    folder: Path, rpc: CapnwebAiohttp, *, port: int = 0, capnweb: Path | None = None
) -> AsyncGenerator[Website]:
    """Serve a page and its mount on 127.0.0.1 for as long as the block lasts.

    Parameters:
        folder: see `application`.
        rpc: see `application`.
        port: 0 is any that is free.
        capnweb: see `application`.
    """
    runner = web.AppRunner(application(folder, rpc, capnweb), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, port = runner.addresses[0][:2]
        yield Website(f"http://{host}:{port}/", f"ws://{host}:{port}/rpc")
    finally:
        await rpc.drain(GRACE)  # before aiohttp stops, which reads no goodbyes any more by then
        await runner.cleanup()


async def serve_until_told(folder: Path, rpc: CapnwebAiohttp, options: argparse.Namespace) -> None:
    """Serve a page and its mount, say where, and end at SIGTERM or Ctrl-C: a whole program.

    Parameters:
        folder: see `application`.
        rpc: see `application`.
        options: `port` and `capnweb`; see `website_options`.
    """
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with serve_page(folder, rpc, port=options.port, capnweb=options.capnweb) as website:
        print("serving", website, flush=True)
        await told.wait()


def website_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a program that serves a page: `--port`, `--capnweb`."""
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument(
        "--capnweb",
        type=Path,
        metavar="FOLDER",
        default=installed_capnweb(),
        help="the npm package that the page imports (default: node_modules/capnweb of this folder or of one above)",
    )
