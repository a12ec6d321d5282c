"""An observer that replaces errors replaces them all: by none of the ways by which the text of an error can leave does
what it was meant to mask. WAYS lists them; each is tried with the observer, and without it to see that it is a way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.errors import LimitExceeded, RpcError
from capnweb_runtime.limits import Limits
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.peer import Peer, Refuse
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server

SECRET = "hunter2"
MASK = "This is not for you."


class Masking(Observer):
    def __init__(self) -> None:
        self.asked: list[BaseException] = []

    def target_failed(self, where: str, error: BaseException) -> None:
        pass

    def sending_error(self, error: BaseException) -> BaseException:
        self.asked.append(error)
        return RpcError(MASK)


class Sink(rpc.WritableTarget[Any]):
    def write(self, chunk: Any) -> None:
        raise ValueError(SECRET)


class Spec(rpc.Interface):
    fail = rpc.method("fail", rpc.NONE)
    fail_later = rpc.method("fail_later", rpc.NONE)
    held = rpc.prop("held", rpc.INT)
    give = rpc.method("give", rpc.ANY, rpc.param("how", rpc.STR))
    take = rpc.method("take", rpc.NONE, rpc.param("number", rpc.INT))
    wrong = rpc.method("wrong", rpc.INT)
    read = rpc.method("read", rpc.NONE, rpc.param("chunks", rpc.stream_of(rpc.INT)))
    end = rpc.method("end", rpc.NONE)


class Target(rpc.RpcTarget, spec=Spec):
    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def fail(self) -> None:
        raise ValueError(SECRET)

    async def fail_later(self) -> None:
        raise ValueError(SECRET)

    @property
    def held(self) -> int:
        raise ValueError(SECRET)

    def give(self, how: str) -> Any:
        error = ValueError(SECRET)
        if how == "property":
            return RpcError(SECRET, why=error)
        if how == "cause":
            error.__cause__ = ValueError(SECRET)
        if how == "group":
            return ExceptionGroup(SECRET, [error])
        return Sink() if how == "sink" else chunks() if how == "stream" else [error]

    def take(self, number: int) -> None: ...

    def wrong(self) -> Any:
        return SECRET

    async def read(self, chunks: Any) -> None:
        async for _ in chunks:
            await chunks.cancel(ValueError(SECRET))

    def end(self) -> None:
        assert self.peer.connection is not None
        self.peer.connection.abort(LimitExceeded(SECRET))


async def chunks() -> AsyncIterator[int]:
    yield 1
    raise ValueError(SECRET)


def refusing(peer: Peer) -> Target:
    raise Refuse(403, SECRET)


async def refusing_later(peer: Peer) -> Target:
    raise Refuse(403, SECRET)


def failing(peer: Peer) -> Target:
    raise ValueError(SECRET)


async def over_websocket(server: Server, *messages: Any) -> str:
    """All that a client is sent, up to the end of the session, or to an answer with an error."""
    heard: list[str] = []
    try:
        async with stock_connect(server.url) as peer:
            for message in messages:
                await peer.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
            with contextlib.suppress(ConnectionClosed):
                while not (heard and any(text in heard[-1] for text in (SECRET, MASK)) and _is_no_abort(heard[-1])):
                    heard.append(str(await peer.recv()))
            heard.append(f"{peer.close_code} {peer.close_reason}")
    except InvalidStatus as refused:
        heard.append(bytes(refused.response.body).decode())
    return "\n".join(heard)


async def over_http(server: Server, *messages: Any) -> str:
    body = "\n".join(message if isinstance(message, str) else json.dumps(message) for message in messages)
    async with aiohttp.ClientSession() as client, client.post(server.http_url, data=body) as response:
        return await response.text()


def _is_no_abort(message: str) -> bool:
    kind: str = json.loads(message)[0]
    return kind != "abort"


def calls(*messages: Any) -> list[Any]:
    """Calls of which the last is asked for."""
    return [*messages, ["pull", len(messages)]]


def call(*path_and_arguments: Any) -> list[Any]:
    path, *arguments = path_and_arguments
    return ["push", ["pipeline", 0, [path], arguments]]


WRITES = [["stream", ["pipeline", 1, ["write"], [1]]], ["stream", ["pipeline", 1, ["write"], [2]]]]
Ask = Callable[..., Awaitable[str]]
WAYS: dict[str, tuple[Ask, list[Any]]] = {
    "what a method raises": (over_websocket, calls(call("fail"))),
    "what a coroutine raises": (over_websocket, calls(call("fail_later"))),
    "what a getter raises": (over_websocket, calls(["push", ["pipeline", 0, ["held"]]])),
    "what a map asks for": (
        over_websocket,
        calls(["push", [[1]]], ["push", ["remap", 1, [], [["import", 0]], [["pipeline", -1, ["fail"], []]]]]),
    ),
    "an argument of the wrong type": (over_websocket, calls(call("take", SECRET))),
    "a result of the wrong type": (over_websocket, calls(call("wrong"))),
    "an error that is a value": (over_websocket, calls(call("give", "value"))),
    "an error that is a property of one": (over_websocket, calls(call("give", "property"))),
    "an error that is the cause of one": (over_websocket, calls(call("give", "cause"))),
    "an error that is in a group": (over_websocket, calls(call("give", "group"))),
    "the end of a stream": (over_websocket, [call("give", "stream"), ["pull", 1], ["resolve", -1, None]]),
    "a write that fails": (over_websocket, [call("give", "sink"), *WRITES]),
    "a malformed message": (over_websocket, [["push", [SECRET, 1]]]),
    "text that is no message": (over_websocket, [f"{SECRET}"]),
    "a bound that is passed": (over_websocket, [["push", "x" * 3000]]),
    "a session that the application ends": (over_websocket, [call("end")]),
    "a binary frame": (over_websocket, [b"binary"]),
    "a batch's answer": (over_http, [call("fail"), ["pull", 1]]),
    "a batch's malformed message": (over_http, [["push", [SECRET, 1]]]),
    "a batch that the application ends": (over_http, [call("end"), ["pull", 1]]),
}
"""What is asked over which transport."""
OF_OUR_OWN = {
    "text that is no message": "not valid JSON",
    "a bound that is passed": "maximum size",
    "a binary frame": "Received a binary",
}
"""What errors say that have no text of the application's."""


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_masked_leaves_by_no_way(way: str) -> None:
    ask, messages = WAYS[way]
    text = OF_OUR_OWN.get(way, SECRET)
    observer = Masking()
    async with asyncio.timeout(30):
        async with serve(Target, "127.0.0.1", 0, errors="all", limits=Limits(message_size=2000)) as server:
            assert text in await ask(server, *messages)
        async with serve(
            Target, "127.0.0.1", 0, errors="all", limits=Limits(message_size=2000), observer=observer
        ) as server:
            heard = await ask(server, *messages)
    assert text not in heard
    assert MASK in heard


@pytest.mark.parametrize("ask", [over_websocket, over_http])
@pytest.mark.parametrize("factory", [refusing, refusing_later])
async def test_the_text_of_a_refusal_is_masked_too(factory: Any, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "capnweb_runtime.server")
    async with serve(factory, "127.0.0.1", 0) as server:
        assert await ask(server) == f"{SECRET}\n"
    async with serve(factory, "127.0.0.1", 0, observer=Masking()) as server:
        assert await ask(server) == f"{MASK}\n"
    assert sum(f": 403 {SECRET}" in record.getMessage() for record in caplog.records) == 2  # ours says why


@pytest.mark.parametrize("ask", [over_websocket, over_http])
async def test_nothing_is_told_of_a_factory_that_fails(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(failing, "127.0.0.1", 0) as server:
        assert await ask(server) == "The session could not be started.\n"


@pytest.mark.parametrize("way", ["a session that the application ends", "a batch that the application ends"])
async def test_of_the_reason_for_which_a_session_ends_the_observer_is_asked_once(way: str) -> None:
    ask, messages = WAYS[way]
    observer = Masking()
    async with serve(Target, "127.0.0.1", 0, observer=observer) as server:
        await ask(server, *messages)
    assert sum(isinstance(error, LimitExceeded) for error in observer.asked) == 1


async def test_what_may_not_leave_does_not_in_a_close_frame_or_a_body_either(caplog: pytest.LogCaptureFixture) -> None:
    class Ending(Target):
        def end(self) -> None:
            assert self.peer.connection is not None
            self.peer.connection.abort(KeyError(SECRET))

    async with serve(Ending, "127.0.0.1", 0) as server:
        heard = await over_websocket(server, call("end")) + await over_http(server, call("end"), ["pull", 1])
    assert SECRET not in heard
    assert heard.count("the server's log says why, under reference") == 3
    assert SECRET in caplog.text
