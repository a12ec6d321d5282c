"""Serves the measured interface otherwise than plainly: inside applications, and encrypted. Rule: nothing of an
application is there but the mount, so that what is measured is what carries the calls.

`uvicorn tests.bench.mounted:asgi` and its like, `gunicorn 'tests.bench.mounted:wsgi()'`,
`python -m tests.bench.mounted aiohttp PORT`, `python -m tests.bench.mounted tls PORT FOLDER`; the last two print READY
once they accept connections. Limits are the defaults.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import get_args

from aiohttp import web
from flask import Flask

from capnweb_runtime import Certificate, Peer, serve
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from capnweb_runtime.mounts.asgi import CapnwebASGI
from capnweb_runtime.mounts.flask import blueprint
from capnweb_runtime.serving.peer import Transport
from tests.bench.driver import freeze_heap
from tests.bench.server import Api

PATH = "/rpc"


def api(peer: Peer) -> Api:
    """The main object of a session."""
    return Api()


asgi = CapnwebASGI(api, path=PATH)


def wsgi() -> Flask:
    """An application of Flask."""
    app = Flask(__name__)
    app.register_blueprint(blueprint(api, url_prefix=PATH))
    return app


async def with_aiohttp(port: int) -> None:
    """Serves an application of aiohttp."""
    app = web.Application()
    CapnwebAiohttp(api).add_to(app, PATH)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("READY", flush=True)
    await asyncio.Event().wait()


async def with_tls(port: int, folder: Path) -> None:
    """Serves every transport by itself, with the certificate in a folder."""
    certificate = Certificate(folder / "certificate.pem", folder / "key.pem")
    async with serve(api, "127.0.0.1", port, path=PATH, ssl=certificate, transports=get_args(Transport)) as server:
        print("READY", flush=True)
        await server.wait_closed()


freeze_heap()

if __name__ == "__main__":
    kind, port, *rest = sys.argv[1:]
    asyncio.run(with_aiohttp(int(port)) if kind == "aiohttp" else with_tls(int(port), Path(rest[0])))
