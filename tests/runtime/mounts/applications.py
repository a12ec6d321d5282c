"""Applications as people have them, each with the mount at /<framework>/rpc. A server's process has all of them, to
start once; the start and end of a process are those of the framework that `FRAMEWORK` names.
"""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response, WebSocket, WebSocketException
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from capnweb_runtime import Peer, Refuse
from capnweb_runtime.mounts.asgi import CapnwebASGI
from tests.runtime.mounts.office import HEALTH, OfficeTarget

MEGABYTE = 1024 * 1024


def office(peer: Peer) -> OfficeTarget:
    if peer.headers.get("X-Agent") == "nobody":
        raise Refuse(401, "Nobody has no office.", {"WWW-Authenticate": "Bearer"})
    return OfficeTarget(peer, peer.request["state"].get("found"))


class Finding:
    """What a middleware finds out about a request, as one that looks at cookies does."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            scope.setdefault("state", {})["found"] = f"by middleware of {scope['type']}"
        await self.app(scope, receive, send)


rpc = CapnwebASGI(office, health=HEALTH)

# ---- Starlette

with_starlette = Starlette(
    routes=[Mount("/starlette/rpc", rpc)], middleware=[Middleware(Finding)], lifespan=rpc.lifespan
)

# ---- FastAPI

with_fastapi = FastAPI(lifespan=rpc.lifespan)
with_fastapi.mount("/fastapi/rpc", Finding(rpc))


class Handed(Response):
    """An answer that somebody else gives."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await by_dependency(scope, receive, send)


async def user(x_user: Annotated[str | None, Header()] = None) -> str:
    if x_user is None:
        raise HTTPException(401, "Who is there?")
    return x_user


async def user_of_socket(x_user: Annotated[str | None, Header()] = None) -> str:
    if x_user is None:
        raise WebSocketException(1008)
    return x_user


by_dependency = CapnwebASGI(office, path=None)


@with_fastapi.post("/fastapi/depends")
async def batch(request: Request, user: Annotated[str, Depends(user)]) -> Response:
    request.state.found = user
    return Handed()


@with_fastapi.websocket("/fastapi/depends")
async def session(websocket: WebSocket, user: Annotated[str, Depends(user_of_socket)]) -> None:
    websocket.state.found = user
    await by_dependency(websocket.scope, websocket.receive, websocket.send)


# ---- Litestar


@asgi("/litestar/rpc", is_mount=True, copy_scope=True)
async def mounted(scope: Any, receive: Any, send: Any) -> None:
    await Finding(rpc)(scope, receive, send)


with_litestar = Litestar([mounted], lifespan=[rpc.lifespan], logging_config=None)  # the root logger is the tests'

FRAMEWORKS: dict[str, Any] = {"starlette": with_starlette, "fastapi": with_fastapi, "litestar": with_litestar}


async def app(scope: Any, receive: Any, send: Any) -> None:
    name = os.environ["FRAMEWORK"] if scope["type"] == "lifespan" else scope["path"].split("/")[1]
    await FRAMEWORKS.get(name, with_starlette)(scope, receive, send)
