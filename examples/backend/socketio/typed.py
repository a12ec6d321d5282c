"""What is used of python-socketio, which has no types of its own. Rule: nothing else here imports it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

import socketio  # type: ignore[import-untyped]  # the Protocols below say what is used of it
from aiohttp import web

Handler = Callable[..., Awaitable[object]]


class EventServer(Protocol):
    """The server of Socket.IO."""

    def on(self, event: str, handler: Handler) -> object:
        """Have an event handled."""
        ...

    async def emit(self, event: str, data: object, to: str | None = None) -> None:
        """Send an event: to one session, or to all that are in a room."""
        ...

    async def enter_room(self, sid: str, room: str) -> None:
        """Put a session into a room."""
        ...

    def attach(self, app: web.Application) -> None:
        """Serve at /socket.io/ of an application."""
        ...


class EventClient(Protocol):
    """A client of Socket.IO."""

    def on(self, event: str, handler: Callable[..., object]) -> object:
        """Have an event handled."""
        ...

    async def connect(self, url: str, transports: list[str]) -> None:
        """Connect."""
        ...

    async def call(self, event: str, data: object, timeout: int) -> Any:  # noqa: ASYNC109  (the library's own)
        """Send an event, and wait for what its handler answers."""
        ...

    async def disconnect(self) -> None:
        """Leave."""
        ...


def event_server() -> EventServer:
    """A server for an application of aiohttp."""
    return cast(EventServer, socketio.AsyncServer(async_mode="aiohttp"))


def event_client() -> EventClient:
    """A client."""
    return cast(EventClient, socketio.AsyncClient())
