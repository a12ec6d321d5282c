"""Several addresses of a server, of which one is there; and sockets that are connected already."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import (
    Certificate,
    ConnectionLost,
    ConnectionRefused,
    GoingAway,
    Peer,
    Pool,
    Reconnect,
    Refuse,
    SessionClosed,
    connect,
    connect_blocking,
    serve,
)
from capnweb_runtime.connecting.several import first_open
from tests.chaos.generated.bank import BankBlockingStub, BankStub
from tests.chaos.proxy import Proxy
from tests.chaos.server import Bank, State

LOCALHOST = Path(__file__).parents[1] / "localhost.pem"
AT_ONCE = Reconnect(sleep=lambda seconds: asyncio.sleep(0), random=lambda: 0.0)


class Placed(Bank):
    """Says which of several servers it is at."""

    def __init__(self, place: int) -> None:
        super().__init__(State())
        self.place = place

    def get(self, key: str) -> int:
        return self.place


@asynccontextmanager
async def places(count: int) -> AsyncIterator[list[str]]:
    """URLs of so many servers."""
    async with AsyncExitStack() as stack:
        urls = []
        for place in range(count):

            def at(_: Peer, place: int = place) -> Bank:
                return Placed(place)

            urls.append((await stack.enter_async_context(serve(at, "127.0.0.1", 0))).url)
        yield urls


@asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    """The URL of a port at which nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"ws://127.0.0.1:{bound.getsockname()[1]}/rpc"


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].strip("/"))


def refusing(status: int, headers: dict[str, str] | None = None) -> Any:
    def main(_: Peer) -> Bank:
        raise Refuse(status, "not here", headers)

    return serve(main, "127.0.0.1", 0)


class TestOrder:
    async def test_the_first_address_is_taken_if_it_answers(self) -> None:
        async with places(2) as urls:
            for order, expected in ((urls, 0), (urls[::-1], 1)):
                async with connect(order, BankStub) as api:
                    assert await api.get("x") == expected

    async def test_the_next_one_is_taken_where_nobody_listens(self) -> None:
        async with nobody() as gone, places(1) as [url]:
            connecting = connect(iter([gone, url]), BankStub)
            async with connecting as api:
                assert await api.get("x") == 0

    @pytest.mark.parametrize("status", [429, 500, 501, 503])
    async def test_the_next_one_is_taken_where_one_is_refused_for_now(self, status: int) -> None:
        async with refusing(status) as server, places(1) as [url], connect([server.url, url], BankStub) as api:
            assert await api.get("x") == 0

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    async def test_what_is_refused_for_good_is_not_asked_elsewhere(self, status: int) -> None:
        async with refusing(status) as server, places(1) as [url]:
            with pytest.raises(ConnectionRefused, match="not here") as refused:
                await connect([server.url, url], BankStub)
            assert (refused.value.status, refused.value.url) == (status, server.url)

    async def test_a_server_that_is_silent_takes_the_time_of_one_address(self) -> None:
        async with places(1) as [url]:
            with socket.create_server(("127.0.0.1", 0)) as silent:
                where = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
                async with connect([where, url], BankStub, open_timeout=0.2) as api:
                    assert await api.get("x") == 0

    async def test_a_certificate_that_nobody_trusts_leads_to_the_next(self) -> None:
        certificate = Certificate(str(LOCALHOST))
        async with (
            serve(lambda peer: Placed(0), "127.0.0.1", 0, ssl=certificate) as server,
            places(1) as [url],
            connect([server.url, url], BankStub) as api,
        ):
            assert await api.get("x") == 0

    async def test_an_error_of_the_session_knows_the_address_that_it_had(self) -> None:
        async with nobody() as gone, places(1) as [url], Proxy(port_of(url)) as proxy:
            async with connect([gone, proxy.url], BankStub) as api:
                assert await api.get("x") == 0
                proxy.cut()
                with pytest.raises(ConnectionLost) as lost:
                    await api.get("x")
            assert lost.value.url == proxy.url

    async def test_our_main_object_survives_an_address_that_does_not_answer(self) -> None:
        disposed: list[bool] = []

        class Ours(Bank):
            def dispose(self) -> None:
                disposed.append(True)

        async with nobody() as gone, places(1) as [url]:
            async with connect([gone, url], BankStub, main=Ours(State())) as api:
                assert await api.get("x") == 0
                assert disposed == []
            assert disposed == [True]


class TestNone:
    async def test_the_error_says_of_each_address_why(self) -> None:
        async with nobody() as gone, refusing(503) as server:
            with pytest.raises(SessionClosed) as failed:
                await connect([gone, server.url], BankStub)
        text = str(failed.value)
        assert text.startswith(f"cannot connect to any of 2 addresses: {gone}: ")
        assert f"; {server.url}: the server answered 503 Service Unavailable (not here)" in text
        assert text.count("cannot connect to") == 1

    async def test_it_is_of_the_kind_that_gives_the_most_hope(self) -> None:
        certificate = Certificate(str(LOCALHOST))
        async with nobody() as gone, serve(lambda peer: Placed(0), "127.0.0.1", 0, ssl=certificate) as server:
            with pytest.raises(ConnectionLost):
                await connect([server.url, gone], BankStub)
            with pytest.raises(SessionClosed) as bad:
                await connect([server.url, server.url], BankStub)
            assert type(bad.value) is SessionClosed
            # as the policy of `reconnect` sees it, another attempt meets the same certificates
            assert not AT_ONCE.is_worth(bad.value, 0)

    async def test_the_shortest_wait_that_is_asked_for_counts_if_all_ask_for_one(self) -> None:
        async with refusing(503, {"Retry-After": "9"}) as one, refusing(503, {"Retry-After": "4"}) as other:
            with pytest.raises(GoingAway) as away:
                await connect([one.url, other.url], BankStub)
            assert away.value.retry_after == 4
            async with nobody() as gone:
                with pytest.raises(GoingAway) as away:
                    await connect([one.url, gone], BankStub)
            assert away.value.retry_after is None

    async def test_our_main_object_is_disposed(self) -> None:
        disposed: list[bool] = []

        class Ours(Bank):
            def dispose(self) -> None:
                disposed.append(True)

        async with nobody() as gone:
            with pytest.raises(SessionClosed):
                await connect([gone, gone], BankStub, main=Ours(State()))
        assert disposed == [True]

    async def test_what_is_no_sessions_error_ends_the_attempts(self) -> None:
        asked: list[str] = []

        async def opening(url: str) -> None:
            asked.append(url)
            raise ValueError("a header is not valid")

        with pytest.raises(ValueError, match="not valid"):
            await first_open(["a", "b"], 0, opening)
        assert asked == ["a"]


class TestAgain:
    async def test_the_next_address_is_tried_first_when_a_session_is_lost(self) -> None:
        async with places(3) as urls, AsyncExitStack() as stack:
            ports = [port_of(url) for url in urls]
            proxies = [await stack.enter_async_context(Proxy(port)) for port in ports]
            seen = []
            async with connect([proxy.url for proxy in proxies], BankStub, reconnect=AT_ONCE) as api:
                for _ in range(4):
                    place = await api.get("x")
                    seen.append(place)
                    proxies[place].cut()
            assert seen == [0, 1, 2, 0]

    async def test_an_address_that_is_skipped_is_not_the_next(self) -> None:
        async with (
            nobody() as gone,
            places(2) as urls,
            Proxy(port_of(urls[0])) as proxy,
            connect([gone, proxy.url, urls[1]], BankStub, reconnect=AT_ONCE) as api,
        ):
            assert await api.get("x") == 0
            proxy.cut()
            assert await api.get("x") == 1

    async def test_a_round_in_which_nobody_answers_is_one_attempt(self) -> None:
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        async with nobody() as gone:
            policy = Reconnect(sleep=sleep, attempts=2, random=lambda: 0.5)
            with pytest.raises(ConnectionLost, match="any of 3 addresses"):
                await connect([gone] * 3, BankStub, reconnect=policy)
        assert len(waits) == 2

    async def test_a_pool_spreads_its_sessions(self) -> None:
        async with (
            places(2) as urls,
            Pool(urls, BankStub, size=2) as pool,
            pool.session() as one,
            pool.session() as other,
        ):
            assert sorted([await one.get("x"), await other.get("x")]) == [0, 1]


class TestSocket:
    async def test_a_socket_that_is_connected_is_used(self) -> None:
        async with places(1) as [url]:
            sock = socket.create_connection(("127.0.0.1", port_of(url)))
            async with connect("ws://localhost/", BankStub, sock=sock) as api:
                assert await api.get("x") == 0
            assert sock.fileno() == -1

    async def test_a_pair_needs_no_port(self, tmp_path: Path) -> None:
        ours, theirs = socket.socketpair()
        with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as inner:
            listening.bind(str(tmp_path / "sock"))
            async with serve(lambda peer: Placed(7), sock=listening):
                inner.setblocking(False)
                await asyncio.get_running_loop().sock_connect(inner, str(tmp_path / "sock"))
                passing = [asyncio.create_task(_pass_on(*pair)) for pair in ((theirs, inner), (inner, theirs))]
                theirs.setblocking(False)
                async with connect("ws://localhost/", BankStub, sock=ours) as api:
                    assert await api.get("x") == 7
                await asyncio.wait(passing)
        theirs.close()

    async def test_over_tls_the_url_says_whose_certificate_is_expected(self) -> None:
        context = ssl.create_default_context(cafile=str(LOCALHOST))
        certificate = Certificate(str(LOCALHOST))
        async with serve(lambda peer: Placed(0), "127.0.0.1", 0, ssl=certificate, hosts=["*"]) as server:
            for host, right in (("localhost", True), ("example.org", False)):
                sock = socket.create_connection(("127.0.0.1", server.port))
                connecting = connect(f"wss://{host}/", BankStub, sock=sock, ssl=context)
                if right:
                    async with connecting as api:
                        assert await api.get("x") == 0
                else:
                    with pytest.raises(SessionClosed, match="certificate"):
                        await connecting

    async def test_a_socket_that_is_not_connected_is_told_and_closed(self) -> None:
        sock = socket.socket()
        with pytest.raises(ConnectionLost, match="cannot connect to ws://localhost/"):
            await connect("ws://localhost/", BankStub, sock=sock)
        await asyncio.sleep(0)
        assert sock.fileno() == -1

    @pytest.mark.parametrize(
        ("url", "more"),
        [
            ("http://localhost/", {}),
            ("https://localhost/", {"transport": "webtransport"}),
            (["ws://localhost/", "ws://localhost/"], {}),
            ("ws+unix:///run/app.sock:/", {}),
        ],
    )
    def test_it_is_for_one_websocket(self, url: Any, more: dict[str, Any]) -> None:
        with socket.socket() as sock, pytest.raises(ValueError, match="one WebSocket"):
            _ = connect(url, BankStub, sock=sock, **more)

    def test_it_is_one_that_is_open_and_carries_streams(self) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(ValueError, match="SOCK_STREAM"):
            _ = connect("ws://localhost/", BankStub, sock=datagrams)
        with pytest.raises(ValueError, match="that is open"):
            _ = connect("ws://localhost/", BankStub, sock=datagrams)

    def test_it_cannot_be_had_again(self) -> None:
        with socket.socket() as sock, pytest.raises(ValueError, match="cannot be made again"):
            connect("ws://localhost/", BankStub, sock=sock, reconnect=AT_ONCE)  # type: ignore[call-overload]


async def _pass_on(source: socket.socket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, 65_536):
        await loop.sock_sendall(target, data)
    target.shutdown(socket.SHUT_WR)


class TestRefusedBeforehand:
    def test_no_address_is_none(self) -> None:
        with pytest.raises(ValueError, match="no URL"):
            _ = connect([], BankStub)

    def test_a_batch_has_one(self) -> None:
        with pytest.raises(ValueError, match="a batch has one address, and 'http://b/' is one of 2"):
            _ = connect(["ws://a/", "http://b/"], BankStub)

    def test_each_has_to_be_one(self) -> None:
        with pytest.raises(ValueError, match="cannot connect to 'b'"):
            _ = connect(["ws://a/", "b"], BankStub)

    def test_a_pool_takes_sessions_alone(self) -> None:
        with pytest.raises(ValueError, match="'http://b/' opens none"):
            Pool(["ws://a/", "http://b/"], BankStub)


async def test_blocking_clients_have_both() -> None:
    async with nobody() as gone, places(1) as [url]:

        def use() -> list[int]:
            with connect_blocking([gone, url], BankBlockingStub, timeout=10) as api:
                one = api.get("x")
            sock = socket.create_connection(("127.0.0.1", port_of(url)))
            with connect_blocking("ws://localhost/", BankBlockingStub, timeout=10, sock=sock) as api:
                return [one, api.get("x")]

        assert await asyncio.to_thread(use) == [0, 0]
