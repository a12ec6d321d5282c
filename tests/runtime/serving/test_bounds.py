"""Bounds of a server as a whole: what is refused, what goes on, and what is said of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import InvalidStatus

from capnweb_runtime.limits import Limits, ServerLimits
from capnweb_runtime.serving import bounds as bounds_module
from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server
from tests.runtime.serving.test_serve import ask, pull, push
from tests.runtime.transports.example_api import Example, Gates

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"
CALL = push("add", 1, 2) + "\n" + pull(1)


@contextlib.asynccontextmanager
async def server(gates: Gates | None = None, limits: Limits | None = None, **bounds: Any) -> AsyncIterator[Server]:
    async with (
        asyncio.timeout(60),
        serve(
            lambda peer: Example(peer, gates),
            "127.0.0.1",
            0,
            limits=limits or Limits(),
            server_limits=ServerLimits(**bounds),
        ) as served,
    ):
        yield served


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so."""
    for _ in iter(condition, True):
        await asyncio.sleep(0)


async def answer(served: Server, request: bytes) -> bytes:
    """What comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request)
    response = await reader.read()
    writer.close()
    return response


async def is_busy(served: Server) -> None:
    """Both transports are answered 503, and told when to come again."""
    with pytest.raises(InvalidStatus) as caught:
        await stock_connect(served.url)
    assert caught.value.response.status_code == 503
    assert caught.value.response.headers["Retry-After"] == "10"
    async with aiohttp.ClientSession() as client, client.post(served.http_url, data=CALL) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "10")
        assert await response.text() == "The server is busy. Try again later.\n"


class Numbered:
    """Stands for a socket with that number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number


class TestConnections:
    @pytest.mark.parametrize("bound", ["connections", "connections_per_address"])
    async def test_one_too_many_is_refused_and_the_others_go_on(self, bound: str) -> None:
        bounds: dict[str, Any] = {bound: 2}
        async with server(**bounds) as served:
            async with stock_connect(served.url) as first, stock_connect(served.url):
                await is_busy(served)
                assert await ask(first, 1, "add", 1, 2) == ["resolve", 1, 3]
                usage = getattr(served.stats(), bound)
                assert (usage.now, usage.most, usage.refused) == (2, 2, 2)
            await until(lambda: served.stats().connections.now == 0)
            async with stock_connect(served.url) as again:
                assert await ask(again, 1, "add", 1, 2) == ["resolve", 1, 3]

    async def test_of_many_that_are_refused_few_are_listened_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bounds_module, "REFUSED_AT_A_TIME", 0)
        async with server(connections=1) as served, stock_connect(served.url):
            assert (await answer(served, b"")).startswith(b"HTTP/1.1 503 ")  # without having asked

    async def test_one_that_is_refused_and_does_not_ask_is_given_up_soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bounds_module, "REFUSED_SECONDS", 0.01)
        async with server(connections=1) as served, stock_connect(served.url):
            assert (await answer(served, b"")).startswith(b"HTTP/1.1 408 ")
            await until(lambda: served.stats().connections.now == 1)

    async def test_the_answer_arrives_whatever_the_client_has_yet_to_send(self) -> None:
        async with server(connections=1) as served, stock_connect(served.url):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"x" * 2_000_000)
            await writer.drain()
            assert head.startswith(b"HTTP/1.1 503 ")
            assert await reader.read() == b"The server is busy. Try again later.\n"
            writer.close()

    async def test_tls_is_begun_for_the_answer_and_for_few_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=CERTIFICATE)
        settings.load_cert_chain(CERTIFICATE)
        bounds = ServerLimits(connections=1)
        async with (
            asyncio.timeout(60),
            serve(Example, "localhost", 0, ssl=settings, server_limits=bounds) as served,
            stock_connect(served.url, ssl=trust) as first,
        ):
            with pytest.raises(InvalidStatus, match="503"):
                await stock_connect(served.url, ssl=trust)
            monkeypatch.setattr(bounds_module, "REFUSED_AT_A_TIME", 0)
            with pytest.raises(ConnectionError):
                await stock_connect(served.url, ssl=trust)
            assert await ask(first, 1, "add", 1, 2) == ["resolve", 1, 3]
            assert served.stats().connections.refused == 2
        assert served.stats().connections.now == 0

    async def test_every_end_of_a_connection_makes_room(self) -> None:
        async with server(connections=3) as served:
            for request in (b"what?\r\n\r\n", b"\x16\x03\x01", b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", b"\x00"):
                assert b" 40" in await answer(served, request)
            _, writer = await asyncio.open_connection("127.0.0.1", served.port)
            await until(lambda: served.stats().connections.now == 1)
            writer.transport.abort()
            await until(lambda: served.stats().connections.now == 0)
            assert served.stats().connections_per_address.now == 0

    @pytest.mark.parametrize(("number", "refused", "once"), [(79, False, False), (80, True, False), (90, True, True)])
    async def test_files_in_reserve_are_for_answers_and_half_of_them_for_nobody(
        self, number: int, refused: bool, once: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds_module, "most_files", lambda reserved: 100 - reserved)
        bounds = Bounds(ServerLimits(reserved_files=20))
        guest = Guest(bounds)
        guest.came(asyncio.Transport({"socket": Numbered(number)}))
        assert (guest.refused, guest.at_once) == (refused, once)
        assert bounds.stats(0).reserved_files.refused == refused
        bounds.close()

    def test_there_are_as_many_as_files_and_a_quarter_for_one_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bounds_module, "most_files", lambda reserved: 1000 - reserved)
        one = Bounds(ServerLimits(reserved_files=200))
        assert (one.most_connections, one.most_per_address) == (800, 200)
        monkeypatch.setattr(bounds_module, "most_files", lambda reserved: 1 << 40)
        other = Bounds()
        assert (other.most_connections, other.most_per_address) == (20_000, 5_000)


class TestSessions:
    async def test_one_too_many_is_refused_over_both_transports(self) -> None:
        async with server(sessions=1) as served:
            async with stock_connect(served.url) as first:
                await is_busy(served)
                assert await ask(first, 1, "add", 1, 2) == ["resolve", 1, 3]
                assert served.stats().sessions.now == 1
                assert served.stats().sessions.refused == 2
            await until(lambda: served.stats().sessions.now == 0)
            async with stock_connect(served.url) as again:
                assert await ask(again, 1, "add", 1, 2) == ["resolve", 1, 3]

    async def test_refusals_are_no_lines_of_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", "capnweb_runtime.server")
        async with server(sessions=1) as served, stock_connect(served.url):
            for _ in range(5):
                await is_busy(served)
        lines = [record.getMessage() for record in caplog.records if "ServerLimits" in record.getMessage()]
        assert lines == [
            "at the bound of ServerLimits.sessions, 1: new ones are refused with 503",
            "no longer at the bound of ServerLimits.sessions, which was passed 10 times",
        ]
        assert "refused 127" not in caplog.text


class TestCalls:
    async def test_one_too_many_is_rejected_whosever_the_others_are(self) -> None:
        gates = Gates()
        async with (
            server(gates, calls=2) as served,
            stock_connect(served.url) as first,
            stock_connect(served.url) as second,
        ):
            await first.send(push("wait", "a"))
            await second.send(push("wait", "b"))
            await asyncio.gather(gates.come("a").wait(), gates.come("b").wait())
            kind, number, error = await ask(second, 2, "wait", "c")
            assert (kind, number) == ("reject", 2)
            assert "the server is busy" in error[2]
            gates.open("a").set()
            await until(lambda: served.stats().calls.now == 1)
            assert await ask(second, 3, "add", 1, 2) == ["resolve", 3, 3]
            assert served.stats().calls.refused == 1
            gates.open("b").set()
        assert served.stats().calls.now == 0

    async def test_who_has_many_is_refused_before_those_who_have_few(self) -> None:
        gates = Gates()
        async with (
            server(gates, calls=40) as served,
            stock_connect(served.url) as heavy,
            stock_connect(served.url) as light,
        ):
            for number in range(50):
                await heavy.send(push("wait", f"{number}"))
            assert (await ask(heavy, 51, "add", 1, 2))[0] == "reject"
            assert served.stats().calls.now == 35
            assert await ask(light, 1, "add", 1, 2) == ["resolve", 1, 3]
            for number in range(35):
                gates.open(f"{number}").set()

    async def test_those_of_sessions_that_are_gone_count_until_they_end(self) -> None:
        gates = Gates()
        async with server(gates, calls=3) as served:
            for gate in "abc":
                async with stock_connect(served.url) as peer:
                    await peer.send(push("wait", gate))
                    await gates.come(gate).wait()
            await until(lambda: served.stats().sessions.now == 0)
            assert served.stats().calls.now == 3
            async with stock_connect(served.url) as peer:
                assert (await ask(peer, 1, "wait", "d"))[0] == "reject"
                gates.open("a").set()
                await until(lambda: served.stats().calls.now == 2)
                await peer.send(push("wait", "e"))
                await gates.come("e").wait()
            for gate in "bce":
                gates.open(gate).set()
            await until(lambda: served.stats().calls.now == 0)

    async def test_who_comes_again_and_again_gets_no_session_for_more(self) -> None:
        gates = Gates()
        async with server(gates, Limits(calls=2), connections_per_address=100) as served:
            for gate in "ab":
                async with stock_connect(served.url) as peer:
                    await peer.send(push("wait", gate))
                    await gates.come(gate).wait()
            await until(lambda: served.stats().sessions.now == 0)
            await is_busy(served)
            gates.open("a").set()
            await until(lambda: served.stats().calls.now == 1)
            async with stock_connect(served.url) as peer:
                assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]
            gates.open("b").set()
            await until(lambda: served.stats().calls.now == 0)
            assert not served._bounds.left_running(served._bounds.address_of(("127.0.0.1", 1)))
            assert not served._bounds._outlived


def test_every_bound_is_in_the_statistics() -> None:
    stats = cast(Any, Bounds().stats(3))
    assert stats.sessions.now == 3
    assert json.dumps([getattr(stats, name).most for name in stats.__slots__])


async def test_a_message_that_could_never_arrive_is_refused_at_once() -> None:
    few = ServerLimits(unfinished_bytes=1000)
    with pytest.raises(ValueError, match="could never arrive"):
        await serve(Example, "127.0.0.1", 0, server_limits=few)
    async with serve(Example, "127.0.0.1", 0, limits=Limits(message_size=1000), server_limits=few) as served:
        assert served.stats().unfinished_bytes.most == 1000
    assert Bounds(message_size=1000).unfinished.most == 8000
