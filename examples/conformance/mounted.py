"""The conformance interface inside web applications, each under a real server: what `server.py` starts for the
transports `asgi`, `aiohttp` and `flask`. Rule: each is how one would do it; nothing is there for the checks alone but
that every path is answered.

Each function serves on a socket that listens, until the process is told to stop. It says `listening PORT` before that:
the system takes connections from then on.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

import uvicorn
from aiohttp import web
from flask import Flask

from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from capnweb_runtime.mounts.asgi import CapnwebASGI
from capnweb_runtime.mounts.flask import blueprint
from examples.conformance.main import main_of

LONGEST = 32 * 1024 * 1024
"""Bytes of a message, as `Limits` have them: servers are told where theirs would be fewer."""
_MOUNT = "/rpc"


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens, whose port has been said."""
    sock = socket.create_server((host, port))
    print(f"listening {sock.getsockname()[1]}", flush=True)
    return sock


def serve_asgi(host: str, port: int) -> None:
    """Serves an ASGI application under uvicorn."""
    app = CapnwebASGI(main_of, path=None, origins=["*"], errors="all")
    config = uvicorn.Config(app, ws_max_size=LONGEST, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listening(host, port)])


def serve_aiohttp(host: str, port: int) -> None:
    """Serves an application of aiohttp."""
    app = web.Application()
    CapnwebAiohttp(main_of, origins=["*"], errors="all").add_to(app, "/{path:.*}")
    web.run_app(app, sock=listening(host, port), print=None, access_log=None)


def serve_flask(host: str, port: int) -> None:
    """Becomes gunicorn, which serves `flask_app()`, for batches alone."""
    sock = listening(host, port)
    sock.set_inheritable(True)
    command = [sys.executable, "-m", "gunicorn", f"{__name__}:flask_app()", "--bind", f"fd://{sock.fileno()}"]
    os.execv(sys.executable, [*command, "--threads", "8", "--log-level", "warning"])


def flask_app() -> Callable[..., Iterable[bytes]]:
    """An application of Flask, at whatever path."""
    app = Flask(__name__)
    app.register_blueprint(blueprint(main_of, url_prefix=_MOUNT, origins=["*"], errors="all"))

    def everywhere(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return app.wsgi_app({**environ, "PATH_INFO": _MOUNT}, start_response)

    return everywhere
