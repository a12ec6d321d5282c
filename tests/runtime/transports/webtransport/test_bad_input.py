"""Whatever a client of WebTransport sends costs its own session at most: the server serves on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from capnweb_runtime import connect
from capnweb_runtime.errors import GoingAway, SessionClosed
from capnweb_runtime.limits import Limits, ServerLimits
from capnweb_runtime.serving import bounds, webtransport_server
from capnweb_runtime.serving.server import Server
from capnweb_runtime.transports.webtransport import end
from capnweb_runtime.transports.webtransport.capsules import close_session
from capnweb_runtime.transports.webtransport.end import NO_SESSION, SESSION_GONE
from capnweb_runtime.transports.webtransport.quic import WINDOW
from tests.runtime.transports.example_api import ExampleStub
from tests.runtime.transports.webtransport.raw_webtransport import RawWebTransport, raw_webtransport
from tests.runtime.transports.webtransport.test_sessions import serving, to, trusting

CALL = b'["push",["pipeline",0,["add"],[1,2]]]\n["pull",1]\n'
ANSWER = b'["resolve",1,3]'
GREASE = bytes.fromhex("5f9703010203")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw client does not say goodbye, and nobody waits for that."""
    monkeypatch.setattr(end, "REASON_DELAY", 0.02)


@asynccontextmanager
async def with_session(server: Server) -> AsyncIterator[tuple[RawWebTransport, int]]:
    """A session with a stream on which a call has been answered; afterwards, whatever happened, the server serves."""
    async with raw_webtransport(server.port) as raw:
        assert await raw.ask() == 200
        stream = raw.stream()
        raw.write(stream, CALL)
        assert await raw.line(stream) == ANSWER
        yield raw, stream
    async with to(server.http_url) as api:
        assert await api.add(1, 2) == 3


@asynccontextmanager
async def with_session_alone(server: Server) -> AsyncIterator[None]:
    """A session, and nothing afterwards."""
    async with raw_webtransport(server.port) as raw:
        assert await raw.ask() == 200
        yield


async def emptied(server: Server) -> None:
    """Waits until the server has no connection any more, which it is asked at the end of each that it had."""
    gone = asyncio.Event()
    server._bounds.on_room = lambda: gone.set() if not server._bounds.connections else None
    async with asyncio.timeout(10):
        if server._bounds.connections:
            await gone.wait()


async def test_text_may_be_cut_anywhere() -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        await raw.ask()
        stream = raw.stream()
        for byte in b'["push",["pipeline",0,["echo"],["\xc3\xa4"]]]\n\n\n["pull",1]\n':
            raw.write(stream, bytes([byte]))
        assert (await raw.line(stream)).decode() in {'["resolve",1,"ä"]', '["resolve",1,"\\u00e4"]'}


async def test_a_client_need_not_wait_for_the_answer() -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        asked = asyncio.create_task(raw.ask())
        await raw.until(lambda: raw.http.received_settings)
        await asyncio.sleep(0)
        stream = raw.stream()
        raw.write(stream, CALL)
        assert await asked == 200
        assert await raw.line(stream) == ANSWER


@pytest.mark.parametrize("one_way", [False, True])
async def test_a_second_stream_is_reset_and_the_session_stays(one_way: bool) -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, stream):
        other = raw.stream(one_way=one_way)
        raw.write(other, CALL)
        if not one_way:
            assert await raw.until(lambda: raw.resets.get(other)) == SESSION_GONE
        raw.write(stream, b'["push",["pipeline",0,["add"],[3,4]]]\n["pull",2]\n')
        assert await raw.line(stream) == b'["resolve",2,7]'


async def test_a_stream_of_another_session_is_reset() -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, _):
        foreign = raw.stream(1024)
        raw.write(foreign, CALL)
        assert await raw.until(lambda: raw.resets.get(foreign)) == NO_SESSION


async def test_the_signal_of_a_stream_on_the_request_ends_the_connection() -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        await raw.ask()
        raw.write(0, bytes.fromhex("404100") + CALL)
        assert "request" in (await raw.until(lambda: raw.ended)).reason_phrase


@pytest.mark.parametrize(
    ("what", "headers", "status"),
    [
        ("GET", {}, 501),
        ("CONNECT", {"protocol": "websocket"}, 501),
        ("CONNECT", {"path": "/other"}, 404),
        ("CONNECT", {"origin": "https://evil.example"}, 403),
        ("CONNECT", {"origin": "null"}, 403),
        ("CONNECT", {"origin": "https://localhost:444"}, 403),
        ("CONNECT", {"origin": "https://localhost.evil.example"}, 403),
        ("CONNECT", {"origin": "http://localhost"}, 403),
        ("CONNECT", {"origin": "https://LOCALHOST.EVIL.EXAMPLE."}, 403),
        ("CONNECT", {"authority": "evil.example"}, 421),
        ("CONNECT", {"authority": "evil.example", "origin": "https://evil.example"}, 421),
    ],
)
async def test_who_may_not_have_a_session_is_told_the_status(what: str, headers: dict[str, str], status: int) -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        asked = {"authority": "localhost", **headers}
        assert await raw.ask(asked.pop("path", "/"), method=what, **asked) == status
        assert await raw.ask() == 200  # on the same connection


@pytest.mark.parametrize("origin", ["https://localhost", "https://LocalHost.", "https://localhost:443"])
async def test_pages_of_the_servers_own_may_have_one_however_they_are_written(origin: str) -> None:
    async with serving(close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        assert await raw.ask(origin=origin) == 200


async def test_names_that_a_server_was_not_told_of_are_not_answered_to() -> None:
    async with serving(hosts=["example.org"], close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        assert await raw.ask(authority="localhost") == 421
        assert await raw.ask(authority="example.org") == 200


async def test_sessions_are_counted_whatever_their_transport() -> None:
    limits = ServerLimits(sessions=1)
    transports = ["websocket", "webtransport"]
    async with (
        serving(close_timeout=0.02, server_limits=limits, transports=transports) as server,
        connect(server.url, ExampleStub, ssl=trusting()) as first,
        raw_webtransport(server.port) as raw,
    ):
        assert await first.add(1, 2) == 3
        assert await raw.ask() == 503


async def test_a_connection_has_one_session() -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, _):
        assert await raw.ask() == 429


async def test_capsules_that_are_unknown_or_cut_are_no_trouble() -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, stream):
        for byte in GREASE * 3:
            raw.capsule(bytes([byte]))
        raw.write(stream, b'["push",["pipeline",0,["add"],[3,4]]]\n["pull",2]\n')
        assert await raw.line(stream) == b'["resolve",2,7]'
        raw.capsule(close_session(7, "bye"), ends=True)
        await raw.until(lambda: raw.ended)


@pytest.mark.parametrize("capsule", ["684303000000", "6843bfffffff", "68430600000007ff00"])
async def test_one_that_is_not_well_formed_ends_the_connection(capsule: str) -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, _):
        raw.capsule(bytes.fromhex(capsule))
        assert (await raw.until(lambda: raw.ended)).error_code == 0x10E


async def test_a_stream_that_ends_in_the_middle_of_a_message_ends_the_connection() -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, stream):
        raw.write(stream, b'["push",', ends=True)
        assert "middle of a message" in (await raw.until(lambda: raw.ended)).reason_phrase


async def test_a_reset_in_the_middle_of_a_line_ends_the_session() -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, stream):
        raw.write(stream, b'["push",')
        raw.reset(stream)
        await raw.until(lambda: raw.ended)


async def test_a_line_without_end_is_refused_as_it_arrives() -> None:
    async with (
        serving(limits=Limits(message_size=50_000), close_timeout=0.02) as server,
        with_session(server) as (raw, stream),
    ):
        raw.write(stream, b'["push",["' + b"x" * 60_000)
        assert b"exceeds maximum size of 50000 bytes" in await raw.line(stream)
        await raw.until(lambda: raw.ended)


async def test_a_line_that_has_begun_counts_as_held_until_it_ends() -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, stream):
        [connection] = server._admission.connections
        held = connection.session.held
        raw.write(stream, b'["push",["pipeline",0,["echo"],["' + b"x" * 50_000)
        await raw.until(lambda: held.unfinished > 50_000)
        raw.write(stream, b'"]]]\n["pull",2]\n')
        await raw.line(stream)
        assert held.unfinished == 0


async def test_who_comes_beyond_the_connections_of_a_server_is_told_that_it_is_busy() -> None:
    limits = ServerLimits(connections=1)
    async with serving(close_timeout=0.02, server_limits=limits) as server:
        async with with_session_alone(server):
            with pytest.raises(GoingAway, match="The server is busy") as busy:
                await to(server.http_url)
            assert (busy.value.status, busy.value.retry_after) == (503, 10)
            assert server.stats().connections.refused == 1
        await emptied(server)
        async with to(server.http_url) as api:
            assert await api.add(1, 2) == 3


async def test_where_there_are_too_many_of_them_they_are_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "REFUSED_AT_A_TIME", 0)
    limits = ServerLimits(connections=1)
    async with serving(close_timeout=0.02, server_limits=limits) as server, with_session_alone(server):
        with pytest.raises(SessionClosed, match="no answer within"):
            await to(server.http_url, open_timeout=0.3)
        assert server.stats().connections.now == 1


async def test_connections_of_one_address_are_counted_whatever_their_transport() -> None:
    limits = ServerLimits(connections_per_address=1)
    transports = ["websocket", "webtransport"]
    async with serving(close_timeout=0.02, server_limits=limits, transports=transports) as server:
        async with connect(server.url, ExampleStub, ssl=trusting()) as first:
            assert await first.add(1, 2) == 3
            with pytest.raises(GoingAway, match="The server is busy"):
                await to(server.http_url)
        await emptied(server)
        async with to(server.http_url) as api:
            assert server.stats().connections_per_address.now == 1
            with pytest.raises(GoingAway, match="The server is busy"):
                await connect(server.url, ExampleStub, ssl=trusting())
            assert await api.add(1, 2) == 3


async def test_who_has_begun_the_most_goes_when_all_together_have_begun_too_much() -> None:
    limits, server_limits = Limits(message_size=60_000), ServerLimits(unfinished_bytes=60_000)
    async with serving(limits=limits, server_limits=server_limits, close_timeout=0.02) as server:
        async with raw_webtransport(server.port) as more, raw_webtransport(server.port) as less:
            sessions = []
            for raw, size in ((more, 40_000), (less, 30_000)):
                await raw.ask()
                stream = raw.stream()
                raw.write(stream, b"[" + b"x" * size)
                sessions.append(stream)
                if raw is more:
                    await raw.until(lambda: server.stats().unfinished_bytes.now > 40_000)
            assert b"The server is busy" in await more.line(sessions[0])
            await more.until(lambda: (1013).to_bytes(4, "big") in more.request)
            assert less.ended is None
            less.write(sessions[1], b"\n")
            assert (await less.line(sessions[1])).startswith(b'["abort",["error","SyntaxError"')
        assert server.stats().unfinished_bytes.refused == 1


async def test_what_does_not_go_on_is_ended_in_time() -> None:
    limits = ServerLimits(unfinished_seconds=0.1)
    async with serving(server_limits=limits, close_timeout=0.02) as server, with_session(server) as (raw, stream):
        raw.write(stream, b'["push",')
        assert b"did not go on" in await raw.line(stream)
        await raw.until(lambda: (3000).to_bytes(4, "big") in raw.request)


@pytest.mark.parametrize("text", [b"\xff\xfe\n", b"[\n", b"{}\n", b'["no kind of mine"]\n'])
async def test_what_is_no_message_ends_the_session_with_an_abort(text: bytes) -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, stream):
        raw.write(stream, text)
        assert (await raw.line(stream)).startswith(b'["abort",')
        await raw.until(lambda: raw.ended)


async def test_a_client_that_knows_of_the_end_may_close_the_connection_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webtransport_server, "REASON_DELAY", 60)
    async with serving() as server, with_session(server) as (raw, stream):
        raw.write(stream, b"[\n")
        assert (await raw.line(stream)).startswith(b'["abort",')
        await raw.until(lambda: raw.request)
        raw.capsule(b"", ends=True)
        await raw.ping()
        await raw.ping()  # the answer to the first may come before what the end leads to
        assert raw.ended is None
        raw.close()


async def test_for_one_that_does_not_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webtransport_server, "REASON_DELAY", 0.02)
    async with serving() as server, with_session(server) as (raw, stream):
        raw.write(stream, b"[\n")
        await raw.until(lambda: raw.request)
        raw.capsule(b"", ends=True)
        await raw.until(lambda: raw.ended)


async def test_who_never_asks_is_closed_in_time() -> None:
    async with serving(request_timeout=0.05, close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        await raw.until(lambda: raw.ended)


async def test_what_comes_while_a_session_waits_stays_with_the_client_but_for_a_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(close_timeout=0.02) as server, with_session(server) as (raw, stream):
        [connection] = server._admission.connections
        received: list[int] = []
        connection.host.line.on_wait(True)  # as when something of it waits for its turn
        monkeypatch.setattr(connection, "received", lambda messages: received.append(sum(map(len, messages))))
        raw.write(stream, b"\n".join([b"x" * 999] * 5000))
        sent = raw._quic._streams[stream]
        await raw.until(lambda: sent.sender.highest_offset == sent.max_stream_data_remote)
        assert sum(received) <= WINDOW
        connection.host.line.on_wait(False)
        await raw.until(lambda: sent.sender.highest_offset > 5_000_000)


async def test_packets_that_are_none_are_ignored() -> None:
    async with serving(close_timeout=0.02) as server:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", server.port)
        )
        for packet in (b"", b"x", b"\xc0" * 1200, b"\xff" * 1500, b"\x00" * 20):
            transport.sendto(packet)
        async with to(server.http_url) as api:
            assert await api.add(1, 2) == 3
        transport.close()
