"""Deadlines over whole sessions: what they end, what travels of them, and what peers cannot do with them."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable
from typing import Any

import pytest

from capnweb_runtime import ConnectionLost, DeadlineExceeded, connect, connect_blocking, deadline, serve, time_left
from capnweb_runtime.blocking.stub import BlockingStub
from capnweb_runtime.core.carrying import MOST_ITEMS, read, read_header, written
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import RpcError
from capnweb_runtime.transports.memory import pair
from tests.gen.golden.cancellable.expected import SearchSpec, SearchStub
from tests.runtime.example import Counter, CounterStub, Desk, DeskStub
from tests.runtime.test_cancellation import PATIENCE, Search, asked, with_find


class Timed(Search):
    """Tells what time it has left."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[float | None] = []

    async def inside(self, word: str) -> Search:
        self.left.append(time_left())
        await asyncio.sleep(0)
        return self

    async def count(self, numbers: list[int]) -> int:
        self.left.append(time_left())
        if numbers:
            await self._wait()
        return len(numbers)


class Tape:
    """What one end has written."""

    def __init__(self, connection: Connection) -> None:
        self.messages: list[Any] = []
        session, take = connection.session, connection.session.take_outbox

        def taken() -> list[Any]:
            messages = take()
            self.messages += [json.loads(message) for message in messages]
            return messages

        session.take_outbox = taken  # type: ignore[method-assign]  # to look on

    @property
    def carried(self) -> list[Any]:
        return [message[2:] for message in self.messages if message[0] == "push"]


class TestCalling:
    async def test_a_call_that_is_waited_for_fails_and_is_given_up(self) -> None:
        target = Search()
        client, _ = pair(None, target)
        search = client.main(SearchStub)
        with deadline(0.01), pytest.raises(DeadlineExceeded):
            await search.find("x")
        assert await target.outcome() == "cancelled"
        assert client.stats().imports == 1
        with deadline(0.001), pytest.raises(TimeoutError):  # which it also is
            await search.find("x")

    async def test_nothing_is_sent_once_it_has_passed(self) -> None:
        client, _ = pair(None, Search())
        search = client.main(SearchStub)
        with deadline(-1):
            for call in (search.find("x"), search.count([]), search.find("x").map(lambda number: number)):
                with pytest.raises(DeadlineExceeded, match="nothing was sent"):
                    await call
        assert client.session.calls_made == 0

    async def test_a_call_of_a_session_that_has_ended_fails_as_it_does_without(self) -> None:
        client, _ = pair(None, Search())
        search = client.main(SearchStub)
        client.abort(ConnectionLost("cut"))
        with deadline(PATIENCE):
            for call in (search.count([]), search.find("x").map(lambda number: number)):
                with pytest.raises(ConnectionLost):
                    await call

    async def test_a_block_inside_another_cannot_extend_it(self) -> None:
        with deadline(5), deadline(100):
            left = time_left()
        assert left is not None
        assert left <= 5
        assert time_left() is None

    async def test_a_number_is_needed(self) -> None:
        with pytest.raises(ValueError, match="not nan"), deadline(math.nan):
            pass

    async def test_what_comes_in_time_comes(self) -> None:
        target = Timed()
        client, _ = pair(None, target)
        search = client.main(SearchStub)
        with deadline(PATIENCE):
            assert await search.inside("x").count([]) == 0
        assert client.stats().imports == 1

    async def test_calls_that_nobody_waits_for_are_not_late(self) -> None:
        client, _ = pair(None, Timed())
        search = client.main(SearchStub)
        with deadline(0.001):
            inside = search.inside("x")
        await asyncio.sleep(0.002)
        assert await inside.count([]) == 0

    async def test_a_chain_still_takes_one_round_trip(self) -> None:
        client, _ = pair(None, Timed(), calls=True)
        search = client.main(SearchStub)
        with deadline(PATIENCE):
            assert await search.count([]) == 0
            before = client.stats().round_trips
            assert await search.inside("x").inside("y").count([]) == 0
        assert client.stats().round_trips == before + 1

    async def test_a_default_of_the_connection(self) -> None:
        target = Search()
        async with (
            serve(lambda peer: target, "127.0.0.1", 0) as server,
            connect(server.url, SearchStub, call_timeout=0.05) as search,
        ):
            with pytest.raises(DeadlineExceeded):
                await search.find("x")
            assert await target.outcome() == "cancelled"
            with deadline(-1), pytest.raises(DeadlineExceeded):
                await search.find("x")

    async def test_an_await_that_is_given_up_first(self) -> None:
        target = Search()
        client, _ = pair(None, target)

        async def wait() -> None:
            with deadline(PATIENCE):
                await client.main(SearchStub).find("x")

        task = asyncio.create_task(wait())
        await target.begun.wait()
        task.cancel()
        assert await target.outcome() == "cancelled"


class TestOnTheWire:
    async def test_what_is_left_travels_where_that_was_agreed(self) -> None:
        client, _ = pair(None, Timed(), calls=True)
        tape = Tape(client)
        search = client.main(SearchStub)
        with deadline(PATIENCE):
            await search.inside("x").count([])
        await search.count([])
        first, second, third = tape.carried
        assert 0 < first[0]["deadline"] <= PATIENCE * 1000
        assert second[0].keys() == {"deadline"}
        assert third == []

    async def test_nothing_travels_where_it_was_not(self) -> None:
        client, _ = pair(None, Timed())
        tape = Tape(client)
        with deadline(PATIENCE):
            await client.main(SearchStub).inside("x").count([])
        assert tape.carried == [[], []]

    async def test_it_is_agreed_over_websocket(self) -> None:
        target = Timed()
        async with serve(lambda peer: target, "127.0.0.1", 0) as server, connect(server.url, SearchStub) as search:
            with deadline(PATIENCE):
                await search.inside("x").count([])
        assert [left is not None and left <= PATIENCE for left in target.left] == [True, True]

    @pytest.mark.parametrize("offered", ["", "capnweb-gen.attachments.1"])
    async def test_it_is_not_agreed_with_who_does_not_offer_it(self, offered: str) -> None:
        target = Timed()
        headers = {"Sec-WebSocket-Protocol": offered}
        async with (
            serve(lambda peer: target, "127.0.0.1", 0) as server,
            connect(server.url, SearchStub, headers=headers) as search,
        ):
            with deadline(PATIENCE):
                assert await search.count([]) == 0
        assert target.left == [None]

    async def test_a_batch_has_it_in_a_header(self) -> None:
        target = Timed()
        async with serve(lambda peer: target, "127.0.0.1", 0) as server:
            async with connect(server.http_url, SearchStub) as search:
                with deadline(PATIENCE):
                    assert await search.inside("x").count([]) == 0
            async with connect(server.http_url, SearchStub) as search:
                assert await search.count([]) == 0
        assert [left is not None for left in target.left] == [True, True, False]


class TestServing:
    async def test_nested_calls_inherit_what_is_left(self) -> None:
        inner = Timed()
        middle_client, _ = pair(None, inner, calls=True)
        stub = middle_client.main(SearchStub)

        class Middle(Search):
            async def count(self, numbers: list[int]) -> int:
                return await stub.count(numbers)

        client, _ = pair(None, Middle(), calls=True)
        with deadline(PATIENCE):
            await client.main(SearchStub).count([])
        assert inner.left[0] is not None
        assert inner.left[0] <= PATIENCE

    async def test_they_reach_an_object_that_came_home_before_it_was_passed_on(self) -> None:
        left: list[float | None] = []

        class Ours(Counter):
            def increment(self, n: int = 1) -> int:
                left.append(time_left())
                return super().increment(n)

        class Hurried(Desk):
            def use(self, counter: CounterStub, n: int = 1) -> Awaitable[int]:
                with deadline(PATIENCE):
                    return counter.increment(n)

        near, _ = pair(None, Desk(), calls=True)
        far, _ = pair(None, Hurried(), calls=True)
        home = await near.main(DeskStub).same(Ours())
        assert await far.main(DeskStub).use(home, 2) == 2
        assert left[0] is not None
        assert left[0] <= PATIENCE
        home.dispose()

    async def test_of_a_call_that_is_not_declared_only_the_answer_is_late(self) -> None:
        target = Timed()
        client, server = pair(None, target, calls=True)
        with deadline(0.01), pytest.raises(DeadlineExceeded):
            await client.main(SearchStub).count([1])
        assert server.host.running == 1
        target.may_end.set()
        assert await target.outcome() == "returned"

    async def test_a_servers_own_bound_cancels_every_call(self) -> None:
        target = Search()
        async with (
            serve(lambda peer: target, "127.0.0.1", 0, call_timeout=0.01) as server,
            connect(server.url, SearchStub) as search,
        ):
            with pytest.raises(DeadlineExceeded, match=r"longer than 0\.01 s"):
                await search.count([])
            assert await target.outcome() == "cancelled"

    async def test_the_nearer_of_the_two_counts(self) -> None:
        target = Timed()
        async with (
            serve(lambda peer: target, "127.0.0.1", 0, call_timeout=PATIENCE) as server,
            connect(server.url, SearchStub) as search,
        ):
            await search.count([])
            with deadline(1):
                await search.count([])
            with deadline(10 * PATIENCE):
                await search.count([])
        for left, most in zip(target.left, (PATIENCE, 1, PATIENCE), strict=True):
            assert left is not None
            assert left <= most

    async def test_calls_that_wait_for_their_turn_keep_their_own(self) -> None:
        left: list[float | None] = []

        def find(self: Search, word: str) -> list[int]:
            left.append(time_left())
            return []

        target = with_find(find)
        target.may_end.set()
        client, _ = pair(None, target, calls=True)
        search = client.main(SearchStub)
        before = asked(search.count([]))  # which has not begun when the next one comes
        with deadline(PATIENCE):
            second = asked(search.find("x"))
        third = asked(search.find("x"))
        await asyncio.gather(before, second, third)
        assert [one is None for one in left] == [False, True]


class TestBadInput:
    @pytest.mark.parametrize(
        "wire",
        [
            None, 1, "deadline", [], {}, {"deadline": None}, {"deadline": "5"}, {"deadline": True}, {"deadline": -1},
            {"deadline": math.nan}, {"deadline": math.inf}, {"deadline": 1e300}, {"deadline": 10**30},
            {"deadline": {"deadline": {}}}, {"traceparent": 5}, {"traceparent": "x" * 513}, {"n" * 65: "x"},
            {str(index): "x" for index in range(MOST_ITEMS + 1)}, {"deep": [[[[[]]]]]},
        ],
    )  # fmt: skip
    def test_what_is_not_as_it_should_be_is_ignored(self, wire: Any) -> None:
        assert read(wire) is None

    def test_what_is_as_it_should_be_is_taken_from_what_is_not(self) -> None:
        carried = read({"deadline": -5, "traceparent": "00-ab", "other": [1], "x": "y"})
        assert carried is not None
        assert carried.seconds is None
        assert carried.metadata == {"traceparent": "00-ab", "x": "y"}

    @pytest.mark.parametrize("header", [None, "", "x", "[]", "{}", "[" * 3000, "x" * 5000])
    def test_a_header_that_says_nothing_is_ignored(self, header: str | None) -> None:
        assert read_header(header) is None

    @pytest.mark.parametrize("metadata", [{"x": "y" * 513}, {"deadline": "1"}, {"n" * 65: ""}, {"x": 1}])
    def test_what_peers_would_ignore_is_not_sent(self, metadata: Any) -> None:
        with pytest.raises(ValueError, match="cannot be sent"):
            written(1, metadata)

    @pytest.mark.parametrize("third", ['{"deadline":-1}', "[[[[1]]]]", '{"deadline":1e999}', "null", '"x"'])
    @pytest.mark.parametrize("agreed", [True, False])
    async def test_the_call_is_answered_all_the_same(self, third: str, agreed: bool) -> None:
        client, server = pair(None, Timed(), calls=agreed)
        tape = Tape(server)
        server.session.receive(f'["push",["pipeline",0,["count"],[[[]]]],{third}]'.encode())
        server.session.receive(b'["pull",1]')
        while not any(message[0] == "resolve" for message in tape.messages):
            await asyncio.sleep(0)
            server.flush()
        assert not server.session.closed
        assert client.session.closed is False

    async def test_no_time_left_is_late_at_once(self) -> None:
        _, server = pair(None, Search(), calls=True)
        tape = Tape(server)
        server.session.receive(b'["push",["pipeline",0,["find"],["x"]],{"deadline":0}]')
        server.session.receive(b'["pull",1]')
        async with asyncio.timeout(PATIENCE):
            while not tape.messages:
                await asyncio.sleep(0.001)
                server.flush()
        assert tape.messages[0][:2] == ["reject", 1]
        assert tape.messages[0][2][1] == "DeadlineExceeded"


class SearchBlockingStub(BlockingStub, of=SearchStub):
    def find(self, word: str) -> list[int]:
        found: list[int] = self._call_any(SearchSpec.find, word)
        return found


async def test_blocking_stubs_are_bounded_too() -> None:
    target = Search()

    def find(url: str) -> None:
        with (
            connect_blocking(url, SearchBlockingStub) as search,
            deadline(0.05),
            pytest.raises(DeadlineExceeded),
        ):
            search.find("x")

    async with serve(lambda peer: target, "127.0.0.1", 0) as server:
        await asyncio.to_thread(find, server.url)
        assert await target.outcome() == "cancelled"


def test_it_is_an_error_of_the_wire_and_a_timeout() -> None:
    assert issubclass(DeadlineExceeded, RpcError)
    assert issubclass(DeadlineExceeded, TimeoutError)
