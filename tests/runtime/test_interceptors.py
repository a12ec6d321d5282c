"""Interceptors over whole sessions: what they see, what they may change, and what they must not cost."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from capnweb_runtime import (
    AnyStub,
    CallInfo,
    DeadlineExceeded,
    Interceptor,
    Limits,
    Observer,
    Proceed,
    RpcError,
    SessionClosed,
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
from tests.gen.golden.cancellable.schema import TooBroad
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

    async def test_what_nobody_asks_for_ends_with_the_session(self) -> None:
        seen = Seen()
        async with joined(ready(), [seen]) as (_, search):
            inside, count = search.inside("x"), search.count([])
            await search.count([])
            assert seen.ends == ["returned"]
        await asyncio.sleep(0)
        assert seen.ends == ["returned", "CancelledError", "CancelledError"]
        with pytest.raises(SessionClosed):
            await count
        with pytest.raises(SessionClosed):
            await inside.count([])

    async def test_a_chain_that_was_dropped_is_given_up_before_it_is_collected(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        seen = Seen()
        async with joined(ready(), [seen]) as (_, search):
            assert await search.inside("x").inside("y").count([]) == 7
            async with asyncio.timeout(PATIENCE):
                while len(seen.ends) < 3:
                    gc.collect()
                    await asyncio.sleep(0)
        assert seen.ends == ["returned", "CancelledError", "CancelledError"]
        assert [record for record in caplog.records if record.name == "asyncio"] == []

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

    async def test_metadata_of_a_pipelined_call_travels_beside_its_deadline(self) -> None:
        async def traced(call: CallInfo, proceed: Proceed) -> Any:
            call.metadata["traceparent"] = call.method
            return await proceed(call)

        seen = Seen()
        async with joined(ready(), [traced], [seen]) as (_, search):
            with deadline(PATIENCE):
                assert await search.inside("x").inside("y").count([]) == 7
        assert [call.metadata["traceparent"] for call in seen.calls] == ["inside", "inside", "count"]
        assert all(call.deadline is not None for call in seen.calls)

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

    async def test_calls_of_one_session_have_its_name_and_no_other_session_has_it(self) -> None:
        making, serving = Seen(), Seen()
        for _ in range(2):
            async with joined(ready(), [making], [serving]) as (_, search):
                await search.count([])
                await search.each("x", lambda number, *, last=False: True)
        for seen in (making, serving):
            names = [call.session for call in seen.calls]
            assert len(names) == 6
            assert all(names)
            assert len({*names[:3]}) == len({*names[3:]}) == 1
            assert names[0] != names[3]

    async def test_what_a_method_declares_is_expected_on_both_sides(self) -> None:
        async def find(self: Search, word: str, limit: int = 10) -> list[int]:
            raise TooBroad("no end") if word == "x" else KeyError("no")

        expected: dict[bool, list[bool]] = {True: [], False: []}

        async def looking(call: CallInfo, proceed: Proceed) -> Any:
            try:
                return await proceed(call)
            except Exception as error:
                expected[call.served].append(call.expects(error))
                raise

        async with joined(with_find(find), [looking], [looking]) as (_, search):
            with pytest.raises(TooBroad):
                await search.find("x")
            with pytest.raises(RpcError):
                await search.find("y")
        assert expected == {True: [True, False], False: [True, False]}

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


class TestRefused:
    """Calls that fail before anything of them runs."""

    class Told(Seen):
        """Keeps what it was told of."""

        def __init__(self) -> None:
            super().__init__()
            self.refused_calls: list[tuple[CallInfo, BaseException]] = []

        def refused(self, call: CallInfo, error: BaseException) -> None:
            self.refused_calls.append((call, error))

    async def test_what_is_not_declared_is_told_with_the_text_of_the_peer(self) -> None:
        told = self.Told()
        async with joined(ready(), serving=[told]) as (_, search):
            anything = AnyStub(search._hook.dup())
            with pytest.raises(TypeError, match="is not a function of Search"):
                await anything.call("no\nsuch", 1)
            with pytest.raises(TypeError, match="is not a function of Search"):
                await anything.call("__class__")
            with pytest.raises(TypeError, match="of undefined"):
                await anything.call(("no", "such"))
            with pytest.raises(TypeError, match="is not a function"):
                await anything()
        assert told.calls == []
        assert [(call.interface, call.method) for call, _ in told.refused_calls] == [
            ("", "no\nsuch"),
            ("", "__class__"),
            ("", "no.such"),
            ("", ""),
        ]
        assert all(call.served and call.peer is not None and call.session for call, _ in told.refused_calls)
        assert all(isinstance(error, TypeError) for _, error in told.refused_calls)

    async def test_so_is_a_call_whose_arguments_do_not_fit(self) -> None:
        told = self.Told()
        async with joined(ready(), serving=[told]) as (_, search):
            with pytest.raises(TypeError, match="numbers"):
                await AnyStub(search._hook.dup()).call("count", "x")
            assert await search.count([]) == 7
        assert [(call.name, call.arguments) for call, _ in told.refused_calls] == [("Search.count", ())]
        assert told.names == ["Search.count"]

    async def test_so_is_one_too_many(self) -> None:
        target, told = Search(), self.Told()
        async with joined(target, serving=[told], limits=Limits(calls=1)) as (_, search):
            first = asked(search.count([]))
            await target.begun.wait()
            with pytest.raises(RpcError, match="calls are running"):
                await search.count([])
            target.may_end.set()
            assert await first == 7
        assert [call.name for call, _ in told.refused_calls] == told.names == ["Search.count"]

    async def test_a_call_that_an_interceptor_refuses_was_none(self) -> None:
        async def refusing(call: CallInfo, proceed: Proceed) -> Any:
            raise PermissionError("not you")

        told = self.Told()
        async with joined(ready(), serving=[told, refusing]) as (_, search):
            with pytest.raises(PermissionError):
                await search.count([])
        assert told.refused_calls == []
        assert told.ends == ["PermissionError"]

    async def test_the_call_has_what_came_with_it(self) -> None:
        async def adding(call: CallInfo, proceed: Proceed) -> Any:
            call.metadata["traceparent"] = "00-ab"
            return await proceed(call)

        told = self.Told()
        async with joined(ready(), [adding], [told]) as (_, search):
            with pytest.raises(TypeError):
                await AnyStub(search._hook.dup()).call("nonsense")
        assert [call.metadata for call, _ in told.refused_calls] == [{"traceparent": "00-ab"}]

    async def test_one_that_fails_is_reported_and_changes_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        class Failing(Seen):
            def refused(self, call: CallInfo, error: BaseException) -> None:
                raise KeyError("mine")

        async with joined(ready(), serving=[Failing()]) as (_, search):
            with pytest.raises(TypeError, match="is not a function"):
                await AnyStub(search._hook.dup()).call("nonsense")
            assert await search.count([]) == 7
        (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert line.startswith("Failing.refused raised KeyError: mine")


class TestContext:
    """What interceptors set in the Context of a call."""

    name: ContextVar[str] = ContextVar("name", default="nobody")

    async def named(self, call: CallInfo, proceed: Proceed) -> Any:
        self.name.set(call.method)
        return await proceed(call)

    async def test_whoever_is_told_of_a_failure_sees_it(self) -> None:
        name, told = self.name, []

        class Watching(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                told.append((name.get(), type(error)))

        async def find(self: Search, word: str, limit: int = 10) -> list[int]:
            await asyncio.sleep(0)
            raise KeyError(word)

        async with joined(with_find(find), serving=[self.named], observer=Watching()) as (_, search):
            with pytest.raises(RpcError):
                await search.find("x")
        assert told == [("find", KeyError)]

    async def test_so_it_does_of_what_an_interceptor_raises(self) -> None:
        name, told = self.name, []

        class Watching(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                told.append(name.get())

        async def refusing(call: CallInfo, proceed: Proceed) -> Any:
            raise KeyError("mine")

        async with joined(ready(), serving=[self.named, refusing], observer=Watching()) as (_, search):
            with pytest.raises(RpcError):
                await search.count([])
        assert told == ["count"]

    async def test_the_body_of_a_stream_runs_in_it(self) -> None:
        name = self.name
        seen: list[str] = []

        class Following(Ready):
            async def follow(self, word: str) -> AsyncIterator[int]:
                try:
                    for number in range(2):
                        seen.append(name.get())
                        async with asyncio.timeout(PATIENCE):
                            await asyncio.sleep(0)
                        yield number
                finally:
                    seen.append(name.get())

        async with joined(Following(), serving=[self.named]) as (_, search):
            assert [number async for number in await search.follow("x")] == [0, 1]
            stream = await search.follow("x")
            assert await anext(stream) == 0
            await stream.cancel()
        assert {*seen} == {"follow"}
        assert len(seen) >= 5

    async def test_a_stream_that_fails_is_reported_in_it_by_the_name_of_its_method(self) -> None:
        name, told = self.name, []

        class Watching(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                told.append((where, name.get()))

        class Failing(Ready):
            async def follow(self, word: str) -> AsyncIterator[int]:
                yield 1
                raise KeyError("midway")

        async with joined(Failing(), serving=[self.named], observer=Watching()) as (_, search):
            with pytest.raises(RpcError):
                async for _ in await search.follow("x"):
                    pass
        ((where, called),) = told
        assert where.endswith("Failing.follow")
        assert called == "follow"


def test_metadata_that_does_not_fit_is_left_out() -> None:
    call = CallInfo("Search", "count")
    assert call.carry("a", "b")
    assert call.carry("a", "c")
    assert not call.carry("long", "x" * 513)
    assert not call.carry("x" * 65, "b")
    assert not call.carry("deadline", "1")
    for number in range(20):
        call.carry(str(number), "x")
    assert call.metadata["a"] == "c"
    assert len(call.metadata) == 15
    assert call.carry("a", "d")


async def test_sessions_without_any_are_plain_ones() -> None:
    assert type(Connection().session) is Session
    assert PATIENCE > 0
