"""connect(), against servers of this package; foreign servers are in the tests of the transports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.errors import DisposedError, LimitExceeded, RpcError, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.peer import Peer
from capnweb_runtime.serving.serve import serve
from tests.runtime.transports.example_api import Example, ExampleStub


class TestWebSocket:
    async def test_leaving_the_block_ends_the_session_on_both_sides(self) -> None:
        disposed = asyncio.Event()

        class Watched(Example):
            def dispose(self) -> None:
                disposed.set()

        async with serve(Watched, "127.0.0.1", 0) as server:
            async with connect(server.url, ExampleStub) as api:
                assert await api.add(1, 2) == 3
            await disposed.wait()
            with pytest.raises((SessionClosed, DisposedError)):
                await api.add(1, 2)

    async def test_calls_that_nobody_awaits_are_sent_before_the_end(self) -> None:
        echoed = asyncio.Event()

        class Watched(Example):
            def echo(self, value: Any) -> Any:
                echoed.set()

        async with serve(Watched, "127.0.0.1", 0) as server:
            async with connect(server.url, ExampleStub) as api:
                ignored = api.echo("hello")
            await echoed.wait()
            del ignored

    async def test_without_a_block_the_stub_is_the_callers(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server:
            api = await connect(server.url, ExampleStub)
            assert list(await asyncio.gather(api.add(1, 2), api.add(api.add(3, 4), 5))) == [3, 12]
            api.dispose()

    async def test_a_callback_is_called(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server, connect(server.url, ExampleStub) as api:
            assert await api.apply(lambda value: value * 10, 4) == 40

    async def test_headers_reach_the_server(self) -> None:
        peers: list[Peer] = []

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Example(peer)

        headers = {"Authorization": "Bearer abc"}
        async with serve(main, "127.0.0.1", 0) as server:
            async with connect(server.url, ExampleStub, headers=headers) as api:
                await api.add(1, 2)
            async with connect(server.http_url, ExampleStub, headers=headers) as api:
                await api.add(1, 2)
        assert [(peer.headers["authorization"], peer.transport) for peer in peers] == [
            ("Bearer abc", "websocket"),
            ("Bearer abc", "http"),
        ]

    async def test_a_failure_inside_the_block_still_ends_the_session(self) -> None:
        disposed = asyncio.Event()

        class Watched(Example):
            def dispose(self) -> None:
                disposed.set()

        async with serve(Watched, "127.0.0.1", 0) as server:
            with contextlib.suppress(ZeroDivisionError):
                async with connect(server.url, ExampleStub) as api:
                    await api.add(1, 2)
                    raise ZeroDivisionError
            await disposed.wait()

    async def test_what_waits_fails_when_the_server_ends(self) -> None:
        come = asyncio.Event()

        class Signalling(Example):
            async def wait(self, gate: str) -> str:
                come.set()
                return await super().wait(gate)

        server = await serve(Signalling, "127.0.0.1", 0)
        async with connect(server.url, ExampleStub) as api:
            waiting = asyncio.gather(api.wait("gate"), return_exceptions=True)
            await come.wait()
            await server.close()
            (error,) = await waiting
            assert isinstance(error, SessionClosed)
            assert "shutting down" in str(error)

    async def test_limits_hold_for_what_the_server_sends(self) -> None:
        async with (
            serve(Example, "127.0.0.1", 0) as server,
            connect(server.url, ExampleStub, limits=Limits(message_size=100)) as api,
        ):
            with pytest.raises(LimitExceeded, match="exceeds maximum size of 100 bytes"):
                await api.echo("x" * 200)

    async def test_a_failing_callback_is_told_to_the_observer(self) -> None:
        told: list[BaseException] = []

        class Listening(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                told.append(error)

        def fails(value: int) -> int:
            raise ValueError("no")

        async with (
            serve(Example, "127.0.0.1", 0, observer=Listening()) as server,
            connect(server.url, ExampleStub, observer=Listening()) as api,
        ):
            with pytest.raises(ValueError, match="no"):
                await api.apply(fails, 1)
        assert [str(error) for error in told] == ["no", "no"]


class TestBatch:
    async def test_one_block_is_one_request(self) -> None:
        peers: list[Peer] = []

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Example(peer)

        async with serve(main, "127.0.0.1", 0) as server, connect(server.http_url, ExampleStub) as api:
            assert list(await asyncio.gather(api.add(1, 2), api.add(api.add(3, 4), 5))) == [3, 12]
            with pytest.raises(SessionClosed, match=r"Batch RPC request ended\..*asyncio\.gather"):
                await api.add(1, 2)
        assert len(peers) == 1

    async def test_calls_that_nobody_awaits_are_sent_on_leaving(self) -> None:
        echoed: list[Any] = []

        class Watched(Example):
            def echo(self, value: Any) -> Any:
                echoed.append(value)

        async with serve(Watched, "127.0.0.1", 0) as server:
            async with connect(server.http_url, ExampleStub) as api:
                ignored = api.echo("hello")
            assert echoed == ["hello"]
            with contextlib.suppress(ZeroDivisionError):
                async with connect(server.http_url, ExampleStub) as api:
                    ignored = api.echo("not sent")
                    raise ZeroDivisionError
            del ignored
        assert echoed == ["hello"]

    async def test_a_refusal_fails_every_call(self) -> None:
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            url = f"http://127.0.0.1:{server.port}/other"
            async with connect(url, ExampleStub) as api:
                results = await asyncio.gather(api.add(1, 2), api.add(3, 4), return_exceptions=True)
        said = "the server answered 404 Not Found (Nothing is served at /other.)"
        assert [str(error) for error in results] == [f"RPC request to {url} failed: {said}"] * 2
        assert all(isinstance(error, SessionClosed) and (error.url, error.status) == (url, 404) for error in results)

    async def test_a_callback_cannot_be_answered_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        async with serve(Example, "127.0.0.1", 0) as server, connect(server.http_url, ExampleStub) as api:
            with pytest.raises(Exception, match="cannot answer within an HTTP batch"):
                await api.apply(lambda value: value, 1)

    async def test_a_stream_cannot_be_read_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        async def count() -> AsyncIterator[int]:
            yield 1

        class Streaming(Example):
            def echo(self, value: Any) -> Any:
                return count()

        async with serve(Streaming, "127.0.0.1", 0) as server, connect(server.http_url, ExampleStub) as api:
            with pytest.raises(RpcError, match=r"cannot be read within an HTTP batch.*ws://"):
                await api.echo(1)
        assert caplog.text == ""

    async def test_a_stream_that_goes_on_after_the_request_was_sent_fails_its_call_only(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        sent = asyncio.Event()

        async def count() -> AsyncIterator[int]:
            yield 1
            await sent.wait()
            yield 2

        class Reading(Example):
            async def echo(self, value: Any) -> Any:
                sent.set()
                return [chunk async for chunk in value]

        async with (
            asyncio.timeout(60),
            serve(Reading, "127.0.0.1", 0) as server,
            connect(server.http_url, ExampleStub) as api,
        ):
            results = await asyncio.gather(api.echo(count()), api.add(1, 2), return_exceptions=True)
        assert "nor go on with a stream" in str(results[0])
        assert results[1] == 3
        assert "a stream raised" not in caplog.text

    @pytest.mark.parametrize("answer", [b"200 OK", b"204 No Content"])
    async def test_a_server_that_answers_nothing_is_told_with_the_url_and_the_status(self, answer: bytes) -> None:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 " + answer + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async with connect(url, ExampleStub) as api:
                with pytest.raises(SessionClosed) as caught:
                    await api.add(1, 2)
        assert (caught.value.url, caught.value.status) == (url, int(answer[:3]))
        assert f"the server answered {answer.decode()} and nothing more: it did not answer the call" in str(
            caught.value
        )


class TestConnecting:
    @pytest.mark.parametrize("url", ["localhost:8080", "ftp://localhost/", "", "wss//localhost"])
    def test_an_unknown_scheme_is_refused_with_those_that_are_known(self, url: str) -> None:
        with pytest.raises(ValueError, match="ws://, wss://, http:// or https://"):
            _ = connect(url, ExampleStub)

    async def test_no_server_is_told_with_the_url(self) -> None:
        with pytest.raises(SessionClosed, match=r"cannot connect to ws://127\.0\.0\.1:1/rpc: "):
            _ = await connect("ws://127.0.0.1:1/rpc", ExampleStub)

    async def test_a_main_object_that_nobody_will_call_is_disposed(self) -> None:
        disposed: list[bool] = []

        class Watched(Example):
            def dispose(self) -> None:
                disposed.append(True)

        with pytest.raises(SessionClosed, match="cannot connect"):
            await connect("ws://127.0.0.1:1/", ExampleStub, main=Watched())
        assert disposed == [True]

    async def test_stats_count_what_the_session_has_done(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server:
            connecting = connect(server.url, ExampleStub)
            with pytest.raises(RuntimeError, match="has not been opened"):
                connecting.stats()
            async with connecting as api:
                three = api.add(1, 2)
                assert await api.add(three, 4) == 7
                assert connecting.stats().round_trips == 1

    async def test_one_connect_is_one_session(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server:
            connecting = connect(server.url, ExampleStub)
            async with connecting:
                with pytest.raises(RuntimeError, match="call it again for another"):
                    await connecting
