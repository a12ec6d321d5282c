"""Accepting connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from capnweb_runtime.limits import ServerLimits
from capnweb_runtime.serving import listener
from capnweb_runtime.serving.bounds import Bounds
from capnweb_runtime.serving.listener import Listener


class Greeting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


@asynccontextmanager
async def listening(bounds: Bounds | None = None) -> AsyncIterator[Listener]:
    listens = Listener(Greeting, bounds or Bounds())
    await listens.open(["127.0.0.1"], 0)
    async with asyncio.timeout(60):
        try:
            yield listens
        finally:
            listens.close()


async def greeted(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_many_connections_at_a_time_are_accepted() -> None:
    async with listening() as listens:
        assert await asyncio.gather(*[greeted(listens.port) for _ in range(50)]) == [b"hello"] * 50


async def test_every_address_of_a_host_has_the_same_port() -> None:
    listens = Listener(Greeting, Bounds())
    await listens.open([None], 0)
    assert {one.getsockname()[1] for one in listens.sockets} == {listens.port}
    listens.close()


async def test_a_port_that_somebody_else_has_on_one_of_the_addresses_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bind = Listener._bind
    others: list[socket.socket] = []

    async def bind_where_others_are_quicker(
        self: Listener, hosts: Sequence[str | None], port: int, shared: bool
    ) -> asyncio.Server:
        if port and len(others) < 2:
            others.append(socket.create_server((str(hosts[len(others)]), port)))
        return await bind(self, hosts, port, shared)

    monkeypatch.setattr(Listener, "_bind", bind_where_others_are_quicker)
    listens = Listener(Greeting, Bounds())
    await listens.open(["127.0.0.1", "127.0.0.2"], 0)
    places = sorted(one.getsockname() for one in listens.sockets)  # the loop binds them in any order
    assert places == [("127.0.0.1", listens.port), ("127.0.0.2", listens.port)]
    assert listens.port not in [other.getsockname()[1] for other in others]
    listens.close()
    for other in others:
        other.close()
    assert len(others) == 2


async def test_a_port_that_was_asked_for_and_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="address already in use"):
        await Listener(Greeting, Bounds()).open(["127.0.0.1", "127.0.0.2"], other.getsockname()[1])


async def test_nobody_is_accepted_after_the_end() -> None:
    async with listening() as listens:
        listens.close()
        with pytest.raises(ConnectionRefusedError):
            await greeted(listens.port)


async def test_where_the_loop_cannot_tell_of_sockets_it_accepts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_readers(*_: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "remove_reader", no_readers)
    async with listening() as listens:
        assert await greeted(listens.port) == b"hello"
        listens.close()
        with pytest.raises(ConnectionRefusedError):
            await greeted(listens.port)


async def test_clients_wait_where_no_file_can_be_opened_and_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    accept = socket.socket.accept

    def no_more_files(self: socket.socket) -> Any:
        tried.append(1)
        if len(tried) < 3:
            raise OSError(24, "Too many open files")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", no_more_files)
    monkeypatch.setattr(listener, "RETRY", 0.001)
    bounds = Bounds()
    async with listening(bounds) as listens:
        assert await greeted(listens.port) == b"hello"
    assert bounds.stats(0).reserved_files.refused == 2
    bounds.close()


async def test_accepting_goes_on_when_a_connection_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "RETRY", 3600.0)
    bounds = Bounds(ServerLimits())
    monkeypatch.setattr(bounds, "_last_files", 0)
    async with listening(bounds) as listens:
        assert await greeted(listens.port) == b"hello"  # and none after it
        waiting = asyncio.create_task(greeted(listens.port))
        assert bounds.stats(0).reserved_files.refused == 1
        assert not waiting.done()
        assert bounds.on_room is not None
        bounds.on_room()
        assert await waiting == b"hello"
    bounds.close()
