"""Interceptors over whole sessions: what they see, what they may change, and what they must not cost."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from capnweb_runtime import (
    CallInfo,
    DeadlineExceeded,
    Interceptor,
    Proceed,
    RpcError,
    connect,
    deadline,
    in_thread,
    serve,
)
from capnweb_runtime.connecting.connect import Connecting
from capnweb_runtime.core.session import Session
from capnweb_runtime.driving.connection import Connection
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.gen.golden.cancellable.expected import SearchStub, SearchTarget
from tests.runtime.test_cancellation import PATIENCE, Search, asked, with_find


class Seen:
    """An interceptor that keeps what it has seen, and how it ended."""

    def __init__(self) -> None:
        self.calls: list[CallInfo] = []
        self.ends: list[str] = []

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        self.calls.append(call)
        try:
            result = await proceed(call)
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise
        self.ends.append("returned")
        return result

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]


Joined = tuple[Connecting[SearchStub], SearchStub]


@asynccontextmanager
async def joined(
    target: SearchTarget, making: Sequence[Interceptor] = (), serving: Sequence[Interceptor] = (), **options: Any
) -> AsyncIterator[Joined]:
    async with serve(lambda peer: target, "127.0.0.1", 0, interceptors=serving, **options) as server:
        connecting = connect(server.url, SearchStub, interceptors=making)
        async with connecting as search:
            yield connecting, search


class Ready(Search):
    """Is inside of itself."""

    async def inside(self, word: str) -> Search:
        return self


def ready() -> Search:
    """A target that answers at once."""
    target = Ready()
    target.may_end.set()
    return target


class TestMaking:
    async def test_a_chain_still_takes_one_round_trip(self) -> None:
        seen = Seen()
        async with joined(ready(), [seen]) as (connecting, search):
            await search.count([])
            before = connecting.stats().round_trips
            assert await search.inside("x").inside("y").count(search.find("z")) == 7
            assert connecting.stats().round_trips == before + 1
        assert seen.names == ["Search.count", *["Search.inside"] * 2, "Search.find", "Search.count"]
        assert [call.pipelined for call in seen.calls] == [False, False, True, False, True]

    async def test_a_result_that_nobody_asked_for_is_not_asked_for(self) -> None:
        seen = Seen()
        async with joined(ready(), [seen]) as (_, search):
            inside = search.inside("x")
            assert await inside.count([]) == 7
            assert [call.asked for call in seen.calls] == [False, True]
            inside.dispose()
            await search.count([])
        assert seen.ends == ["returned", "CancelledError", "returned"]

    async def test_one_that_is_dropped_leaves_nothing_behind(self) -> None:
        async with joined(ready(), [Seen()]) as (connecting, search):
            assert await search.inside("x").count([]) == 7
            gc.collect()
            async with asyncio.timeout(PATIENCE):
                while connecting.stats().imports > 1:
                    await search.count([])  # in whose turns it is given back

    async def test_it_may_change_arguments_and_results(self) -> None:
        async def more(call: CallInfo, proceed: Proceed) -> Any:
            if call.method == "count":
                call.arguments = ([*call.arguments[0], 1],)
            result = await proceed(call)
            return result + 1 if call.method == "count" else result

        target = ready()
        async with joined(target, [more]) as (_, search):
            assert await search.count([5]) == 8
        assert target.counted == [[5, 1]]

    async def test_it_may_answer_by_itself(self) -> None:
        async def cached(call: CallInfo, proceed: Proceed) -> Any:
            return [1, 2]

        async with joined(Search(), [cached]) as (connecting, search):
            assert await search.find("x") == [1, 2]
            assert connecting.stats().messages_sent == 0

    async def test_it_may_refuse(self) -> None:
        async def refusing(call: CallInfo, proceed: Proceed) -> Any:
            raise PermissionError("not you")

        async with joined(Search(), [refusing]) as (_, search):
            with pytest.raises(PermissionError, match="not you"):
                await search.find("x")
            with pytest.raises(PermissionError, match="not you"):
                await search.inside("x").count([])

    async def test_a_wrong_argument_is_told_at_the_call(self) -> None:
        async with joined(Search(), [Seen()]) as (_, search):
            with pytest.raises(TypeError, match="word"):
                search.find(5)  # type: ignore[arg-type, unused-awaitable]  # which is the point

    async def test_one_that_waits_first_holds_the_call_back_and_what_is_pipelined_on_it(self) -> None:
        may_go = asyncio.Event()

        async def waiting(call: CallInfo, proceed: Proceed) -> Any:
            if call.method == "inside":
                await may_go.wait()
            return await proceed(call)

        async with joined(ready(), [waiting]) as (connecting, search):
            counted = asked(search.inside("x").count([]))
            assert await search.count([]) == 7
            before = connecting.stats().round_trips
            may_go.set()
            assert await counted == 7
            assert connecting.stats().round_trips == before + 1

    async def test_only_what_is_idempotent_can_be_repeated_once_it_was_sent(self) -> None:
        async def twice(call: CallInfo, proceed: Proceed) -> Any:
            call.idempotent = call.method == "find"
            await proceed(call)
            return await proceed(call)

        async with joined(ready(), [twice]) as (_, search):
            assert await search.find("x") == [7]
            with pytest.raises(RuntimeError, match=r"Search\.count may have been run"):
                await search.count([])

    async def test_giving_up_gives_the_call_up(self) -> None:
        target, seen = Search(), Seen()
        async with joined(target, [seen]) as (_, search):

            async def wait() -> None:
                await search.find("x")

            task = asyncio.create_task(wait())
            await target.begun.wait()
            task.cancel()
            assert await target.outcome() == "cancelled"
        assert seen.ends == ["CancelledError"]

    async def test_deadlines_count(self) -> None:
        target, seen = Search(), Seen()
        async with joined(target, [seen]) as (_, search):
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                await search.find("x")
            assert await target.outcome() == "cancelled"
        assert seen.ends == ["DeadlineExceeded"]
        assert seen.calls[0].deadline is not None

    @pytest.mark.parametrize("first", [True, False])
    async def test_deadlines_bound_their_own_waits_too(self, first: bool) -> None:
        given_up = asyncio.Event()

        async def lingering(call: CallInfo, proceed: Proceed) -> Any:
            result = None if first else await proceed(call)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                given_up.set()
                raise
            return result

        async with joined(ready(), [lingering]) as (connecting, search):
            with deadline(0.05), pytest.raises(DeadlineExceeded):
                await search.count([])
            await given_up.wait()
            assert (connecting.stats().messages_sent == 0) is first

    async def test_the_time_of_every_call_begins_when_it_is_made(self) -> None:
        async def waiting(call: CallInfo, proceed: Proceed) -> Any:
            await asyncio.Event().wait()

        async with (
            serve(lambda peer: ready(), "127.0.0.1", 0) as server,
            connect(server.url, SearchStub, interceptors=[waiting], call_timeout=0.05) as search,
        ):
            with pytest.raises(DeadlineExceeded):
                await search.count([])

    async def test_what_is_let_go_too_late_is_not_sent(self) -> None:
        target, refused = ready(), asyncio.Event()

        async def late(call: CallInfo, proceed: Proceed) -> Any:
            if call.method != "count":
                return await proceed(call)
            try:
                with deadline(-1):
                    return await proceed(call)
            except DeadlineExceeded:
                refused.set()
                raise

        async with joined(target, [late]) as (_, search):
            counted = search.count([5])  # which nobody waits for
            await refused.wait()
            counted.dispose()
            assert await search.find("x") == [7]
        assert target.counted == []

    async def test_what_nobody_keeps_is_sent_all_the_same(self) -> None:
        target, may_go, ends = ready(), asyncio.Event(), Seen()

        async def waiting(call: CallInfo, proceed: Proceed) -> Any:
            if call.method == "count":
                await may_go.wait()
            return await proceed(call)

        async with joined(target, [ends, waiting]) as (connecting, search):
            _ = search.count([5])
            del _
            gc.collect()
            assert await search.find("x") == [7]
            assert target.counted == []
            may_go.set()
            assert await search.find("x") == [7]
            assert target.counted == [[5]]
            assert connecting.stats().imports == 1
        assert ends.ends == ["returned", "CancelledError", "returned"]

    async def test_what_is_given_up_while_it_is_held_back_is_not_sent(self) -> None:
        target, may_go = ready(), asyncio.Event()

        async def waiting(call: CallInfo, proceed: Proceed) -> Any:
            if call.method == "count":
                await may_go.wait()
            return await proceed(call)

        async with joined(target, [waiting]) as (_, search):
            search.count([5]).dispose()
            assert await search.find("x") == [7]
            may_go.set()
            assert await search.find("x") == [7]
        assert target.counted == []

    async def test_one_that_waits_is_not_lost_with_what_refers_to_itself(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with joined(ready(), [Seen()]) as (_, search):
            kept: list[Any] = [search.inside("x")]
            kept.append(kept)
            await search.count([])
            del kept
            gc.collect()
            await search.count([])
        assert "Task was destroyed" not in caplog.text

    async def test_properties_are_seen_with_their_interface(self) -> None:
        seen = Seen()
        async with (
            serve(lambda peer: Front(Accounts()), "127.0.0.1", 0) as server,
            connect(server.url, PublicApiStub, interceptors=[seen]) as api,
        ):
            assert await api.authenticate("secret").user_name == "Ada"
            authed = await api.authenticate("secret")
            assert await authed.user_name == "Ada"
            assert await authed.get_profile(authed.me()).name == "Ada"
        reads = [(call.interface, call.method) for call in seen.calls if call.kind == "get"]
        assert reads == [("AuthedApi", "user_name"), ("AuthedApi", "user_name"), ("", "name")]
        assert all(call.idempotent for call in seen.calls if call.kind == "get")

    async def test_over_http_too(self) -> None:
        seen = Seen()
        async with serve(lambda peer: ready(), "127.0.0.1", 0) as server:
            connecting = connect(server.http_url, SearchStub, interceptors=[seen])
            async with connecting as search:
                assert await search.inside("x").count([]) == 7
        assert seen.names == ["Search.inside", "Search.count"]


class TestServing:
    async def test_they_see_what_a_map_runs_and_the_properties(self) -> None:
        seen = Seen()
        async with (
            serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, interceptors=[seen]) as server,
            connect(server.url, PublicApiStub) as api,
        ):
            authed = await api.authenticate("secret")
            await authed.user_name
            await authed.friends().map(lambda friend: authed.get_profile(friend).name)
        assert seen.names[:3] == ["PublicApi.authenticate", "AuthedApi.user_name", "AuthedApi.friends"]
        assert set(seen.names[3:]) == {"AuthedApi.get_profile"}
        assert seen.calls[1].kind == "get"
        assert all(call.mapped for call in seen.calls[3:])
        assert all(call.served and call.peer is not None for call in seen.calls)

    async def test_what_a_map_makes_of_a_result_that_was_not_known_is_mapped_too(self) -> None:
        class Nested(Ready):
            async def inside(self, word: str) -> Search:
                await asyncio.sleep(0)
                return self

        target, seen = Nested(), Seen()
        target.may_end.set()
        async with joined(target, serving=[seen]) as (_, search):
            await search.count([])
            counted = search.find("x").map(lambda number: search.inside("y").inside("z").count([]))
            assert await counted == [7]
            await search.count([])
        assert [(call.method, call.mapped) for call in seen.calls] == [
            *[("count", False), ("find", False)],
            *[("inside", True), ("inside", True), ("count", True)],
            ("count", False),
        ]

    async def test_they_may_change_refuse_and_answer(self) -> None:
        async def own(call: CallInfo, proceed: Proceed) -> Any:
            if call.method == "find":
                raise PermissionError("not you")
            if call.arguments == ([1],):
                return 99
            call.arguments = ([1, 2],)
            return await proceed(call) + 1

        target = ready()
        async with joined(target, serving=[own]) as (_, search):
            with pytest.raises(PermissionError, match="not you"):
                await search.find("x")
            assert await search.count([1]) == 99
            assert await search.count([]) == 8
        assert target.counted == [[1, 2]]

    async def test_callbacks_are_seen_by_both_sides(self) -> None:
        making, serving = Seen(), Seen()

        async def on_hit(number: int, *, last: bool = False) -> bool:
            return True

        async with joined(ready(), [making], [serving]) as (_, search):
            assert await search.each("x", on_hit) == 1
            await search.count([])
        assert [(call.method.rpartition(".")[2], call.served) for call in making.calls][:2] == [
            ("each", False),
            ("on_hit", True),
        ]
        assert [call.served for call in serving.calls][:2] == [True, False]

    async def test_metadata_travels(self) -> None:
        async def adding(call: CallInfo, proceed: Proceed) -> Any:
            call.metadata["traceparent"] = "00-ab"
            return await proceed(call)

        seen = Seen()
        async with joined(ready(), [adding], [seen]) as (_, search):
            await search.inside("x").count(search.find("z"))
        assert [call.metadata for call in seen.calls] == [{"traceparent": "00-ab"}] * 3

    async def test_metadata_that_cannot_travel_fails_the_call(self) -> None:
        async def adding(call: CallInfo, proceed: Proceed) -> Any:
            call.metadata["x"] = "y" * 600
            return await proceed(call)

        async with joined(ready(), [adding]) as (_, search):
            with pytest.raises(ValueError, match="cannot be sent"):
                await search.count([])

    @pytest.mark.parametrize("threads", [None, 1])
    async def test_plain_methods_run_where_they_belong(self, threads: int | None) -> None:
        async with joined(with_find(lambda self, word, limit=3: [limit]), serving=[Seen()], threads=threads) as (
            _,
            search,
        ):
            assert await search.find("x") == [3]

    async def test_a_thread_is_not_cancelled(self) -> None:
        @in_thread
        def find(self: Search, word: str) -> list[int]:
            return [1]

        async with joined(with_find(find), serving=[Seen()]) as (_, search):
            assert await search.find("x") == [1]

    async def test_cancelling_passes_through_them(self) -> None:
        target, seen = Search(), Seen()
        async with joined(target, serving=[seen]) as (_, search):
            found = search.find("x")
            _wait = asked(found)
            await target.begun.wait()
            found.dispose()
            assert await target.outcome() == "cancelled"
        assert seen.ends == ["CancelledError"]

    async def test_a_stream_is_seen_as_the_call_that_gives_it(self) -> None:
        seen = Seen()
        async with joined(ready(), serving=[seen]) as (_, search):
            assert [number async for number in await search.follow("x")] == [1]
        assert seen.names == ["Search.follow"]

    async def test_the_end_of_a_stream_is_seen_by_what_is_put_around_it(self) -> None:
        seen: dict[str, list[Any]] = {"making": [], "serving": []}

        def following(side: str) -> Interceptor:
            async def chunks(stream: Any) -> AsyncIterator[Any]:
                async for chunk in stream:
                    seen[side].append(chunk)
                    yield chunk
                seen[side].append("end")

            async def intercept(call: CallInfo, proceed: Proceed) -> Any:
                result = await proceed(call)
                return chunks(result) if call.method == "follow" else result

            return intercept

        async with joined(ready(), [following("making")], [following("serving")]) as (_, search):
            assert [number async for number in await search.follow("x")] == [1]
        assert seen == {"making": [1, "end"], "serving": [1, "end"]}

    async def test_what_one_raises_of_its_own_is_reported_and_refers(self) -> None:
        async def broken(call: CallInfo, proceed: Proceed) -> Any:
            raise KeyError("a secret")

        async with joined(ready(), serving=[broken]) as (_, search):
            with pytest.raises(RpcError, match="reference"):
                await search.count([])

    async def test_the_first_one_is_outermost(self) -> None:
        order: list[str] = []

        def named(name: str) -> Interceptor:
            async def intercept(call: CallInfo, proceed: Proceed) -> Any:
                order.append(name)
                return await proceed(call)

            return intercept

        async with joined(ready(), serving=[named("first"), named("second")]) as (_, search):
            await search.count([])
        assert order == ["first", "second"]


async def test_sessions_without_any_are_plain_ones() -> None:
    assert type(Connection().session) is Session
    assert PATIENCE > 0
