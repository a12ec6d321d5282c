"""A proxy on a port of its own, whose connections can be cut at any byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self


class _Half(asyncio.Protocol):
    """One socket of a connection; what it reads is written to the other one."""

    def __init__(self, connection: _Connection, upward: bool) -> None:
        self.connection = connection
        self.upward = upward
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.connection.pass_on(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.cut()


class _Connection:
    """A client's connection and the one to the server."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.client = _Half(self, True)
        self.server = _Half(self, False)
        self.number = proxy.connections
        self.passed = 0  # bytes, in both directions
        self.early: list[bytes] = []
        self.is_cut = False

    async def open(self, port: int) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, "127.0.0.1", port)
        except OSError:
            self.cut()
            return
        if self.is_cut:
            self.cut()
            return
        early, self.early = self.early, []
        for data in early:
            self.pass_on(self.client, data)

    def pass_on(self, source: _Half, data: bytes) -> None:
        target = (self.server if source.upward else self.client).transport
        if target is None:
            if not self.is_cut:
                self.early.append(data)
            return
        allowed = self.proxy.allow(self.number, source.upward, self.passed, len(data))
        self.passed += min(allowed, len(data))
        if allowed < len(data):
            target.write(data[:allowed])
            self.cut()
        else:
            target.write(data)

    def cut(self) -> None:
        """Ends both sides; what has been passed on arrives."""
        self.is_cut = True
        self.proxy.open.discard(self)
        for half in (self.client, self.server):
            if half.transport is not None and not half.transport.is_closing():
                half.transport.close()


class Proxy:
    """Passes bytes on between clients and a server: `async with Proxy(server port) as proxy`.

    `allow(connection, upward, passed, size)` says how many of `size` bytes are passed on, after `passed` that have
    been; fewer cut the connection there.
    """

    def __init__(self, port: int, allow: Callable[[int, bool, int, int], int] | None = None) -> None:
        self.target = port
        self.allow = allow or (lambda connection, upward, passed, size: size)
        self.connections = 0
        self.open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _accept(self) -> _Half:
        self.connections += 1
        connection = _Connection(self)
        self.open.add(connection)
        task = asyncio.get_running_loop().create_task(connection.open(self.target))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return connection.client

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def cut(self) -> None:
        """Cuts all connections."""
        for connection in tuple(self.open):
            connection.cut()
