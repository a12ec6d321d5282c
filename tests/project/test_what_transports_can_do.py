"""The table of docs/webtransport.md says of each transport what it is seen to do."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from capnweb_runtime import (
    ConnectionRefused,
    GoingAway,
    Peer,
    Pool,
    Reconnect,
    Refuse,
    RpcError,
    SessionClosed,
    connect,
    deadline,
    serve,
    time_left,
)
from capnweb_runtime.serving.development_certificate import DevelopmentCertificate, make_certificate
from capnweb_runtime.serving.peer import Transport
from capnweb_runtime.serving.server import Server
from examples.conformance.generated.conformance import ConformanceApiStub, PeerApiStub
from examples.conformance.target import Main
from tests.gen.golden.cancellable.expected import SearchStub
from tests.project.sources import ROOT
from tests.project.tables import table_of
from tests.runtime.test_cancellation import Search, asked

TABLE = table_of((ROOT / "docs/webtransport.md").read_text("utf-8"), "## Beside the others")
COLUMNS: dict[Transport, str] = {"websocket": "WebSocket", "http": "HTTP batch", "webtransport": "WebTransport"}
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
YES, NO, NONE = "yes", "no", "–"
PATIENCE = 30

over = pytest.mark.parametrize("transport", TRANSPORTS)


def says(row: str, transport: Transport) -> str:
    return TABLE[row][COLUMNS[transport]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCertificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


class Ends:
    """A server of one transport, with a certificate, and how clients connect to it."""

    def __init__(self, server: Server, transport: Transport, made: DevelopmentCertificate) -> None:
        self.server = server
        self.transport = transport
        self.url = server.url if transport == "websocket" else server.http_url
        self.settings: dict[str, Any] = {"ssl": ssl.create_default_context(cafile=str(made.authority))}
        if transport == "webtransport":
            self.settings["transport"] = transport

    def api(self, **settings: Any) -> Any:
        return connect(self.url, ConformanceApiStub, **self.settings, **settings)

    def search(self) -> Any:
        return connect(self.url, SearchStub, **self.settings)


def conformance(peer: Peer) -> Main:
    return Main(peer.main(PeerApiStub))


@asynccontextmanager
async def serving(
    transport: Transport, made: DevelopmentCertificate, main: Callable[[Peer], Any] = conformance, **settings: Any
) -> AsyncIterator[Ends]:
    settings = {"ssl": made.certificate, "transports": [transport], "close_timeout": 1.0, **settings}
    async with (
        asyncio.timeout(PATIENCE),
        serve(main, "127.0.0.1", 0, **settings) as server,
    ):
        yield Ends(server, transport, made)


@over
async def test_round_trips(transport: Transport, made: DevelopmentCertificate) -> None:
    async with serving(transport, made) as ends, ends.api() as api:
        assert await api.add(1, 2) == 3
        try:
            assert await api.add(3, 4) == 7
            assert says("round trips in a session", transport) == "any number"
        except SessionClosed:
            assert says("round trips in a session", transport) == "one"


async def numbers(most: int, wait: asyncio.Event | None = None) -> AsyncIterator[int]:
    for number in range(most):
        yield number
    if wait is not None:
        await wait.wait()


@over
async def test_callbacks_and_streams_to_the_client(transport: Transport, made: DevelopmentCertificate) -> None:
    async def called(api: Any) -> bool:
        return bool((await api.call_function(lambda x: x * 10, 7))["result"] == 70)

    async def read(api: Any) -> bool:
        return [number async for number in api.countdown(3)] == [3, 2, 1]

    rows = {"calls to the client: callbacks, its main object": called, "streams to the client": read}
    async with serving(transport, made) as ends:
        for row, tried in rows.items():
            async with ends.api() as api:
                try:
                    found = YES if await tried(api) else NO
                except RpcError:
                    found = NO
            assert found == says(row, transport), row


@over
async def test_streams_to_the_server(transport: Transport, made: DevelopmentCertificate) -> None:
    ends_later = asyncio.Event()
    row = says("streams to the server", transport)
    async with serving(transport, made) as ends:
        async with ends.api() as api:
            assert await api.collect(numbers(3)) == [0, 1, 2]
        async with ends.api() as api:
            collected = asked(api.collect(numbers(3, ends_later)))
            if row == YES:
                await api.add(1, 2)
                ends_later.set()
                assert await collected == [0, 1, 2]
            else:
                with pytest.raises(RpcError, match="nor go on with a stream"):
                    await collected
                assert row == "one that ends before the batch is sent"


@over
async def test_byte_strings(transport: Transport, made: DevelopmentCertificate) -> None:
    agreed: list[bool] = []

    def main(peer: Peer) -> Main:
        assert peer.connection is not None
        peers.append(peer)
        return conformance(peer)

    peers: list[Peer] = []
    async with serving(transport, made, main) as ends, ends.api() as api:
        assert await api.echo(b"bytes") == b"bytes"
        connection = peers[0].connection
        assert connection is not None
        agreed.append(connection.session.raw_bytes)
    assert says("byte strings, between two ends of this implementation", transport) == (
        "as they are" if agreed[0] else "base64"
    )


@over
async def test_deadlines(transport: Transport, made: DevelopmentCertificate) -> None:
    left: list[bool] = []

    class Timed(Search):
        async def count(self, numbers: list[int]) -> int:
            left.append(time_left() is not None)
            return len(numbers)

    async with serving(transport, made, lambda peer: Timed()) as ends:
        async with ends.search() as search:
            with deadline(60):
                hurried = search.count([1])
            calm = search.count([])
            assert [*await asyncio.gather(hurried, calm)] == [1, 0]
        if transport == "http":  # a batch has one if each of its calls has
            async with ends.search() as search:
                with deadline(60):
                    assert await search.count([]) == 0
    of_each = says("deadlines and metadata", transport) == "of each call"
    assert left == ([True, False] if of_each else [False, False, True])
    assert of_each or says("deadlines and metadata", transport) == "of the batch as a whole"


@over
async def test_calls_that_are_given_up(transport: Transport, made: DevelopmentCertificate) -> None:
    target = Search()

    async def batch() -> None:
        async with ends.search() as search:
            await search.find("x")

    row = says("a call that is given up", transport)
    async with serving(transport, made, lambda peer: target) as ends:
        if transport == "http":
            given_up = asyncio.create_task(batch())
            await target.begun.wait()
            given_up.cancel()
            assert await target.outcome() == "cancelled"
            assert row == "with the batch as a whole"
            return
        async with ends.search() as search:
            found = search.find("x")
            _waiting = asked(found)
            await target.begun.wait()
            found.dispose()
            assert await target.outcome() == "cancelled"
            assert row == "is cancelled, if its method may be"


@over
async def test_who_asks_and_who_is_refused(transport: Transport, made: DevelopmentCertificate) -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> Main:
        peers.append(peer)
        if not peer.cookies:
            raise Refuse(401, "no token")
        return conformance(peer)

    async with serving(transport, made, main) as ends:
        with pytest.raises(ConnectionRefused, match="no token") as refused:
            async with ends.api() as api:
                await api.add(1, 2)
        assert refused.value.status == 401
        async with ends.api(headers={"Cookie": "a=1", "X-Agent": "Ada", "X-Forwarded-For": "192.0.2.1"}) as api:
            await api.add(1, 2)
    peer = peers[-1]
    assert peer.address is not None
    assert (peer.headers["X-Agent"], dict(peer.cookies), peer.path) == ("Ada", {"a": "1"}, "/")
    assert (peer.query, peer.address[0], peer.transport) == ("", "127.0.0.1", transport)
    assert says("who is refused is told the status and the text", transport) == YES
    assert says("`peer.headers`, `cookies`, `path`, `query`, `address`", transport) == YES


@over
async def test_clients_behind_proxies(transport: Transport, made: DevelopmentCertificate) -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> Main:
        peers.append(peer)
        return conformance(peer)

    asked = {"X-Forwarded-For": "192.0.2.1"}
    async with (
        serving(transport, made, main, forwarded=["127.0.0.1"]) as ends,
        ends.api(headers=asked) as api,
    ):
        await api.add(1, 2)
    seen = YES if peers[0].address == ("192.0.2.1", 0) else NO
    assert seen == says("the client behind proxies, with `forwarded=`", transport)


@over
async def test_certificates_of_clients(transport: Transport, made: DevelopmentCertificate) -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> Main:
        peers.append(peer)
        return conformance(peer)

    context: Any = made.certificate
    if transport != "webtransport":  # which takes no context
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=made.authority)
        context.load_cert_chain(made.certificate.chain, made.certificate.key)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    async with serving(transport, made, main, ssl=context) as ends, ends.api() as api:
        await api.add(1, 2)
    assert peers[0].certificate is None  # without one there is none
    told = says("`peer.certificate`, the client's", transport)
    assert told == (NO if transport == "webtransport" else YES)


@over
def test_places_and_encryption(transport: Transport, made: DevelopmentCertificate, tmp_path: Path) -> None:
    def possible(**settings: Any) -> str:
        try:
            _ = serve(conformance, transports=[transport], **settings)
        except ValueError:
            return NO
        return YES

    assert possible(unix=tmp_path / "app.sock", ssl=made.certificate) == says("`unix=`, `sock=`", transport)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert possible(sock=listening, ssl=made.certificate) == says("`unix=`, `sock=`", transport)
    assert possible(port=0) == says("without encryption", transport)


@over
async def test_draining(transport: Transport, made: DevelopmentCertificate) -> None:
    target = Search()
    async with serving(transport, made, lambda peer: target) as ends, ends.search() as busy:
        call = asked(busy.find("x"))
        await target.begun.wait()
        idle = ends.search()
        told: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        (await idle).on_broken(told.set_result)
        draining = asyncio.create_task(ends.server.drain(PATIENCE))
        row = says("the server is drained: a session without calls", transport)
        if transport == "http":
            assert row == NONE
            await asyncio.sleep(0)  # the task has begun
        else:
            error = await told
            assert isinstance(error, GoingAway)
            assert str(error.code) == row.partition(",")[0]
        with pytest.raises(GoingAway) as refused:
            async with ends.search() as late:
                await late.count([])
        assert (refused.value.status, refused.value.retry_after) == (503, 1)
        assert says("the server is drained: a new session", transport) == "503, when to ask again"
        target.may_end.set()
        assert await call == [7]
        await draining


@over
async def test_lasting_sessions_pools_and_several_addresses(transport: Transport, made: DevelopmentCertificate) -> None:
    row = says("connects again, with `reconnect=`; pools; several addresses", transport)
    async with serving(transport, made) as ends:
        nowhere = ends.url.replace(f":{ends.server.port}", ":9")

        async def again() -> None:
            async with ends.api(reconnect=Reconnect()) as api:
                assert await api.add(1, 2) == 3

        async def pooled() -> None:
            async with Pool(ends.url, ConformanceApiStub, size=1, **ends.settings) as pool:
                assert await pool.stub.add(1, 2) == 3

        async def several() -> None:
            async with connect([nowhere, ends.url], ConformanceApiStub, **ends.settings, open_timeout=0.5) as api:
                assert await api.add(1, 2) == 3

        for tried in (again, pooled, several):
            if row == YES:
                await tried()
            else:
                with pytest.raises(ValueError, match=r"session|batch"):
                    await tried()
