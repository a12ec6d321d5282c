"""What lines of a log have of the call in which they are written, by `logging` and by structlog."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from capnweb_runtime import AnyStub, CallInfo, Peer, RpcError, connect, in_thread, serve
from capnweb_runtime.serving.peer import peer_of
from capnweb_runtime.telemetry.logs import CALL_ID, PEER, REQUEST_ID, SESSION_ID, ContextFilter, LogContext
from tests.runtime.telemetry.answering import PATIENCE, Answering, SearchStub, joined, until

HOSTILE = ["x\nERROR:root:forged", "\x1b[2Kx", "x y", "", "ü", "x" * 129, "\ud800", 'x"}', "x\u202ey"]


class Lines(logging.Handler):
    """Keeps lines as a log file has them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.addFilter(ContextFilter())
        self.setFormatter(logging.Formatter("%(request_id)s %(session_id)s %(call_id)s [%(peer)s] %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logging.root.addHandler(handler)
    yield handler
    logging.root.removeHandler(handler)


def ids() -> dict[str, Any]:
    """What structlog puts into a line."""
    return dict(structlog.contextvars.merge_contextvars(None, "info", {}))


async def served(context: LogContext, call: CallInfo) -> dict[str, Any]:
    """What is around a call that is served."""

    async def end(call: CallInfo) -> dict[str, Any]:
        return ids()

    return await asyncio.create_task(context(call, end))


def call_of(*headers: tuple[str, str], **metadata: str) -> CallInfo:
    peer = peer_of(headers, ("127.0.0.1", 5), "/rpc", "websocket")
    given = {name.replace("_", "-"): value for name, value in metadata.items()}
    return CallInfo("Search", "count", served=True, peer=peer, session="ab12", metadata=given)


class TestWhatStandsAround:
    async def test_structlog_and_logging_have_the_same_ids(self, lines: Lines) -> None:
        def look() -> dict[str, Any]:
            logging.getLogger("app").warning("counting")
            return ids()

        target = Answering(look)
        async with joined(target, serving=[LogContext()]) as search:
            await search.count([1])
        first, second = target.seen
        assert first == second
        assert first.keys() == {"call_id", "session_id", "request_id", "peer"}
        assert re.fullmatch(r"127\.0\.0\.1:\d+ over websocket at /", first["peer"])
        assert first["call_id"].startswith(first["session_id"] + "-")
        expected = f"{first['request_id']} {first['session_id']} {first['call_id']} [{first['peer']}] counting"
        assert lines.lines == [expected, expected]

    async def test_each_call_has_an_id_of_its_own_and_sessions_have_theirs(self) -> None:
        target, context = Answering(ids), LogContext()
        for _ in range(2):
            async with joined(target, serving=[context]) as search:
                await asyncio.gather(*(search.count([]) for _ in range(3)))
        calls, sessions, requests = (
            [one[name] for one in target.seen] for name in ("call_id", "session_id", "request_id")
        )
        assert len({*calls}) == len({*requests}) == 6
        assert len({*sessions}) == 2

    async def test_streams_and_threads_are_in_it_too(self) -> None:
        class Threaded(Answering):
            @in_thread
            def find(self, word: str, limit: int = 10) -> list[int]:
                self.seen.append(self.look())
                return []

        target = Threaded(ids)
        async with joined(target, serving=[LogContext()]) as search:
            assert [number async for number in await search.follow("x")] == [0, 1]
            assert len({one["call_id"] for one in target.seen}) == 1
            await search.find("x")
        assert len({one["call_id"] for one in target.seen}) == 2

    async def test_so_is_the_line_that_says_how_a_method_has_failed(self, lines: Lines) -> None:
        async with joined(Answering(), serving=[LogContext()]) as search:
            with pytest.raises(RpcError, match="reference"):
                await search.find("trouble")
        (line,) = lines.lines
        first, *traceback = line.split("\n")
        assert re.match(r"[0-9a-f]{32} [0-9a-f]+ [0-9a-f]+-1 \[127\.0\.0\.1:\d+ over websocket at /\] ", first)
        assert "KeyError" in first
        assert traceback
        assert all(text.startswith("    ") for text in traceback)

    async def test_what_a_method_declares_is_no_line(self, lines: Lines) -> None:
        async with joined(Answering(), serving=[LogContext()]) as search:
            with pytest.raises(Exception, match="no end"):
                await search.find("everything")
        assert lines.lines == []

    async def test_what_is_logged_of_the_session_has_no_call(
        self, lines: Lines, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "capnweb_runtime.server")
        async with joined(Answering(), serving=[LogContext()]) as search:
            await asyncio.gather(search.count([]), search.find("x"))
            assert [number async for number in await search.follow("x")] == [0, 1]
        await until(lambda: any("session of" in line for line in lines.lines))
        assert all(line.startswith("- - - [-] ") for line in lines.lines)

    def test_where_there_is_no_call_there_is_a_dash(self, lines: Lines) -> None:
        logging.getLogger("app").error("starting")
        logging.getLogger("app").error("with its own", extra={"call_id": "mine"})
        assert lines.lines == ["- - - [-] starting", "- - mine [-] with its own"]

    async def test_a_client_that_is_called_back_sees_the_server_without_the_query(self) -> None:
        seen: list[dict[str, Any]] = []

        def on_hit(number: int, *, last: bool = False) -> bool:
            seen.append(ids())
            return True

        async with (
            serve(lambda peer: Answering(), "127.0.0.1", 0, path="/rpc") as server,
            connect(f"{server.url}?token=secret", SearchStub, interceptors=[LogContext()]) as search,
        ):
            await search.each("x", on_hit)
        assert [one["peer"] for one in seen] == [server.url]


class TestRequests:
    async def test_an_id_that_came_with_the_call_is_kept(self) -> None:
        assert (await served(LogContext(), call_of(request_id="abc-1.2")))["request_id"] == "abc-1.2"
        other = LogContext(key="rid")
        assert (await served(other, call_of(rid="abc")))["request_id"] == "abc"

    async def test_else_one_of_the_request_that_opened_the_session(self) -> None:
        call = call_of(("X-Request-ID", "r-7"))
        assert (await served(LogContext(), call))["request_id"] == "r-7"
        other = LogContext(header="X-Amzn-Trace-Id")
        trace = "Root=1-67891233-abcdef012345678912345678"
        assert (await served(other, call_of(("X-Amzn-Trace-Id", trace))))["request_id"] == trace

    async def test_else_what_stood_around_the_session(self) -> None:
        token = REQUEST_ID.set("from-middleware")
        assert (await served(LogContext(), call_of()))["request_id"] == "from-middleware"
        REQUEST_ID.reset(token)

    async def test_else_one_is_made(self) -> None:
        made = [(await served(LogContext(), call_of()))["request_id"] for _ in range(2)]
        assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)
        assert made[0] != made[1]

    @pytest.mark.parametrize("text", HOSTILE)
    async def test_what_no_line_should_have_is_not_kept(self, text: str) -> None:
        for call in (call_of(request_id=text), call_of(("X-Request-ID", text))):
            assert re.fullmatch("[0-9a-f]{32}", (await served(LogContext(), call))["request_id"])

    async def test_it_goes_with_the_calls_that_are_made_meanwhile(self) -> None:
        last = Answering(ids)
        async with joined(last, [LogContext()], [LogContext()]) as behind:

            class Between(Answering):
                async def count(self, numbers: list[int]) -> int:
                    self.seen.append(ids())
                    return await behind.count(numbers)

            between = Between()
            async with joined(between, serving=[LogContext()], headers={"X-Request-ID": "r-1"}) as search:
                await search.count([1])
        assert {one["request_id"] for one in (*between.seen, *last.seen)} == {"r-1"}
        assert between.seen[0]["call_id"] != last.seen[0]["call_id"]

    async def test_a_call_that_is_made_outside_of_any_request_carries_none(self) -> None:
        carried: list[dict[str, str]] = []

        async def look(call: CallInfo, proceed: Any) -> Any:
            carried.append(dict(call.metadata))
            return await proceed(call)

        async with joined(Answering(), [LogContext()], [look]) as search:
            await search.count([])
        assert carried == [{}]


class TestStructlog:
    async def test_a_context_that_structlog_has_cleared_is_an_empty_one(self, lines: Lines) -> None:
        async with joined(Answering(), [LogContext()], [LogContext()]) as behind:

            class Clearing(Answering):
                async def count(self, numbers: list[int]) -> int:
                    structlog.contextvars.clear_contextvars()
                    logging.getLogger("app").warning("cleared")
                    return await behind.count(numbers)

            async with joined(Clearing(), serving=[LogContext()]) as search:
                assert await search.count([1]) == 1
        assert lines.lines == ["- - - [-] cleared"]

    async def test_what_a_method_binds_is_its_own(self) -> None:
        class Binding(Answering):
            async def find(self, word: str, limit: int = 10) -> list[int]:
                structlog.contextvars.bind_contextvars(word=word)
                await asyncio.sleep(0)
                self.seen.append(ids())
                return []

        target = Binding()
        async with joined(target, serving=[LogContext()]) as search:
            await asyncio.gather(search.find("x"), search.find("y"))
        assert [one["word"] for one in target.seen] == ["x", "y"]
        assert target.seen[0]["call_id"] != target.seen[1]["call_id"]
        assert ids() == {}

    def test_a_line_of_json_has_them(self) -> None:
        tokens = [(one, one.set("x")) for one in (CALL_ID, SESSION_ID, REQUEST_ID, PEER)]
        written: list[str] = []

        class Writing:
            def info(self, text: str) -> None:
                written.append(text)

        processors: list[Any] = [structlog.contextvars.merge_contextvars, structlog.processors.JSONRenderer()]
        structlog.wrap_logger(Writing(), processors=processors).info("here")
        (line,) = written
        assert json.loads(line) == {"event": "here"} | dict.fromkeys(
            ("call_id", "session_id", "request_id", "peer"), "x"
        )
        for variable, token in tokens:
            variable.reset(token)


async def test_a_path_with_escape_sequences_is_a_line(lines: Lines) -> None:
    target = Answering()
    target.look = lambda: logging.getLogger("app").warning("here")

    def main(peer: Peer) -> Answering:
        return target

    async with asyncio.timeout(PATIENCE), serve(main, "127.0.0.1", 0, path=None, interceptors=[LogContext()]) as server:
        url = server.url.rstrip("/") + "/%1b[2K%0aERROR:root:forged"
        async with connect(url, SearchStub) as search:
            await search.find("x")
            with pytest.raises(TypeError):
                await AnyStub(search._hook.dup()).call("a\nERROR:root:forged")
    assert len(lines.lines) == 1
    assert lines.lines[0].isprintable()
