"""Looks at a server as the inspector's page does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from capnweb_runtime import connect
from capnweb_runtime.inspector.generated.inspection import DoorStub, InspectionPromise
from capnweb_runtime.serving.server import Server


def door(server: Server) -> tuple[str, str]:
    """URL of the page's sessions, and the token."""
    page, _, token = server.inspector_url.partition("#")
    return page.replace("http", "ws", 1) + "/session", token


@asynccontextmanager
async def looking(server: Server) -> AsyncIterator[InspectionPromise]:
    """What the page sees of a server."""
    url, token = door(server)
    async with connect(url, DoorStub) as opened:
        yield opened.authenticate(token)
