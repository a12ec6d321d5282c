"""What a mount says to an ASGI server, without one: messages in, messages out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime import Limits, Peer, Refuse, ServerLimits
from capnweb_runtime.mounts.asgi import CapnwebASGI
from capnweb_runtime.mounts.socket_session import HIGH_WATER
from tests.runtime.mounts.office import OfficeTarget

ADD = '["push",["pipeline",0,["add"],[1,2]]]'


class Client:
    """The server's side of one request: what it says, and what it is told.

    Parameters:
        app: the application.
        kind: of the scope.
        scope: what is not as usual in it.
    """

    def __init__(self, app: Callable[..., Any], kind: str, **scope: Any) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.read_on = asyncio.Event()  # more than one message was asked for
        self.received = 0
        usual = {"type": kind, "path": "/", "headers": [], "query_string": b"", "method": "POST", "http_version": "1.1"}
        self.task = asyncio.create_task(app({**usual, **scope}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        message = await self.incoming.get()
        self.received += 1
        if self.received > 1:
            self.read_on.set()
        return message

    async def _send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        self.outgoing.put_nowait(message)

    def say(self, kind: str, **message: Any) -> None:
        self.incoming.put_nowait({"type": kind, **message})

    async def told(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.outgoing.get(), 10)

    async def end(self) -> None:
        await asyncio.wait_for(self.task, 10)


def socket_of(app: Callable[..., Any], **scope: Any) -> Client:
    client = Client(app, "websocket", **scope)
    client.say("websocket.connect")
    return client


async def accepted(app: Callable[..., Any], **scope: Any) -> Client:
    client = socket_of(app, **scope)
    assert (await client.told())["type"] == "websocket.accept"
    return client


class TestHandshakes:
    async def test_without_the_extension_a_refusal_closes_before_accepting(self) -> None:
        def nobody(peer: Peer) -> OfficeTarget:
            raise Refuse(401, "no")

        client = socket_of(CapnwebASGI(nobody))
        assert (await client.told())["type"] == "websocket.close"
        await client.end()

    async def test_with_it_status_headers_and_text_are_told(self) -> None:
        def nobody(peer: Peer) -> OfficeTarget:
            raise Refuse(401, "no", {"WWW-Authenticate": "Bearer"})

        client = socket_of(CapnwebASGI(nobody), extensions={"websocket.http.response": {}})
        start, body = await client.told(), await client.told()
        assert (start["status"], body["body"]) == (401, b"no\n")
        assert (b"www-authenticate", b"Bearer") in start["headers"]
        await client.end()

    async def test_a_client_that_goes_away_cancels_the_factory(self) -> None:
        cancelled = asyncio.Event()

        async def slow(peer: Peer) -> OfficeTarget:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            raise AssertionError

        client = socket_of(CapnwebASGI(slow))
        client.say("websocket.disconnect", code=1006)
        await asyncio.wait_for(cancelled.wait(), 10)
        await client.end()
        assert client.outgoing.empty()

    async def test_what_is_sent_before_the_answer_is_not_lost(self) -> None:
        go_on = asyncio.Event()

        async def slow(peer: Peer) -> OfficeTarget:
            await go_on.wait()
            return OfficeTarget(peer)

        client = socket_of(CapnwebASGI(slow))
        client.say("websocket.receive", text=ADD)
        client.say("websocket.receive", text='["pull",1]')
        await asyncio.wait_for(client.read_on.wait(), 10)
        go_on.set()
        assert (await client.told())["type"] == "websocket.accept"
        assert (await client.told())["text"] == '["resolve",1,3]'
        client.say("websocket.disconnect", code=1000)
        await client.end()

    async def test_bytes_travel_in_frames_of_their_own_where_that_is_agreed(self) -> None:
        wanted = "capnweb-gen.attachments.1"
        client = socket_of(CapnwebASGI(OfficeTarget), subprotocols=["other", wanted])
        assert (await client.told())["subprotocol"] == wanted
        client.say("websocket.receive", bytes=b"x" * 1000)
        client.say("websocket.receive", text='["push",["pipeline",0,["echo"],[["bytes",0]]]]')
        client.say("websocket.receive", text='["pull",1]')
        assert (await client.told())["bytes"] == b"x" * 1000
        assert (await client.told())["text"] == '["resolve",1,["bytes",0]]'
        client.say("websocket.disconnect", code=1000)
        await client.end()


class TestSessions:
    async def test_no_call_sees_the_task_that_reads(self) -> None:
        seen: list[object] = []

        class Office(OfficeTarget):
            def add(self, a: int, b: int) -> int:
                seen.append(asyncio.current_task())
                return a + b

        client = await accepted(CapnwebASGI(Office))
        client.say("websocket.receive", text=ADD)
        client.say("websocket.receive", text='["pull",1]')
        await client.told()
        assert seen == [None]
        client.say("websocket.disconnect", code=1000)
        await client.end()

    async def test_who_does_not_read_is_not_read_from_and_all_is_there_in_the_end(self) -> None:
        client = await accepted(CapnwebASGI(OfficeTarget))
        client.reads.clear()
        before = OfficeTarget.made
        for number in range(1, 101):
            client.say("websocket.receive", text=f'["push",["pipeline",0,["paper"],[{HIGH_WATER}]]]')
            client.say("websocket.receive", text=f'["pull",{number}]')
        for _ in range(1000):
            await asyncio.sleep(0)
        assert OfficeTarget.made - before < 10
        client.reads.set()
        for number in range(1, 101):
            assert (await client.told())["text"].startswith(f'["resolve",{number},')
        client.say("websocket.disconnect", code=1000)
        await client.end()

    async def test_a_message_that_is_too_long_ends_the_session_with_an_abort(self) -> None:
        client = await accepted(CapnwebASGI(OfficeTarget, limits=Limits(message_size=1000)))
        client.say("websocket.receive", text="x" * 1001)
        assert "exceeds maximum size of 1000 bytes" in (await client.told())["text"]
        assert (await client.told())["code"] == 3000
        await client.end()

    async def test_a_server_that_cannot_send_any_more_ends_the_session(self) -> None:
        app = CapnwebASGI(OfficeTarget)

        async def fails(message: Any) -> None:
            if message["type"] == "websocket.send":
                raise OSError("gone")

        client = Client(lambda scope, receive, send: app(scope, receive, fails), "websocket")
        client.say("websocket.connect")
        client.say("websocket.receive", text=ADD)
        client.say("websocket.receive", text='["pull",1]')
        await client.end()
        assert app.stats().sessions.now == 0


class TestEnds:
    async def test_closing_tells_clients_and_waits_for_those_that_do_not_read_only_so_long(self) -> None:
        app = CapnwebASGI(OfficeTarget, close_timeout=0.0)
        reading, stuck = await accepted(app), await accepted(app)
        stuck.reads.clear()
        await asyncio.wait_for(app.aclose(), 10)
        last = await reading.told()
        assert (last["type"], last["code"]) == ("websocket.close", 1012)
        await stuck.end()
        late = Client(app, "http")
        assert (await late.told())["status"] == 503

    async def test_an_application_that_is_nothing_else_has_a_lifespan(self) -> None:
        app = CapnwebASGI(OfficeTarget)
        client = Client(app, "lifespan")
        client.say("lifespan.startup")
        assert (await client.told())["type"] == "lifespan.startup.complete"
        session = await accepted(app)
        client.say("lifespan.shutdown")
        assert (await session.told())["code"] == 1012
        assert (await client.told())["type"] == "lifespan.shutdown.complete"
        await client.end()

    async def test_other_scopes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no ASGI scope of the type 'other'"):
            await Client(CapnwebASGI(OfficeTarget), "other").end()


class TestBatches:
    async def test_a_client_that_goes_away_ends_its_batch(self) -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def slow(peer: Peer) -> OfficeTarget:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError

        client = Client(CapnwebASGI(slow), "http")
        client.say("http.request", body=b"", more_body=False)
        await asyncio.wait_for(begun.wait(), 10)
        client.say("http.disconnect")
        await client.end()
        assert ended.is_set()
        assert client.outgoing.empty()

    async def test_a_body_in_pieces_is_one_batch_and_a_long_one_is_refused_without_being_read(self) -> None:
        app = CapnwebASGI(OfficeTarget, limits=Limits(message_size=100))
        client = Client(app, "http")
        for piece, more in ((ADD[:9].encode(), True), (b"", True), (f'{ADD[9:]}\n["pull",1]'.encode(), False)):
            client.say("http.request", body=piece, more_body=more)
        assert (await client.told())["status"] == 200
        assert (await client.told())["body"] == b'["resolve",1,3]'
        for headers, pieces in (([(b"content-length", b"101")], 0), ([], 2)):
            client = Client(app, "http", headers=headers)
            for _ in range(pieces):
                client.say("http.request", body=b"x" * 60, more_body=True)
            assert (await client.told())["status"] == 413
            await client.end()
        assert app.stats().held_bytes.now == 0
        assert app.stats().unfinished_bytes.now == 0

    @pytest.mark.parametrize("pieces", [[], [b"["]], ids=["nothing", "a piece"])
    async def test_a_body_that_does_not_go_on_is_given_up(self, pieces: list[bytes]) -> None:
        app = CapnwebASGI(OfficeTarget, server_limits=ServerLimits(unfinished_seconds=0.05))
        client = Client(app, "http")
        for piece in pieces:
            client.say("http.request", body=piece, more_body=True)
        assert (await client.told())["status"] == 408
        await client.end()
        assert (app.stats().unfinished_bytes.now, app.stats().held_bytes.now) == (0, 0)

    async def test_a_body_that_is_cut_off_is_no_batch(self) -> None:
        app = CapnwebASGI(OfficeTarget)
        client = Client(app, "http")
        client.say("http.request", body=ADD.encode(), more_body=True)
        client.say("http.disconnect")
        await client.end()
        assert client.outgoing.empty()
        assert (app.stats().unfinished_bytes.now, app.stats().held_bytes.now) == (0, 0)
