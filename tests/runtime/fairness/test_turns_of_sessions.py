"""While one session is busy the others go on, and what waits keeps its order. Turns are as short as can be here: one
slice of work each, so that their number counts work, not time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime.driving import turns
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.objects.stub import RpcPromise
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.testing import pair
from tests.runtime.example import Counter, Desk, DeskStub

ADD = b'["push",["pipeline",0,["add"],[1,2]]]'


@pytest.fixture(autouse=True)
def turns_of_one_slice(monkeypatch: pytest.MonkeyPatch, turns_without_end: None) -> None:
    monkeypatch.setattr(turns, "TURN", 0.0)


class End:
    """The server's end of a session, and what it has written."""

    def __init__(self, main: RpcTarget) -> None:
        self.written: list[Any] = []
        self.behind: list[bool] = []
        self.connection = Connection(main, plans=True)
        self.connection.tell_when_behind(self.behind.append)
        self.connection.attach(self)

    def write(self, messages: list[Any]) -> None:
        self.written += map(json.loads, messages)

    def close(self, reason: BaseException) -> None:
        self.connection.lost(reason)

    def buffered(self) -> int:
        return 0

    def hear(self, *messages: Any) -> None:
        """Messages that arrive together, each text or a tree."""
        texts = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
        self.connection.received(texts)

    def answered(self) -> list[int]:
        """The calls that have been answered, in the order of their answers."""
        return [message[1] for message in self.written if message[0] in ("resolve", "reject")]

    async def finish(self) -> int:
        """Lets turns pass until nothing waits; how many it took."""
        count = 0
        while self.connection.behind:
            await asyncio.sleep(0)
            count += 1
        await asyncio.sleep(0)
        return count


async def iterations(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def interrupted(busy: End, more: Callable[[], int]) -> None:
    """Another session is answered at once, in every turn of a busy one, and the busy one goes on with its own."""
    other = End(Desk())
    number, progress = 0, []
    while busy.connection.behind:
        number += 1
        other.hear(ADD, ["pull", number], ["release", number, 1])
        assert other.answered() == list(range(1, number + 1))
        progress.append(more())
        await asyncio.sleep(0)
    assert number > 5
    assert sorted(progress) == progress
    assert len(set(progress)) > 5


class TestMessages:
    async def test_many_that_arrive_together_are_taken_in_turns_and_in_order(self) -> None:
        busy = End(Desk())
        busy.hear(*[text for number in range(1, 2001) for text in (ADD, ["pull", number])])
        assert 10 < len(busy.answered()) < 500
        await interrupted(busy, lambda: len(busy.answered()))
        assert busy.answered() == list(range(1, 2001))

    async def test_what_arrives_while_some_wait_comes_after_them(self) -> None:
        desk = Desk()
        busy = End(desk)
        for start in range(0, 900, 300):
            busy.hear(*[["push", ["pipeline", 0, ["add"], [number, 0]]] for number in range(start, start + 300)])
        await busy.finish()
        assert desk.log == [("add", number, 0) for number in range(900)]

    async def test_long_ones_are_taken_one_by_one(self) -> None:
        busy = End(Desk())
        large = b'["push",[[' + b",".join([b"{}"] * 40_000) + b"]]]"
        busy.hear(*[large] * 10, ADD, ["pull", 11])
        await interrupted(busy, lambda: busy.connection.stats().messages_received)
        assert busy.answered() == [11]

    async def test_the_transport_is_told_while_some_wait(self) -> None:
        busy = End(Desk())
        busy.hear(ADD)
        assert busy.behind == []
        busy.hear(*[ADD] * 1000)
        assert busy.behind == [True]
        busy.hear(*[ADD] * 10)
        await busy.finish()
        assert busy.behind == [True, False]

    async def test_what_came_before_the_end_is_taken_before_it(self) -> None:
        desk = Desk()
        busy = End(desk)
        busy.hear(*[ADD] * 1000)
        busy.connection.lost(SessionClosed("gone"))
        assert not busy.connection.closed
        await busy.finish()
        assert busy.connection.closed
        assert len(desk.log) == 1000

    async def test_a_session_that_ends_drops_what_waits(self) -> None:
        desk = Desk()
        busy = End(desk)
        busy.hear(*[ADD] * 1000)
        busy.connection.abort(SessionClosed("enough"), notify=False)
        done = len(desk.log)
        await busy.finish()
        assert len(desk.log) == done

    async def test_short_ones_are_not_put_off(self) -> None:
        ends = [End(Desk()) for _ in range(50)]
        for number in range(1, 20):
            for end in ends:
                end.hear(ADD, ["pull", number], ["release", number, 1])
            await asyncio.sleep(0)
        assert not any(end.behind for end in ends)


class TestWhatMessagesCause:
    async def test_a_long_map_is_applied_in_turns(self) -> None:
        busy = End(Desk())
        busy.hear(["push", [[0] * 4000]], ["push", ["remap", 1, [], [], [1]]], ["pull", 2], ADD, ["pull", 3])
        assert busy.answered() == []
        account = busy.connection.host.account
        await interrupted(busy, lambda: account.spent)
        assert busy.answered() == [2, 3]
        assert busy.written[0] == ["resolve", 2, [[1] * 4000]]

    async def test_so_is_one_within_another(self) -> None:
        busy = End(Desk())
        body = [["remap", 0, [], [], [[[["pipeline", 0]]]]]]
        busy.hear(
            ["push", [[[[7] * 2000]]]], ["push", ["remap", 1, [], [], body]], ["push", ["pipeline", 2]], ["pull", 3]
        )
        await interrupted(busy, lambda: busy.connection.host.account.spent)
        await busy.finish()
        assert busy.written[-1] == ["resolve", 3, [[[[[[7]]] * 2000]]]]

    async def test_so_is_one_of_a_single_element_that_has_many_literals(self) -> None:
        busy = End(Desk())
        literals = [[[number]] for number in range(900)]
        busy.hear(["push", 5], ["push", ["remap", 1, [], [], literals]], ["pull", 2])
        assert busy.answered() == []
        await interrupted(busy, lambda: busy.connection.host.account.spent)
        await busy.finish()
        assert busy.written == [["resolve", 2, [[899]]]]

    @pytest.mark.parametrize(
        "literal",
        [[[[[0]]] * 10_000], {str(number): {"a": {}} for number in range(10_000)}],
        ids=["lists", "objects"],
    )
    @pytest.mark.parametrize("mapped", [False, True], ids=["plan", "map"])
    async def test_a_plan_is_read_in_turns_though_it_is_one_instruction(self, literal: Any, *, mapped: bool) -> None:
        busy = End(Desk())
        instruction = ["remap", 0, [], [], [literal]] if mapped else literal
        busy.hear(["push", ["remap", 0, [], [], [["plan", 1], instruction, ["nothing"]]]], ["pull", 1])
        await interrupted(busy, lambda: busy.connection.host.account.spent)
        assert busy.written[-1][:2] == ["reject", 1]
        assert busy.written[-1][2][2].startswith("plan[3]: ")

    async def test_what_a_plan_has_held_is_given_back_in_turns(self) -> None:
        desk = Desk()
        busy = End(desk)
        calls = [["pipeline", 0, ["counter"], [number]] for number in range(900)]
        busy.hear(["push", ["remap", 0, [], [], [["plan", 1], *calls, 5]]], ["pull", 1])
        await interrupted(busy, lambda: sum(counter.disposed for counter in desk.made))
        assert all(counter.disposed == 1 for counter in desk.made)

    async def test_maps_within_maps_come_to_the_same_in_turns_though_what_they_are_over_is_given_up(self) -> None:
        async with pair(Desk(), DeskStub) as desk:

            def sums(n: RpcPromise[int]) -> Any:
                return desk.ints(n).map(lambda m: desk.ints(3).map(lambda k: desk.add(m, k)))

            expected = [[[m + k for k in range(3)] for m in range(n)] for n in range(60)]
            assert await desk.ints(60).map(sums) == expected

    async def test_capabilities_are_mapped_over_in_turns_though_their_list_is_given_up(self) -> None:
        target = Desk()
        async with pair(target, DeskStub) as desk:
            counts = desk.ints(60).map(lambda n: desk.counters(n).map(lambda counter: counter.increment(1)))
            assert await counts == [[*range(1, n + 1)] for n in range(60)]
            counts.dispose()
            await desk.nothing()
        assert {counter.disposed for counter in target.made} == {1}

    async def test_those_who_wait_for_a_promise_go_on_in_turns_and_in_order(self) -> None:
        desk = Desk()
        busy = End(desk)
        busy.hear(["push", ["pipeline", 0, ["holdCounter"], ["gate"]]])
        calls = [["push", ["pipeline", 1, ["increment"], [1]]] for _ in range(3000)]
        busy.hear(*calls, *[["pull", number] for number in range(2, 3002)])
        await busy.finish()
        counter = Counter()
        desk.held["gate"].resolve(counter)
        assert counter.count < 1000
        await interrupted(busy, lambda: counter.count)
        await busy.finish()
        results = {message[1]: message[2] for message in busy.written}
        assert results == {number: number - 1 for number in range(2, 3002)}

    async def test_a_long_chain_of_results_goes_on_in_turns(self) -> None:
        desk = Desk()
        busy = End(desk)
        busy.hear(["push", ["pipeline", 0, ["hold"], ["gate"]]])
        busy.hear(*[["push", ["pipeline", number, []]] for number in range(1, 3000)], ["pull", 3000])
        await busy.finish()
        desk.held["gate"].resolve(5)
        assert busy.answered() == []
        await interrupted(busy, lambda: busy.connection.host.account.spent)
        await busy.finish()
        assert busy.written == [["resolve", 3000, 5]]

    async def test_a_composite_is_encoded_in_a_turn_of_its_own(self) -> None:
        busy = End(Desk())
        busy.hear(["push", [["x"] * 5000]], ["push", [[["pipeline", 1]] * 10]], ["push", ["pipeline", 2]])
        busy.hear(*[["push", ["pipeline", 2]] for _ in range(10)], *[["pull", number] for number in range(3, 14)])
        assert len(busy.answered()) < 3
        await interrupted(busy, lambda: len(busy.answered()))
        assert sorted(busy.answered()) == list(range(3, 14))

    async def test_calls_that_wait_behind_a_coroutine_start_in_turns(self) -> None:
        desk = Desk()

        async def hold(name: str) -> int:
            return 0

        desk.hold = hold  # type: ignore[method-assign]  # a coroutine in the place of a cell
        busy = End(desk)
        busy.hear(
            ["push", ["pipeline", 0, ["hold"], ["x"]]],
            *[["push", ["pipeline", 0, ["add"], [n, 0]]] for n in range(900)],
        )
        await busy.finish()
        await iterations(3)
        await busy.finish()
        assert desk.log == [("add", number, 0) for number in range(900)]

    async def test_what_a_lost_session_leaves_behind_is_disposed_in_turns(self) -> None:
        desk = Desk()
        busy = End(desk)
        for start in range(1, 3001, 100):
            busy.hear(*[["push", ["pipeline", 0, ["counter"], [number]]] for number in range(start, start + 100)])
            busy.hear(*[["pull", number] for number in range(start, start + 100)])
            busy.hear(*[["release", number, 1] for number in range(start, start + 100)])
            await busy.finish()
        busy.connection.lost(SessionClosed("gone"))
        assert busy.connection.closed
        assert sum(counter.disposed for counter in desk.made) < 1000
        await interrupted(busy, lambda: sum(counter.disposed for counter in desk.made))
        assert all(counter.disposed == 1 for counter in desk.made)
