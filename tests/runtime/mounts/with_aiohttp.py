"""An aiohttp application with a mount, as people have them."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

from capnweb_runtime import Peer, Refuse
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from tests.runtime.mounts.office import OfficeTarget


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
    CapnwebAiohttp(office).add_to(app, "/rpc")
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
