"""No text of a stranger can forge a line of the log, hide one on a terminal, or make one that cannot be written: each
line is driven with hostile text, and each call that logs is one of a logger that sees to it.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import InvalidStatus

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.driving.connection import wire_logger
from capnweb_runtime.errors import RpcError, from_wire, say_whose
from capnweb_runtime.objects.promise_face import Unseen
from capnweb_runtime.observe import Observer, error_for_peer, logger, logger_named, tell_ended, tell_failed
from capnweb_runtime.serving.peer import Peer, PeerHeaders, Refuse
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server
from capnweb_runtime.transports.memory import pair
from tests.project.sources import modules, parse
from tests.runtime.transports.example_api import Example, ExampleStub

FORGED = "ERROR:root:forged"
HOSTILE = {
    "a line break": f"x\n{FORGED}",
    "other line breaks": f"x\r{FORGED}\x0b{FORGED}\x0c{FORGED}\x85{FORGED}\u2028{FORGED}\u2029{FORGED}",
    "escape sequences": f"x\x1b[2K\x1b[1A{FORGED}\x9b2J\x07\x08",
    "bidi controls": f"x\u202e{FORGED}\u2066\u200f\ufeff",
    "a lone surrogate": f"x\ud800\udc00\udfff{FORGED}",
    "percent signs": "%s %d %(name)s %",
    "length": f"x{FORGED}" * 20_000,
    "nul": f"\0{FORGED}",
}
EACH = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


class Lines(logging.Handler):
    """Keeps what a log file would have."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []
        self.setFormatter(logging.Formatter(logging.BASIC_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        if record.name not in ("websockets.client", "websockets.server"):  # of the test's own client
            self.records.append(self.format(record))

    def check(self, *said: str) -> None:
        """Each record is a line, with the lines of its traceback indented, that can be written and is what it seems."""
        for text in self.records:
            first, *rest = text.split("\n")
            assert first.partition(":")[0] in ("DEBUG", "INFO", "WARNING", "ERROR")
            assert first.partition(":")[2].startswith(("capnweb_runtime", "websockets"))
            assert all(line.startswith("    ") for line in rest)
            assert all(line.isprintable() for line in (first, *rest))
            assert len(first) < 4200
            text.encode()
        for words in said:
            assert any(words in text for text in self.records), words


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    loggers = [logging.getLogger(name) for name in ("capnweb_runtime", "websockets")]
    for one in loggers:
        one.addHandler(handler)
        one.setLevel(logging.DEBUG)
    yield handler
    for one in loggers:
        one.removeHandler(handler)
        one.setLevel(logging.NOTSET)


def test_every_call_that_logs_is_one_of_a_logger_that_escapes() -> None:
    made = set()
    for path in modules("capnweb_runtime"):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("getLogger"):
                made.add(path.name)
    assert made == {"observe.py"}


@EACH
class TestObservers:
    def test_what_a_target_raised(self, text: str, lines: Lines) -> None:
        try:
            try:
                raise RpcError(text, text, prop=text)
            except RpcError as cause:
                cause.add_note(text)
                raise KeyError(text) from cause
        except KeyError as error:
            tell_failed(Observer(), "Target.method", error)
            tell_failed(Observer(), text, error)
        lines.check("Target.method raised KeyError")

    def test_what_a_peer_raised(self, text: str, lines: Lines) -> None:
        error = from_wire(text, text)
        say_whose(error, text)
        tell_failed(Observer(), "Target.method", error)
        tell_failed(Observer(), "Target.method", ExceptionGroup(text, [error]))
        lines.check("Target.method raised")

    def test_what_an_observer_raised(self, text: str, lines: Lines) -> None:
        class Failing(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                raise ValueError(text)

            def session_ended(self, reason: BaseException) -> None:
                raise ValueError(text)

            def sending_error(self, error: BaseException) -> BaseException:
                raise ValueError(text)

        tell_failed(Failing(), text, ValueError(text))
        tell_ended(Failing(), ValueError(text))
        error_for_peer(Failing(), ValueError(text))
        lines.check("target_failed raised", "session_ended raised", "sending_error raised")

    def test_what_nobody_awaited(self, text: str, lines: Lines) -> None:
        Unseen(RpcError(text, text), "<a promise>")
        lines.check("and nobody awaited it")

    def test_any_other_line_of_a_logger_of_ours(self, text: str, lines: Lines) -> None:
        logger_named("capnweb_runtime.another").warning("a line with %s", text)
        logger.warning(text)
        logger.warning("a line with %(key)s", {"key": text})
        lines.check("a line with")


async def raw(server: Server, request: bytes) -> None:
    """A request as it is, and its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    writer.write_eof()
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def in_head(text: str) -> bytes:
    """As it may stand in the head of a request: without line breaks."""
    return text.encode("utf-8", "surrogatepass").replace(b"\n", b"\x01").replace(b"\r", b"\x01")[:8000]


UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
Request = Callable[[bytes], bytes]
REQUESTS: dict[str, Request] = {
    "a path": lambda text: b"POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" % text,
    "a path of a websocket": lambda text: b"GET /%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (text, UPGRADE % KEY),
    "a name": lambda text: b"POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n" % text,
    "a name of a websocket": lambda text: b"GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (text, UPGRADE % KEY),
    "an origin": lambda text: b"POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\nContent-Length: 0\r\n\r\n" % text,
    "an origin of a websocket": lambda text: (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\n%s\r\n" % (text, UPGRADE % KEY)
    ),
    "a key": lambda text: b"GET / HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (UPGRADE % text),
    "a header": lambda text: b"GET / HTTP/1.1\r\nHost: localhost\r\n%s: x\r\n%s\r\n" % (text, UPGRADE % KEY),
    "a method": lambda text: b"%s / HTTP/1.1\r\nHost: localhost\r\n\r\n" % text,
    "a version": lambda text: b"GET / %s\r\nHost: localhost\r\n\r\n" % text,
    "a length": lambda text: b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\n\r\n" % text,
    "a chunk": lambda text: b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n" % text,
}


@EACH
@pytest.mark.parametrize("where", REQUESTS)
async def test_what_stands_in_a_request(where: str, text: str, lines: Lines) -> None:
    async with serve(Example, "127.0.0.1", 0, path="/rpc" if "path" in where else "/") as server:
        await raw(server, REQUESTS[where](in_head(text)))
    lines.check()


@EACH
async def test_what_a_factory_says_of_what_it_was_given(text: str, lines: Lines) -> None:
    def factory(peer: Peer) -> Example:
        raise Refuse(403, text) if peer.transport == "http" else ValueError(text)

    async with serve(factory, "127.0.0.1", 0) as server:
        await raw(server, REQUESTS["a path"](b""))
        with pytest.raises(InvalidStatus):
            await stock_connect(server.url)
    lines.check("403 ", "could not be made")


@EACH
async def test_what_stands_in_messages_and_close_frames(text: str, lines: Lines) -> None:
    async with serve(Example, "127.0.0.1", 0) as server:
        async with stock_connect(server.url) as peer:
            await peer.send(json.dumps(["push", ["pipeline", 0, [text], [text]]]))
            await peer.send(json.dumps(["push", ["pipeline", 0, ["fail"], [text]]]))
            await peer.send(json.dumps(["pull", 1]))
            await peer.send(json.dumps(["pull", 2]))
            await peer.recv()
            await peer.recv()
            await peer.close(3001, text.encode("utf-8", "replace")[:100].decode("utf-8", "ignore"))
        async with stock_connect(server.url) as peer:
            await peer.send(json.dumps(["abort", ["error", text, text]]))
            await peer.wait_closed()
        async with stock_connect(server.url) as peer:
            await peer.send(json.dumps([text, 1]))
            await peer.wait_closed()
    lines.check("Example.fail raised", "ended: ", "<- push")


@EACH
async def test_what_a_stream_fails_with(text: str, lines: Lines) -> None:
    async def chunks() -> AsyncIterator[int]:
        yield 1
        raise KeyError(text)

    client, _ = pair(None, Example(Peer(PeerHeaders(), None, "/", "", "websocket")))
    stub = client.main(ExampleStub)
    stream: Any = await stub.echo(chunks())
    with pytest.raises(Exception):  # noqa: B017, PT011  (whatever has become of it)
        async for _ in stream:
            pass
    stub.dispose()
    await client.wait_closed()
    lines.check("raised KeyError")


@EACH
async def test_what_a_server_says_to_a_client(text: str, lines: Lines) -> None:
    class Observing(Observer):
        def session_ended(self, reason: BaseException) -> None:
            logger.info("ended: %s", reason)

    async with (
        serve(Example, "127.0.0.1", 0) as server,
        connect(server.url, ExampleStub, observer=Observing()) as stub,
    ):
        [failed] = await asyncio.gather(stub.fail(text), return_exceptions=True)
        assert isinstance(failed, ValueError)
    lines.check("ended: ")


def test_the_loggers_are_those_that_escape() -> None:
    assert {one.name for one in (logger, wire_logger)} == {"capnweb_runtime", "capnweb_runtime.wire"}
