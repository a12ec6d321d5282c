"""A client of Socket.IO that keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from examples.backend.socketio.typed import EventClient, event_client

SECONDS = 10


class Listener:
    """A client, and the events that it was sent.

    Attributes:
        client: sends events.
    """

    def __init__(self) -> None:
        self.client: EventClient = event_client()
        self._told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        for event in ("posted", "error"):
            self.client.on(event, partial(self._keep, event))

    def _keep(self, event: str, data: object) -> None:
        self._told.put_nowait((event, data))

    async def ask(self, event: str, data: object) -> Any:
        """Send an event, and wait for the answer of its handler; None if it failed, of which `next` then tells."""
        return await self.client.call(event, data, timeout=SECONDS)

    async def next(self) -> tuple[str, Any]:
        """The next event that it was sent, and its payload."""
        async with asyncio.timeout(SECONDS):
            return await self._told.get()


@asynccontextmanager
async def listening(url: str, room: str) -> AsyncGenerator[Listener]:
    """A client that is in a room."""
    listener = Listener()
    await listener.client.connect(url, transports=["websocket"])
    try:
        await listener.ask("enter", {"room": room})
        yield listener
    finally:
        await listener.client.disconnect()
