"""Byte strings between two ends of ours travel as binary frames, and as base64 to and from anybody else."""

from __future__ import annotations

import contextlib
import json
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

import pytest
from pydantic import BaseModel
from websockets.asyncio.client import connect as stock_connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as stock_serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.core.session import Session
from capnweb_runtime.errors import RpcError, SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server
from capnweb_runtime.transports import frames, memory, websocket
from capnweb_runtime.values import Blob, Response, Uint8ClampedArray
from tests.runtime.stream_example import Depot, DepotStub

LONG = bytes(range(256)) * 8
OTHER = LONG[::-1]
OFFERED = [Subprotocol("capnweb-gen.text"), Subprotocol("capnweb-gen.attachments.1")]
AGREED = OFFERED[1:]


class Photo(BaseModel):
    title: str
    data: bytes
    more: dict[str, list[bytes]] = {}


def encode_photo(value: Photo, to: rpc.Exporter) -> rpc.Wire:
    return {
        "title": rpc.STR.encode(value.title, to),
        "data": rpc.BYTES.encode(value.data, to),
        "more": DICT_BYTES.encode(value.more, to),
    }


def decode_photo(wire: rpc.Wire, source: rpc.Importer) -> Photo:
    fields: dict[str, rpc.Wire] = {
        "title": rpc.STR.read(wire, "title", source),
        "data": rpc.BYTES.read(wire, "data", source),
    }
    rpc.read_optional(fields, "more", wire, "more", DICT_BYTES, source)
    return PHOTO_BUILDER.build(fields, wire, source)


PHOTO_BUILDER = rpc.builder(Photo, "title", "data", "more")
LIST_BYTES = rpc.list_of(rpc.BYTES)
DICT_BYTES = rpc.dict_of(LIST_BYTES)
PHOTO = rpc.model(Photo, encode_photo, decode_photo, lambda: rpc.RpcPromise)
LIST_PHOTO = rpc.list_of(PHOTO)


class AlbumSpec(rpc.Interface):
    join = rpc.method("join", rpc.BYTES, rpc.param("parts", LIST_BYTES))
    swap = rpc.method("swap", LIST_PHOTO, rpc.param("first", PHOTO), rpc.param("second", PHOTO))


class AlbumStub(rpc.Calls, rpc.RpcStub):
    def join(self, parts: Any) -> rpc.RpcPromise[bytes]:
        return self._call(AlbumSpec.join, parts)

    def swap(self, first: Any, second: Any) -> rpc.RpcPromise[list[Photo]]:
        return self._call(AlbumSpec.swap, first, second)


class AlbumTarget(rpc.RpcTarget, spec=AlbumSpec):
    def join(self, parts: list[bytes]) -> bytes:
        return b"".join(parts)

    def swap(self, first: Photo, second: Photo) -> list[Photo]:
        return [second, first]


class Spy:
    """Sees every message that either end writes: its text, and its attachments."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.attached: list[bytes] = []

    def see(self, messages: Iterable[bytes | tuple[bytes, ...]]) -> None:
        for message in messages:
            text, *parts = message if isinstance(message, tuple) else (message,)
            self.texts.append(text.decode())
            self.attached += parts

    def base64(self) -> list[str]:
        return [text for text in self.texts if '"bytes","' in text]


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    seen, framed = Spy(), frames.frames

    def watched(messages: list[bytes | tuple[bytes, ...]], masked: bool) -> list[bytes]:
        seen.see(messages)
        return framed(messages, masked)

    monkeypatch.setattr(websocket, "frames", watched)
    return seen


@contextlib.asynccontextmanager
async def served(target: rpc.RpcTarget | None = None, limits: Limits = DEFAULT_LIMITS) -> AsyncIterator[Server]:
    async with serve(lambda peer: target or Depot(), "127.0.0.1", 0, limits=limits) as server:
        yield server


@contextlib.asynccontextmanager
async def between(target: rpc.RpcTarget | None = None, **options: Any) -> AsyncIterator[DepotStub]:
    async with served(target) as server, connect(server.url, DepotStub, **options) as depot:
        yield depot


class TestBetweenOurOwn:
    async def test_arguments_and_results_are_binary_frames(self, spy: Spy) -> None:
        async with between() as depot:
            assert await depot.echo(LONG) == LONG
        assert spy.attached == [LONG, LONG]
        assert spy.base64() == []

    @pytest.mark.parametrize("length", [0, 1, 255, 256, 65_535, 65_536, 10_000_000])
    async def test_byte_strings_of_every_length_arrive(self, spy: Spy, length: int) -> None:
        data = (LONG * (length // len(LONG) + 1))[:length]
        async with between() as depot:
            assert await depot.echo(data) == data
        assert spy.attached == ([data, data] if length >= 256 else [])

    async def test_nested_values_and_several_at_once(self, spy: Spy) -> None:
        value = {"a": [LONG, {"b": OTHER, "c": b"short"}], "d": LONG + OTHER, "e": "text"}
        async with between() as depot:
            assert await depot.echo(value) == value
        assert len(spy.attached) == 6
        assert spy.base64() != []  # the short one

    async def test_models_lists_and_dicts_of_bytes(self, spy: Spy) -> None:
        first = Photo(title="a", data=LONG, more={"x": [OTHER, b"short"], "y": []})
        second = Photo(title="b", data=OTHER + LONG)
        async with served(AlbumTarget()) as server, connect(server.url, AlbumStub) as album:
            assert await album.swap(first, second) == [second, first]
            assert await album.join([OTHER, b"", LONG]) == OTHER + LONG
            pipelined = album.join([album.join([LONG, LONG]), OTHER])
            assert await pipelined == LONG + LONG + OTHER
        assert len(spy.attached) == 3 + 3 + 2 + 1 + 2 + 1

    async def test_many_small_and_large_ones_in_one_message(self, spy: Spy) -> None:
        values = [bytes([index % 256]) * (index % 600) for index in range(3000)]
        async with between() as depot:
            assert await depot.echo(values) == values
        assert len(spy.attached) == 2 * sum(len(value) >= 256 for value in values)

    async def test_every_container_stays_what_it_is(self, spy: Spy) -> None:
        values = [
            bytearray(LONG),
            memoryview(LONG),
            array("d", [1.5] * 100),
            array("h", [-3] * 1000),
            Uint8ClampedArray(LONG),
        ]
        async with between() as depot:
            for value in values:
                got = await depot.echo(value)
                assert (type(got), got) == (type(value), value)
        assert len(spy.attached) == 2 * len(values)

    async def test_errors_carry_them_in_their_properties(self, spy: Spy) -> None:
        def fail(value: Any) -> None:
            raise RpcError("no", "RangeError", data=LONG)

        async with between(Depot(do=fail)) as depot:
            with pytest.raises(RpcError, match="no") as caught:
                await depot.do(None)
        assert caught.value.props == {"data": LONG}
        assert spy.attached == [LONG]

    async def test_streams_in_both_directions(self, spy: Spy) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for index in range(40):
                yield bytes([index]) * 20_000

        async def collect(stream: Any) -> bytes:
            return b"".join([chunk async for chunk in stream])

        expected = b"".join([chunk async for chunk in chunks()])
        async with between(Depot(take=collect, give=chunks)) as depot:
            assert await depot.take(chunks()) == expected
            assert b"".join([chunk async for chunk in depot.give()]) == expected
        assert len(spy.attached) == 40 + 1 + 40

    async def test_blobs_and_bodies(self, spy: Spy) -> None:
        async with between() as depot:
            blob = await depot.echo(Blob(LONG, "image/png"))
            assert (blob.data, blob.type) == (LONG, "image/png")
            assert (await depot.echo(Response(LONG))).body == LONG
        assert spy.attached == [LONG] * 4

    async def test_values_that_wait_for_promises(self, spy: Spy) -> None:
        async with between() as depot:
            first = depot.echo({"data": LONG})
            assert await depot.echo([first["data"], OTHER, first]) == [LONG, OTHER, {"data": LONG}]
        assert sorted(spy.attached) == sorted([LONG, OTHER, LONG, OTHER])

    async def test_a_mapper_keeps_its_own_as_base64(self, spy: Spy) -> None:
        async with between() as depot:
            got = await depot.echo([1, OTHER]).map(lambda one: depot.echo([one, LONG]))
            assert got == [[1, LONG], [OTHER, LONG]]
        instructions = [text for text in spy.texts if '"remap"' in text]
        assert len(instructions) == 1
        assert '"bytes","' in instructions[0]
        assert spy.attached[0] == OTHER

    async def test_callbacks_into_the_client_carry_them(self, spy: Spy) -> None:
        async def call(function: Any) -> Any:
            return await function(LONG)

        async with between(Depot(do=call)) as depot:
            assert await depot.do(lambda data: data + OTHER) == LONG + OTHER
        assert spy.attached == [LONG, LONG + OTHER, LONG + OTHER]

    async def test_a_lone_surrogate_beside_them_attaches_each_once(self, spy: Spy) -> None:
        async with between() as depot:
            assert await depot.echo([LONG, "\ud800", OTHER]) == [LONG, "\ud800", OTHER]
        assert spy.attached == [LONG, OTHER] * 2


@contextlib.asynccontextmanager
async def stock_server(handler: Callable[[ServerConnection], Awaitable[None]], **options: Any) -> AsyncIterator[str]:
    async with stock_serve(handler, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


async def _echoes(peer: ServerConnection) -> None:
    """Answers every call with its first argument, as its text has it."""
    calls: list[Any] = []
    with contextlib.suppress(ConnectionClosed):
        async for text in peer:
            assert isinstance(text, str), "a binary frame, which nobody has agreed on"
            message = json.loads(text)
            if message[0] == "push":
                calls.append(message[1][3][0])
            elif message[0] == "pull":
                await peer.send(json.dumps(["resolve", message[1], calls[message[1] - 1]]))


def first_offered(_: ServerConnection, offered: Any) -> Any:
    return offered[0] if offered else None


class TestWithOthers:
    @pytest.mark.parametrize(
        "options",
        [{}, {"select_subprotocol": first_offered}],
        ids=["agrees to nothing", "agrees to the first"],
    )
    async def test_a_server_that_does_not_know_us_sees_base64(self, options: dict[str, Any]) -> None:
        async with stock_server(_echoes, **options) as url, connect(url, DepotStub) as depot:
            assert await depot.echo(LONG) == LONG

    async def test_what_is_offered_first_means_nothing(self) -> None:
        seen: list[str] = []

        async def look(peer: ServerConnection) -> None:
            assert peer.request is not None
            seen.append(peer.request.headers["Sec-WebSocket-Protocol"])

        async with stock_server(look) as url:
            connection = await connect(url, DepotStub)
            connection.dispose()
        assert seen == [
            "capnweb-gen.text, capnweb-gen.attachments.1+calls.1, capnweb-gen.attachments.1, capnweb-gen.calls.1"
        ]

    @pytest.mark.parametrize("subprotocols", [None, OFFERED[:1], [Subprotocol("chat")]])
    async def test_a_client_that_does_not_know_us_sees_base64(self, subprotocols: Any) -> None:
        async with served() as server, stock_connect(server.url, subprotocols=subprotocols) as peer:
            assert peer.subprotocol is None
            await peer.send('["push",["pipeline",0,["echo"],[["bytes","AP8"]]]]')
            await peer.send('["pull",1]')
            assert await peer.recv() == '["resolve",1,["bytes","AP8"]]'

    async def test_a_client_that_has_agreed_may_send_base64_all_the_same(self) -> None:
        async with served() as server, stock_connect(server.url, subprotocols=OFFERED) as peer:
            assert peer.subprotocol == OFFERED[1]
            await peer.send('["push",["pipeline",0,["echo"],[["bytes","AP8"]]]]')
            await peer.send('["pull",1]')
            assert await peer.recv() == '["resolve",1,["bytes","AP8"]]'

    async def test_an_applications_own_subprotocol_replaces_ours(self) -> None:
        def chat(_: ServerConnection, offered: Any) -> Any:
            assert offered == ["chat", "v2"]
            return offered[1]

        headers = {"sec-websocket-protocol": "chat, v2"}
        async with (
            stock_server(_echoes, select_subprotocol=chat) as url,
            connect(url, DepotStub, headers=headers) as depot,
        ):
            assert await depot.echo(LONG) == LONG
        async with between(headers=headers) as depot:
            assert await depot.echo(LONG) == LONG

    async def test_a_server_that_refuses_what_it_does_not_know_may_be_offered_nothing(self) -> None:
        def pick(peer: ServerConnection, request: Any) -> Any:
            if "Sec-WebSocket-Protocol" in request.headers:
                return peer.respond(HTTPStatus.BAD_REQUEST, "unknown subprotocol\n")
            return None

        async with stock_server(_echoes, process_request=pick) as url:
            with pytest.raises(SessionClosed, match=r"400 Bad Request \(unknown subprotocol\)"):
                await connect(url, DepotStub)
            async with connect(url, DepotStub, headers={"Sec-WebSocket-Protocol": ""}) as depot:
                assert await depot.echo(LONG) == LONG

    async def test_a_server_that_agrees_to_what_was_not_offered_is_refused(self) -> None:
        async with stock_server(_echoes, select_subprotocol=lambda *_: Subprotocol("chat")) as url:
            with pytest.raises(SessionClosed, match="chat"):
                await connect(url, DepotStub)


class TestOtherTransports:
    async def test_batches_never_have_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Session, "attach_bytes", _unwanted)
        async with served() as server, connect(server.url.replace("ws://", "http://"), DepotStub) as depot:
            assert await depot.echo(LONG) == LONG

    async def test_the_memory_transport_never_has_them(self) -> None:
        a, b = memory.pair(Depot(), None)
        depot = b.main(DepotStub)
        assert await depot.echo(LONG) == LONG
        assert not b.session.raw_bytes
        assert not a.session.raw_bytes
        depot.dispose()
        await b.wait_closed()


def _unwanted(_: Session) -> None:
    raise AssertionError("nobody can have agreed to this")


async def end_of(peer: Any) -> tuple[str, int | None]:
    """The message of the abort that comes, and the code of the close frame."""
    reason = ""
    with contextlib.suppress(ConnectionClosed):
        while True:
            kind, *rest = json.loads(await peer.recv())
            if kind == "abort":
                reason = rest[0][2]
    return reason, peer.close_code


def push(*args: Any) -> str:
    return json.dumps(["push", ["pipeline", 0, ["echo"], list(args)]])


class TestHostilePeers:
    @pytest.mark.parametrize("index", [1, -1, True, 0.5, None, 10**20])
    async def test_an_index_without_an_attachment_is_malformed(self, index: Any) -> None:
        async with served() as server, stock_connect(server.url, subprotocols=AGREED) as peer:
            await peer.send(LONG)
            await peer.send(push(["bytes", index]))
            reason, code = await end_of(peer)
            assert (reason.partition(":")[0], code) == ("unknown special value", 3000)

    async def test_a_frame_that_nobody_agreed_on_is_refused(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await peer.send(LONG)
            assert await end_of(peer) == (
                "Received a binary WebSocket frame; every message is one text frame.",
                3000,
            )

    @pytest.mark.parametrize(("count", "length"), [(1, 10_001), (11, 950), (200, 0)])
    async def test_attachments_without_a_text_are_bounded(self, count: int, length: int) -> None:
        async with (
            served(limits=Limits(message_size=10_000)) as server,
            stock_connect(server.url, subprotocols=AGREED) as peer,
        ):
            with contextlib.suppress(ConnectionClosed):
                for _ in range(count):
                    await peer.send(bytes(length))
                await peer.send("{")  # which ends the session for another reason, if it lives
            reason, code = await end_of(peer)
            assert "exceed" in reason
            assert "10000 bytes" in reason
            assert code == 3000

    async def test_attachments_that_no_text_names_are_forgotten(self) -> None:
        async with served() as server, stock_connect(server.url, subprotocols=AGREED) as peer:
            await peer.send(LONG)
            await peer.send(push(1))
            await peer.send(OTHER)
            await peer.send(push(["bytes", 0]))
            await peer.send('["pull",2]')
            assert await peer.recv() == OTHER
            assert await peer.recv() == '["resolve",2,["bytes",0]]'

    async def test_indices_may_come_in_any_order_and_more_than_once(self) -> None:
        async with served() as server, stock_connect(server.url, subprotocols=AGREED) as peer:
            await peer.send(LONG)
            await peer.send(OTHER)
            await peer.send(push([[["bytes", 1], ["bytes", 0], ["bytes", 1]]]))
            await peer.send('["pull",1]')
            assert [await peer.recv(), await peer.recv()] == [OTHER, LONG]
            assert await peer.recv() == '["resolve",1,[[["bytes",0],["bytes",1],["bytes",0]]]]'

    async def test_attachments_and_texts_may_come_in_fragments(self) -> None:
        async with served() as server, stock_connect(server.url, subprotocols=AGREED) as peer:
            text = push([[["bytes", 1], ["bytes", 0]]])
            await peer.send([LONG[:100], b"", LONG[100:]])
            await (await peer.ping())
            await peer.send(OTHER)
            await peer.send([text[:10], text[10:]])
            await peer.send('["pull",1]')
            assert [await peer.recv(), await peer.recv()] == [OTHER, LONG]
            assert await peer.recv() == '["resolve",1,[[["bytes",0],["bytes",1]]]]'
