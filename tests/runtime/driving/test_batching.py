"""Calls of one method that begin together, as one call with a list."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any, cast

import pytest

from capnweb_runtime import (
    CallInfo,
    DeadlineExceeded,
    Proceed,
    RpcError,
    batched,
    connect,
    deadline,
    in_thread,
    serve,
    time_left,
)
from capnweb_runtime.core import account
from capnweb_runtime.core.account import Account
from capnweb_runtime.driving import batching, turns
from capnweb_runtime.driving.attending import Terms
from capnweb_runtime.driving.batching import Batching
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.driving.threads import threads_of
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.objects.stub import metadata
from capnweb_runtime.transports.memory import join, pair
from generated.accounts import AuthedApiStub, AuthedApiTarget
from schemas.accounts import Profile
from tests.gen.golden.cancellable.expected import SearchStub, SearchTarget
from tests.runtime.test_cancellation import Joined, Search, asked

PATIENCE = 10
USER: ContextVar[str] = ContextVar("USER", default="nobody")
TENANT: ContextVar[str] = ContextVar("TENANT", default="none")
Load = Callable[[list[int]], Awaitable[Sequence[Profile | Exception]]]


def profile(number: int) -> Profile:
    return Profile(id=number, name=f"user {number}")


async def found(numbers: list[int]) -> list[Profile | Exception]:
    return [profile(number) for number in numbers]


class Profiles(AuthedApiTarget):
    """Keeps the lists that it was called with."""

    def __init__(self, load: Load = found, friends: Sequence[int] = ()) -> None:
        self.load = load
        self.lists: list[list[int]] = []
        self._friends = friends

    @batched(AuthedApiTarget.get_profile, most=200)
    async def get_profile(self, user_ids: list[int]) -> Sequence[Profile | Exception]:
        self.lists.append(user_ids)
        return await self.load(user_ids)

    def friends(self) -> Sequence[int]:
        return self._friends

    @property
    def user_name(self) -> str:
        return "ada"

    def me(self) -> int:
        return 1

    watch = download = me  # type: ignore[assignment]  # nobody calls them here


def profiles_of(target: Profiles, **options: Any) -> AuthedApiStub:
    client, _ = pair(None, target, **options)
    return client.main(AuthedApiStub)


class Finding(Search):
    """Finds as its parent does, in batches: a method of several parameters that can be cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: list[list[tuple[str, int]]] = []

    @batched(SearchTarget.find)
    async def find(  # type: ignore[override]  # its parent's is a coroutine
        self, wanted: list[tuple[str, int]]
    ) -> list[list[int]]:
        self.lists.append(wanted)
        await self._wait()
        return [[len(word), limit] for word, limit in wanted]


class TestWhatBelongsTogether:
    async def test_calls_of_one_turn_are_one_call_with_a_list_in_their_order(self) -> None:
        target = Profiles()
        stub = profiles_of(target)
        calls = [stub.get_profile(number).name for number in (3, 1, 2)]
        assert await asyncio.gather(*calls) == ["user 3", "user 1", "user 2"]
        assert target.lists == [[3, 1, 2]]

    async def test_equal_arguments_stand_there_as_often_as_they_were_passed(self) -> None:
        target = Profiles()
        stub = profiles_of(target)
        assert [one.id for one in await asyncio.gather(*(stub.get_profile(7) for _ in range(3)))] == [7, 7, 7]
        assert target.lists == [[7, 7, 7]]

    async def test_a_map_is_one_batch_with_the_steps_between(self) -> None:
        target = Profiles(friends=range(100))
        stub = profiles_of(target)
        names = await stub.friends().map(lambda number: stub.get_profile(stub.get_profile(number).id).name)
        assert names == [f"user {number}" for number in range(100)]
        assert target.lists == [[*range(100)]] * 2

    @pytest.mark.parametrize(("most", "batches"), [(10**6, 1), (10, 10)])
    async def test_a_map_that_leaves_others_their_turns_is_one_batch_unless_it_takes_long(
        self, most: int, batches: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turns, "BRIEF", 0.0)
        monkeypatch.setattr(turns, "TURN", 0.0)
        monkeypatch.setattr(account, "BRIEF", 0)
        monkeypatch.setattr(batching, "_MOST_TURNS", most)
        target = Profiles(friends=range(100))
        stub = profiles_of(target)
        names = await stub.friends().map(lambda number: stub.get_profile(number).name)
        assert names == [f"user {number}" for number in range(100)]
        assert [number for numbers in target.lists for number in numbers] == [*range(100)]
        assert len(target.lists) == batches

    async def test_a_batch_waits_for_nobody_who_adds_nothing_to_it(self) -> None:
        loop = asyncio.get_running_loop()
        busy = turns.Line(turns.Turns.of(loop), Account(DEFAULT_LIMITS))
        rounds = 0

        def go_on() -> None:
            nonlocal rounds
            rounds += 1
            if not target.lists:
                loop.call_soon(busy.put_off, go_on)

        target = Profiles()
        call = profiles_of(target).get_profile(1)
        busy.put_off(go_on)
        assert (await call).id == 1
        assert rounds < 20

    async def test_calls_of_several_sessions_that_hold_the_object_belong_together(self) -> None:
        target = Profiles()
        stubs = [profiles_of(target), profiles_of(target)]
        await asyncio.gather(*(stub.get_profile(number) for number, stub in enumerate(stubs)))
        assert target.lists == [[0, 1]]

    async def test_calls_of_two_objects_do_not(self) -> None:
        targets = [Profiles(), Profiles()]
        await asyncio.gather(*(profiles_of(target).get_profile(1) for target in targets))
        assert [target.lists for target in targets] == [[[1]], [[1]]]

    async def test_a_later_call_begins_another_batch(self) -> None:
        target = Profiles()
        stub = profiles_of(target)
        await stub.get_profile(1)
        await stub.get_profile(2)
        assert target.lists == [[1], [2]]

    async def test_no_batch_has_more_calls_than_it_may(self) -> None:
        target = Profiles(friends=range(450))
        stub = profiles_of(target)
        assert len(await stub.friends().map(lambda number: stub.get_profile(number).id)) == 450
        assert [len(one) for one in target.lists] == [200, 200, 50]

    async def test_a_load_may_call_the_method_itself(self) -> None:
        async def load(numbers: list[int]) -> list[Profile | Exception]:
            if 0 in numbers:
                return await found(numbers)
            return [await target.get_profile(0) for _ in numbers]

        target = Profiles(load)
        assert (await profiles_of(target).get_profile(1)).id == 0
        assert target.lists == [[1], [0]]

    async def test_an_http_batch_is_one_batch(self) -> None:
        target = Profiles()
        async with (
            serve(lambda peer: target, "127.0.0.1", 0) as server,
            connect(server.http_url, AuthedApiStub) as stub,
        ):
            await asyncio.gather(*(stub.get_profile(number) for number in range(5)))
        assert target.lists == [[*range(5)]]


class TestElements:
    async def test_several_parameters_are_a_tuple_with_their_defaults(self) -> None:
        target = Finding()
        target.may_end.set()
        client, _ = pair(None, target)
        search = client.main(SearchStub)
        assert [*await asyncio.gather(search.find("a"), search.find("bc", 3))] == [[1, 10], [2, 3]]
        assert target.lists == [[("a", 10), ("bc", 3)]]

    async def test_the_method_has_the_parameters_that_are_declared(self) -> None:
        target = Finding()
        target.may_end.set()
        assert await target.find(limit=2, word="a") == [1, 2]
        assert list(inspect.signature(Finding.find).parameters) == ["self", "word", "limit"]
        with pytest.raises(TypeError, match="word"):
            _ = target.find()  # type: ignore[call-arg]  # that is what is refused


class TestErrors:
    async def test_an_exception_in_place_of_a_result_fails_that_call_alone(self) -> None:
        async def load(numbers: list[int]) -> list[Profile | Exception]:
            return [profile(number) if number else LookupError("no such user") for number in numbers]

        stub = profiles_of(Profiles(load))
        outcomes = await asyncio.gather(*(stub.get_profile(number) for number in (1, 0, 2)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Profile, LookupError, Profile]

    async def test_what_the_function_raises_fails_all(self) -> None:
        async def load(numbers: list[int]) -> list[Profile | Exception]:
            raise LookupError("no such table")

        stub = profiles_of(Profiles(load))
        outcomes = await asyncio.gather(*(stub.get_profile(number) for number in (1, 2)), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["no such table"] * 2

    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            ([], "get_profile returned 0 results for 2 calls: what is @batched returns a result for each"),
            ([profile(1)] * 3, "get_profile returned 3 results for 2 calls"),
            ({1: profile(1), 2: profile(2)}, "get_profile returned dict: what is @batched returns a list"),
        ],
    )
    async def test_another_number_of_results_fails_all_and_is_told_to_the_log(
        self, returned: Any, said: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def load(numbers: list[int]) -> Sequence[Profile | Exception]:
            return cast(Sequence[Profile], returned)

        stub = profiles_of(Profiles(load))
        calls = [stub.get_profile(number) for number in (1, 2)]
        for outcome in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(outcome, RpcError)
            assert "under reference" in str(outcome)
        told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert len(told) == 2
        assert all(said in line for line in told)

    async def test_a_result_of_the_wrong_type_fails_that_call_alone(self) -> None:
        async def load(numbers: list[int]) -> Sequence[Profile | Exception]:
            return [profile(1), cast(Profile, "nobody")]

        stub = profiles_of(Profiles(load))
        first, second = await asyncio.gather(stub.get_profile(1), stub.get_profile(2), return_exceptions=True)
        assert first == profile(1)
        assert isinstance(second, Exception)

    async def test_a_load_that_cancels_itself_cancels_its_calls(self) -> None:
        async def load(numbers: list[int]) -> list[Profile | Exception]:
            raise asyncio.CancelledError

        stub = profiles_of(Profiles(load))
        with pytest.raises(RpcError, match="cancelled"):
            await stub.get_profile(1)


class TestCancellation:
    async def test_a_call_that_is_cancelled_before_the_batch_begins_is_not_in_it(self) -> None:
        target = Finding()
        target.may_end.set()
        first, second = asyncio.ensure_future(target.find("a")), target.find("b")
        first.cancel()
        assert await second == [1, 10]
        assert target.lists == [[("b", 10)]]

    async def test_a_batch_that_all_calls_have_left_before_it_begins_is_none(self) -> None:
        target = Finding()
        asyncio.ensure_future(target.find("a")).cancel()
        target.may_end.set()
        while not target.lists:  # what comes later is a batch of its own
            await target.find("b")
        assert target.lists == [[("b", 10)]]

    async def test_a_batch_that_its_only_call_leaves_as_it_begins_is_none(self) -> None:
        target = Finding()
        call = asyncio.ensure_future(target.find("a"))
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: loop.call_soon(call.cancel))  # after the batch has begun, and before the load has
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([call])
        assert call.cancelled()
        assert target.lists == []

    async def test_others_go_on_when_one_call_is_cancelled(self) -> None:
        target = Finding()
        client, server = pair(None, target)
        search = client.main(SearchStub)
        first, second = search.find("a"), search.find("b")
        waiting = [asked(first), asked(second)]
        await target.begun.wait()
        first.dispose()
        with pytest.raises(RpcError, match="disposed"):
            await waiting[0]
        target.may_end.set()
        assert await waiting[1] == [1, 10]
        assert await target.outcome() == "returned"
        assert server.host.running == 0

    async def test_the_batch_is_cancelled_with_the_last_of_its_calls(self) -> None:
        target = Finding()
        client, _ = pair(None, target)
        search = client.main(SearchStub)
        calls = [search.find("a"), search.find("b")]
        waiting = [asked(call) for call in calls]
        await target.begun.wait()
        for call in calls:
            call.dispose()
        assert await target.outcome() == "cancelled"
        await asyncio.wait(waiting)

    async def test_a_load_that_was_cancelled_counts_as_a_call_until_it_has_ended(self) -> None:
        target = Finding()
        target.insist = True
        joined = Joined(target)
        calls = [joined.search.find("a"), joined.search.find("b")]
        waiting = [asked(call) for call in calls]
        await target.begun.wait()
        for call in calls:
            call.dispose()
        await asyncio.wait(waiting)
        await joined.all_said()
        assert joined.b.host.running == 1
        target.may_end.set()
        assert await target.outcome() == "returned"

    async def test_what_a_load_raises_that_was_cancelled_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        class Failing(Finding):
            @batched(SearchTarget.find)
            async def find(  # type: ignore[override]  # as above
                self, wanted: list[tuple[str, int]]
            ) -> list[list[int]]:
                try:
                    await self._wait()
                finally:
                    raise ValueError("clearing up failed")

        target = Failing()
        joined = Joined(target)
        call = joined.search.find("a")
        waiting = asked(call)
        await target.begun.wait()
        call.dispose()
        await asyncio.wait([waiting])
        await joined.all_said()
        assert "Failing.find raised ValueError: clearing up failed" in caplog.text


class TestContext:
    async def test_the_batch_has_what_all_of_its_calls_have_and_nothing_of_one_alone(self) -> None:
        seen: list[tuple[str, str]] = []

        async def load(numbers: list[int]) -> list[Profile | Exception]:
            seen.append((TENANT.get(), USER.get()))
            USER.set("the batch")
            return await found(numbers)

        async def call(user: str) -> None:
            USER.set(user)
            await target.get_profile(1)
            assert USER.get() == user

        target = Profiles(load)
        TENANT.set("acme")
        await asyncio.gather(call("ada"), call("grace"))
        assert seen == [("acme", "nobody")]

    async def test_metadata_is_that_of_none_and_the_deadline_that_of_the_longest(self) -> None:
        seen: list[tuple[dict[str, str], float | None]] = []

        async def load(numbers: list[int]) -> list[Profile | Exception]:
            seen.append((dict(metadata.get()), time_left()))
            return await found(numbers)

        async def signed(call: CallInfo, proceed: Proceed) -> Any:
            call.metadata["user"] = "ada"
            return await proceed(call)

        target = Profiles(load)
        async with (
            serve(lambda peer: target, "127.0.0.1", 0) as server,
            connect(server.url, AuthedApiStub, interceptors=[signed]) as stub,
        ):
            with deadline(500):
                short = stub.get_profile(1)
            with deadline(1000):
                long = stub.get_profile(2)
            await asyncio.gather(short, long)
            with deadline(500):
                short = stub.get_profile(3)
            await asyncio.gather(short, stub.get_profile(4))
            await stub.get_profile(5)  # all calls of this batch have the same
        (_, left), (_, without), _ = seen
        assert [carried for carried, _ in seen] == [{}] * 3
        assert left is not None
        assert 500 < left <= 1000
        assert without is None


class TestAround:
    async def test_interceptors_see_each_call_by_itself(self) -> None:
        seen: list[Sequence[Any]] = []

        async def see(call: CallInfo, proceed: Proceed) -> Any:
            seen.append(call.arguments)
            return await proceed(call)

        target = Profiles(friends=range(20))
        async with (
            serve(lambda peer: target, "127.0.0.1", 0, interceptors=[see]) as server,
            connect(server.url, AuthedApiStub) as stub,
        ):
            await stub.friends().map(lambda number: stub.get_profile(number).id)
        assert seen == [(), *((number,) for number in range(20))]
        assert target.lists == [[*range(20)]]

    async def test_a_call_that_takes_longer_than_the_server_allows_fails_and_the_batch_is_cancelled(self) -> None:
        target = Finding()
        async with (
            serve(lambda peer: target, "127.0.0.1", 0, call_timeout=0.05) as server,
            connect(server.url, SearchStub) as search,
        ):
            outcomes = await asyncio.gather(search.find("a"), search.find("b"), return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [DeadlineExceeded] * 2
            assert await target.outcome() == "cancelled"
            assert target.lists == [[("a", 10), ("b", 10)]]

    @pytest.mark.parametrize("on_terms", [False, True])
    @pytest.mark.parametrize("debug", [False, True])
    async def test_it_runs_on_the_event_loop_also_where_plain_functions_run_in_threads(
        self, on_terms: bool, debug: bool
    ) -> None:
        target = Finding()
        client, server = (
            Connection(),
            Connection(
                target,
                threads=threads_of(1),
                terms=Terms(serve_within=PATIENCE) if on_terms else None,
                debug=debug,
            ),
        )
        join(client, server)
        search = client.main(SearchStub)
        first, second = search.find("a"), search.find("b")
        waiting = [asked(first), asked(second)]
        await target.begun.wait()
        first.dispose()
        target.may_end.set()
        assert await waiting[1] == [1, 10]
        assert target.lists == [[("a", 10), ("b", 10)]]
        await asyncio.wait(waiting)

    async def test_a_function_that_blocks_runs_in_a_thread(self) -> None:
        class Blocking(Profiles):
            @batched(AuthedApiTarget.get_profile)
            @in_thread
            def get_profile(self, user_ids: list[int]) -> list[Profile]:
                with pytest.raises(RuntimeError):
                    asyncio.get_running_loop()
                return [profile(number) for number in user_ids]

        assert (await profiles_of(Blocking()).get_profile(4)).id == 4

    async def test_draining_waits_for_the_batch(self) -> None:
        target = Finding()
        async with serve(lambda peer: target, "127.0.0.1", 0) as server, connect(server.url, SearchStub) as search:
            waiting = asked(search.find("a"))
            await target.begun.wait()
            draining = asyncio.create_task(server.drain())
            assert server.stats().calls.now == 1
            target.may_end.set()
            assert await waiting == [1, 10]
            await draining


class TestRefused:
    def test_what_is_no_method_is_refused(self) -> None:
        with pytest.raises(TypeError, match="takes the method that it fills in, as the target declares it, not 7"):
            batched(7)

    def test_a_method_without_parameters_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"AuthedApiTarget.me cannot be @batched: it has no parameters"):
            batched(AuthedApiTarget.me)

    def test_parameters_that_are_no_elements_of_one_form_are_refused(self) -> None:
        def by_keyword(self: object, *, word: str) -> None: ...

        def any_number(self: object, *words: str) -> None: ...

        for function, name in ((by_keyword, "word"), (any_number, "words")):
            with pytest.raises(TypeError, match=f"its parameter {name} is keyword-only, or any number"):
                batched(function)

    def test_a_batch_of_no_calls_is_refused(self) -> None:
        with pytest.raises(ValueError, match="most=0 allows none"):
            batched(AuthedApiTarget.get_profile, most=0)

    def test_a_function_that_is_not_async_is_refused(self) -> None:
        def found_at_once(self: object, numbers: list[int]) -> Any:
            return numbers

        making: Batching[Any, Any] = batched(AuthedApiTarget.get_profile)
        with pytest.raises(TypeError, match="has to be async to be @batched; if it blocks, put @in_thread below"):
            making(found_at_once)

    def test_to_leave_out_what_it_fills_in_is_refused(self) -> None:
        async def load(self: object, numbers: list[int]) -> list[int]:
            return numbers

        with pytest.raises((TypeError, RuntimeError)) as caught:
            type("Forgot", (), {"load": batched(load)})
        error = caught.value.__cause__ or caught.value  # before Python 3.12 it is the cause
        assert str(error) == "Forgot.load does not say what it fills in: write @batched(...Target.load)"
