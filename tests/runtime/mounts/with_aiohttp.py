"""An aiohttp application with a mount, as people have them, at a port or a file."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from capnweb_runtime import Peer, Refuse
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from tests.runtime.mounts.office import HEALTH, OfficeTarget


def office(peer: Peer) -> OfficeTarget:
    if peer.headers.get("X-Agent") == "nobody":
        raise Refuse(401, "Nobody has no office.", {"WWW-Authenticate": "Bearer"})
    return OfficeTarget(peer, peer.request["found"])


@web.middleware
async def finding(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    request["found"] = "by middleware"
    return await handler(request)


def main() -> None:
    app = web.Application(middlewares=[finding])
    CapnwebAiohttp(office, health=HEALTH).add_to(app, "/rpc")
    place: dict[str, Any] = (
        {"host": "127.0.0.1", "port": int(sys.argv[1])} if sys.argv[1].isdigit() else {"path": sys.argv[1]}
    )
    web.run_app(app, print=None, **place)


if __name__ == "__main__":
    main()
