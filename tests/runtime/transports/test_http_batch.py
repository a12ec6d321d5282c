"""Both ends of a batch, without HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import RpcError, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.callbacks import CallbackStub
from capnweb_runtime.transports.http_batch import Answer, BatchAnswer, BatchRequest, pieces
from capnweb_runtime.values import Blob
from tests.runtime.transports.example_api import Example, ExampleStub


def split(body: bytes) -> list[bytes]:
    """The messages of a body."""
    return [message for some in pieces(body) for message in some]


def push(name: str, *args: Any) -> str:
    return json.dumps(["push", ["pipeline", 0, [name], list(args)]])


def pull(number: int) -> str:
    return json.dumps(["pull", number])


async def answered(*lines: str, target: Example | None = None) -> list[Any]:
    """The messages of a response."""
    status, body = await BatchAnswer(Connection(target or Example())).answer("\n".join(lines).encode())
    assert status == 200
    return [json.loads(line) for line in split(body)]


async def failed(*lines: str) -> str:
    """The text with which a request fails."""
    status, body = await BatchAnswer(Connection(Example())).answer("\n".join(lines).encode())
    assert status == 500
    return body.decode()


class TestPieces:
    @pytest.mark.parametrize(
        ("body", "messages"),
        [
            (b"", []),
            (b"a", [b"a"]),
            (b"a\nb", [b"a", b"b"]),
            (b"a\n", [b"a", b""]),
            (b"a\r\nb\x0bc\x0cd\xc2\x85e\xe2\x80\xa8f", [b"a\r", b"b\x0bc\x0cd\xc2\x85e\xe2\x80\xa8f"]),
        ],
    )
    def test_only_newlines_separate(self, body: bytes, messages: list[bytes]) -> None:
        assert split(body) == messages

    @pytest.mark.parametrize("rest", [b"", b"\n", b"\n\n", b"x", b"\nx"])
    @pytest.mark.parametrize("length", [1, 65_535, 65_536, 65_537, 200_000])
    def test_so_they_do_in_a_long_body_which_is_split_piece_by_piece(self, length: int, rest: bytes) -> None:
        body = b"\n".join([b"a" * length, b"b" * 70_000, b"c"]) + rest
        assert split(body) == body.split(b"\n")
        assert max(map(len, pieces(b"\n" * 1_000_000))) < 70_000


class TestAnswer:
    async def test_only_pulled_calls_are_answered(self) -> None:
        assert await answered(push("add", 1, 2), push("add", 3, 4), pull(2)) == [["resolve", 2, 7]]

    @pytest.mark.parametrize("length", [300, 60_000])
    async def test_answers_beyond_the_limit_fail_the_request(self, length: int) -> None:
        connection = Connection(Example(), limits=Limits(outbox_bytes=3 * length))
        lines = [line for number in range(1, 6) for line in (push("echo", "x" * length), pull(number))]
        status, body = await BatchAnswer(connection).answer("\n".join(lines).encode())
        assert status == 500
        assert body.decode().startswith(f"Error: The answers to a batch may have {3 * length} bytes")

    async def test_no_messages_give_no_answers(self) -> None:
        assert await answered() == []

    async def test_answers_come_in_the_order_in_which_calls_end(self) -> None:
        target = Example()
        lines = [push("wait", "slow"), pull(1), push("add", 1, 2), pull(2)]
        answering = asyncio.ensure_future(answered(*lines, target=target))
        await target.gates.come("slow").wait()
        target.gates.open("slow").set()
        assert await answering == [["resolve", 2, 3], ["resolve", 1, "slow"]]

    async def test_a_failed_call_is_an_answer(self, caplog: pytest.LogCaptureFixture) -> None:
        assert await answered(push("fail", "no"), pull(1)) == [["reject", 1, ["error", "ValueError", "no"]]]
        assert "Example.fail raised ValueError: no" in caplog.text

    async def test_calls_see_no_task(self) -> None:
        assert await answered(push("taskName"), pull(1)) == [["resolve", 1, "none"]]

    @pytest.mark.parametrize("line", ["", "{", '["what"]', '["pull",9]'])
    async def test_a_malformed_message_fails_the_request_with_its_reason(self, line: str) -> None:
        name, _, message = (await failed(push("add", 1, 2), pull(1), line)).partition(": ")
        assert name.isidentifier()
        assert message

    async def test_a_clients_abort_fails_the_request(self) -> None:
        assert "changed my mind" in await failed('["abort",["error","RangeError","changed my mind"]]')

    async def test_a_call_that_waits_for_the_client_fails_instead_of_hanging(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        messages = await answered(push("apply", ["export", -1], 3), pull(1), push("add", 1, 2), pull(2))
        assert ["resolve", 2, 3] in messages
        rejected = [message for message in messages if message[0] == "reject"]
        assert [number for _, number, _ in rejected] == [1]
        assert "cannot answer within an HTTP batch" in rejected[0][2][2]
        assert not [message for message in messages if message[0] == "pull"]
        assert "Example.apply" in caplog.text

    async def test_a_question_to_the_client_is_not_sent(self) -> None:
        class Asking(Example):
            def apply(self, function: CallbackStub[[int], int], value: int) -> Any:
                # At once, while the request is read.
                self.asked = asyncio.gather(function(value), return_exceptions=True)
                return value

        messages = await answered(push("apply", ["export", -1], 3), pull(1), target=Asking())
        assert [message[0] for message in messages if message[0] in {"push", "pull", "resolve"}] == ["push", "resolve"]

    @pytest.mark.parametrize("promise", ['["promise",-1]', '[ "promise", -1 ]'])
    async def test_a_promise_that_the_request_does_not_resolve_fails_instead_of_hanging(self, promise: str) -> None:
        line = '["push",["pipeline",0,["add"],[' + promise + ",2]]]"
        messages = await answered(line, pull(1))
        rejections = [message for message in messages if message[0] == "reject"]
        assert [number for _, number, _ in rejections] == [1]
        assert "cannot answer within an HTTP batch" in rejections[0][2][2]

    async def test_a_promise_that_the_request_resolves_is_used(self) -> None:
        line = '["push",["pipeline",0,["add"],[["promise",-1],2]]]'
        messages = await answered(line, pull(1), '["resolve",-1,40]')
        assert ["resolve", 1, 42] in messages

    async def test_a_stream_in_a_result_is_refused_with_what_to_use(self, caplog: pytest.LogCaptureFixture) -> None:
        class Streaming(Example):
            def echo(self, value: Any) -> Any:
                return Blob(b"abc") if value == "blob" else count()

        async def count() -> AsyncIterator[int]:
            yield 1

        for value in ("stream", "blob"):
            messages = await answered(push("echo", value), pull(1), push("add", 1, 2), pull(2), target=Streaming())
            assert [message[:2] for message in messages] == [["reject", 1], ["resolve", 2]]
            assert "cannot be read within an HTTP batch" in messages[0][2][2]
            assert "ws://" in messages[0][2][2]
        assert caplog.text == ""

    async def test_a_stream_that_the_request_does_not_end_fails_instead_of_hanging(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Reading(Example):
            async def echo(self, value: Any) -> Any:
                return [chunk async for chunk in value]

        lines = ['["pipe"]', push("echo", ["readable", 1]), '["stream",["pipeline",1,["write"],[7]]]', pull(2)]
        async with asyncio.timeout(60):
            messages = await answered(*lines, target=Reading())
        [rejection] = [message for message in messages if message[:2] == ["reject", 2]]
        assert "nor go on with a stream" in rejection[2][2]
        close = '["stream",["pipeline",1,["close"],[]]]'
        assert ["resolve", 2, [[7]]] in await answered(*lines, close, target=Reading())

    async def test_data_that_looks_like_a_promise_is_data(self) -> None:
        for data in ([["promise", -1]], '["promise",-1]'):  # an array, escaped by a second one, and a text
            assert await answered(push("echo", data), pull(1)) == [["resolve", 1, data]]

    async def test_data_that_looks_like_a_question_is_data(self) -> None:
        assert await answered(push("echo", [["pull", 1]]), pull(1)) == [["resolve", 1, [["pull", 1]]]]

    async def test_the_main_object_is_disposed_once_the_response_can_be_sent(self) -> None:
        disposed: list[bool] = []

        class Disposable(Example):
            def dispose(self) -> None:
                disposed.append(True)

        await answered(push("add", 1, 2), target=Disposable())
        assert disposed == []
        await asyncio.sleep(0)
        assert disposed == [True]

    async def test_the_main_object_of_a_request_that_failed_is_disposed_too(self) -> None:
        connection = Connection(Example())
        assert (await BatchAnswer(connection).answer(b"{"))[0] == 500
        await asyncio.sleep(0)
        assert connection.closed

    async def test_a_request_that_is_given_up_ends_its_session(self) -> None:
        target = Example()
        connection = Connection(target)
        body = f"{push('wait', 'slow')}\n{pull(1)}".encode()
        answering = asyncio.ensure_future(BatchAnswer(connection).answer(body))
        await target.gates.come("slow").wait()
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        assert connection.closed
        assert str(connection.session.reason) == "Batch RPC request ended."
        connection.host.cancel_all()


DID_NOT_ANSWER = "it did not answer the call; is it a Cap'n Web server?"

Post = Callable[[bytes], Awaitable[Answer]]


def answer(body: bytes) -> Answer:
    return Answer(body, 200, "OK", "http://user:secret@example.org/rpc")


class FakeServer:
    """Answers batches with a session of its own and keeps what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[list[Any]] = []
        self.error: Exception | None = None

    async def post(self, body: bytes) -> Answer:
        self.bodies.append([json.loads(line) for line in split(body)])
        if self.error is not None:
            raise self.error
        return answer((await BatchAnswer(Connection(Example())).answer(body))[1])


def batch(post: Post) -> tuple[Connection, BatchRequest, ExampleStub]:
    connection = Connection()
    return connection, BatchRequest(connection, post), connection.main(ExampleStub)


def awaiting(promise: Awaitable[int]) -> asyncio.Task[int]:
    """A task that awaits the promise; a promise alone is not asked for until something does."""

    async def wait() -> int:
        return await promise

    return asyncio.create_task(wait())


class TestRequest:
    async def test_awaits_that_are_gathered_share_one_request(self) -> None:
        server = FakeServer()
        connection, _, api = batch(server.post)

        async def inner() -> int:
            return await api.add(5, 6)

        async def outer() -> int:
            return await asyncio.ensure_future(inner())

        assert list(await asyncio.gather(api.add(1, 2), api.add(3, 4), outer())) == [3, 7, 11]
        assert len(server.bodies) == 1
        await connection.wait_closed()

    async def test_calls_before_the_first_await_travel_along(self) -> None:
        server = FakeServer()
        _, _, api = batch(server.post)
        three = api.add(1, 2)
        assert await api.add(three, 4) == 7
        assert [message[0] for message in server.bodies[0]] == ["push", "push", "pull"]

    async def test_nothing_is_sent_before_something_is_awaited(self) -> None:
        server = FakeServer()
        connection, request, api = batch(server.post)
        promise = api.add(1, 2)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not request.sent
        assert request.buffered() > 0
        assert await promise == 3
        assert request.sent
        assert request.buffered() == 0
        await connection.wait_closed()

    async def test_what_is_awaited_later_fails_with_a_hint(self) -> None:
        server = FakeServer()
        _, _, api = batch(server.post)
        assert await api.add(1, 2) == 3
        with pytest.raises(SessionClosed, match=r"Batch RPC request ended\..*asyncio\.gather"):
            await api.add(3, 4)

    async def test_what_is_awaited_while_the_request_is_under_way_fails_with_a_hint(self) -> None:
        arrived, go_on = asyncio.Event(), asyncio.Event()
        server = FakeServer()

        async def post(body: bytes) -> Answer:
            arrived.set()
            await go_on.wait()
            return await server.post(body)

        _, _, api = batch(post)
        first = awaiting(api.add(1, 2))
        await arrived.wait()
        second = awaiting(api.add(3, 4))
        await asyncio.sleep(0)
        go_on.set()
        assert await first == 3
        with pytest.raises(SessionClosed, match="Batch RPC request ended"):
            await second

    async def test_a_failed_request_fails_every_call(self) -> None:
        server = FakeServer()
        server.error = SessionClosed("RPC request failed: 503 Service Unavailable")
        connection, _, api = batch(server.post)
        results = await asyncio.gather(api.add(1, 2), api.add(3, 4), return_exceptions=True)
        assert [str(error) for error in results] == ["RPC request failed: 503 Service Unavailable"] * 2
        await connection.wait_closed()

    async def test_a_rejected_call_fails_alone(self, caplog: pytest.LogCaptureFixture) -> None:
        _, _, api = batch(FakeServer().post)
        good, bad = await asyncio.gather(api.add(1, 2), api.fail("no"), return_exceptions=True)
        assert good == 3
        assert isinstance(bad, ValueError)

    async def test_a_blank_line_in_the_response_fails_what_is_open(self) -> None:
        async def post(body: bytes) -> Answer:
            return answer(b'["resolve",1,3]\n')

        _, _, api = batch(post)
        good, bad = await asyncio.gather(api.add(1, 2), api.add(3, 4), return_exceptions=True)
        assert good == 3
        assert "not valid JSON" in str(bad)

    async def test_ending_the_session_gives_the_request_up(self) -> None:
        arrived = asyncio.Event()
        given_up: list[bool] = []

        async def post(body: bytes) -> Answer:
            arrived.set()
            try:
                await asyncio.get_running_loop().create_future()
                return answer(b"")
            finally:
                given_up.append(True)

        connection, _, api = batch(post)
        call = awaiting(api.add(1, 2))
        await arrived.wait()
        api.dispose()
        with pytest.raises(SessionClosed, match="disposing the main stub"):
            await call
        await connection.wait_closed()
        await asyncio.sleep(0)
        assert given_up == [True]

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"", f"and nothing more: {DID_NOT_ANSWER}"),
            (b'["resolve",2,3]', "with messages that do not answer the call"),
            (b"<!doctype html>\n<p>", f"(<!doctype html>) and no messages: {DID_NOT_ANSWER}"),
            (b"\x1b[2Jcleared\nmore", f"(\\x1b[2Jcleared) and no messages: {DID_NOT_ANSWER}"),
        ],
    )
    async def test_a_server_that_does_not_answer_the_call_is_told_with_what_it_said(
        self, body: bytes, why: str
    ) -> None:
        async def post(_: bytes) -> Answer:
            return answer(body)

        connection, _, api = batch(post)
        with pytest.raises(SessionClosed) as caught:
            await api.add(1, 2)
        said = "RPC request to http://example.org/rpc failed: the server answered 200 OK "
        assert str(caught.value) == said + why
        assert (caught.value.url, caught.value.status) == ("http://example.org/rpc", 200)
        await connection.wait_closed()

    async def test_what_is_called_after_an_answer_without_the_call_has_the_hint(self) -> None:
        async def post(_: bytes) -> Answer:
            return answer(b"")

        _, _, api = batch(post)
        with pytest.raises(SessionClosed, match="nothing more"):
            await api.add(1, 2)
        with pytest.raises(SessionClosed, match=r"Batch RPC request ended\..*asyncio\.gather"):
            await api.add(1, 2)

    async def test_calls_that_nobody_awaits_are_sent_at_the_end(self) -> None:
        server = FakeServer()
        _, request, api = batch(server.post)
        ignored = api.add(1, 2)
        await request.send_rest()
        assert [message[0] for message in server.bodies[0]] == ["push"]
        await request.send_rest()
        assert len(server.bodies) == 1
        with pytest.raises(SessionClosed):
            await ignored

    async def test_nothing_is_sent_at_the_end_if_nothing_was_called(self) -> None:
        server = FakeServer()
        _, request, api = batch(server.post)
        await request.send_rest()
        assert server.bodies == []
        api.dispose()

    async def test_an_abort_before_the_request_sends_none(self) -> None:
        server = FakeServer()
        connection, _, api = batch(server.post)
        call = awaiting(api.add(1, 2))
        await asyncio.sleep(0)
        connection.abort(RpcError("changed my mind"))
        with pytest.raises(RpcError, match="changed my mind"):
            await call
        await connection.wait_closed()
        assert server.bodies == []
