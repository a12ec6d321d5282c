"""Every bound, passed on purpose: what ends, what the peer is told, and that nothing else ends."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
from typing import Any, ClassVar

import pytest

from capnweb_runtime import Blob, LimitExceeded, SessionClosed
from capnweb_runtime.core.held import EXPORT
from capnweb_runtime.core.hook import Hook
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from tests.runtime.example import Desk, DeskStub
from tests.runtime.pair import Pair, Side
from tests.runtime.stream_example import Depot, Joined, Producer, collected, within

KIB = 1024
CALL = ["push", ["pipeline", 0, ["add"], [1, 2]]]


def small(**bounds: int) -> Limits:
    return dataclasses.replace(DEFAULT_LIMITS, **bounds)


def nested(levels: int) -> Any:
    tree: Any = 1
    for _ in range(levels):
        tree = {"k": tree}
    return tree


def ints(count: int) -> list[Any]:
    return ["push", ["pipeline", 0, ["ints"], [count]]]


def hooks() -> int:
    """How many there are in this process."""
    gc.collect()
    return sum(isinstance(thing, (Hook, PlainStub)) for thing in gc.get_objects())


def test_every_bound_has_a_default() -> None:
    for field in dataclasses.fields(Limits):
        value = getattr(DEFAULT_LIMITS, field.name)
        if field.name == "cost":
            assert value is None  # since without a schema that says so, nobody knows what costs how much
            continue
        assert type(value) is (float if field.name == "cost_window" else int)
        assert 0 < value < 2**31, field.name


class TestTheSession:
    """Bounds whose passing ends the session: what comes cannot be told apart from the rest, or be refused alone."""

    CASES: ClassVar[list[Any]] = [
        pytest.param(
            small(message_size=1000), [["push", ["pipeline", 0, ["echo"], ["x" * 1000]]]],
            "Incoming message exceeds maximum size of 1000 bytes", id="message_size",
        ),
        pytest.param(
            small(depth=10), [["push", ["pipeline", 0, ["echo"], [nested(10)]]]],
            "Deserialization exceeded maximum allowed message depth of 10", id="depth",
        ),
        pytest.param(
            small(bigint_digits=100), [["push", ["bigint", "9" * 101]]], "bigint", id="bigint_digits",
        ),
        pytest.param(
            small(exports=50), [CALL] * 50, "the peer holds 50 capabilities and calls", id="exports, of calls",
        ),
        pytest.param(
            small(exports=50), [["pipe"]] * 50, "the peer holds 50 capabilities and calls", id="exports, of pipes",
        ),
        pytest.param(
            small(exports=50),
            [message for number in range(1, 50) for message in (["push", ["pipeline", 0, ["counter"], []]],
             ["pull", number], ["release", number, 1])] + [CALL],
            "the peer holds 50 capabilities and calls", id="exports, of capabilities in results",
        ),
        pytest.param(
            small(imports=50), [["push", ["pipeline", 0, ["echo"], [[[["export", -n] for n in range(1, 51)]]]]]],
            "are held of the peer", id="imports, of capabilities",
        ),
        pytest.param(
            small(imports=50), [["push", [[["promise", -n] for n in range(1, 51)]]]],
            "are held of the peer", id="imports, of promises",
        ),
    ]  # fmt: skip

    @pytest.mark.parametrize(("limits", "messages", "reason"), CASES)
    def test_it_ends_with_a_reason_and_the_others_go_on(self, limits: Limits, messages: list[Any], reason: str) -> None:
        desk = Desk()
        greedy, other = Side(desk, limits), Side(desk, limits)
        other.hear(CALL)
        for message in messages:
            greedy.session.receive(json.dumps(message))
        assert greedy.session.closed
        assert reason in str(greedy.closed_with[0])
        told = [json.loads(text) for text in greedy.take()]
        assert told[-1][0] == "abort"
        assert reason in told[-1][1][2]
        assert greedy.session.stats().exports == 0
        assert other.hear(["pull", 1]) == ['["resolve",1,3]']

    @pytest.mark.parametrize(("limits", "messages", "reason"), CASES)
    def test_just_below_it_lives(self, limits: Limits, messages: list[Any], reason: str) -> None:
        doubled = {
            field.name: 2 * bound for field in dataclasses.fields(Limits) if (bound := getattr(limits, field.name))
        }
        side = Side(Desk(), Limits(**doubled))
        side.hear(*messages)
        assert side.session.reason is None

    def test_what_it_held_is_given_back(self) -> None:
        desk = Desk()
        side = Side(desk, small(exports=20))
        for number in range(1, 10):
            side.hear(["push", ["pipeline", 0, ["counter"], []]], ["pull", number])
        side.hear(*[CALL] * 20)
        assert side.session.closed
        gc.collect()
        side.take()
        assert [counter.disposed for counter in desk.made] == [1] * 9

    def test_a_hundred_thousand_calls_that_are_never_pulled(self) -> None:
        side = Side(Desk())
        text = json.dumps(CALL)
        for _ in range(DEFAULT_LIMITS.exports - 1):
            side.session.receive(text)
        assert side.session.reason is None
        assert side.take() == []
        side.session.receive(text)
        assert isinstance(side.session.reason, LimitExceeded)
        assert side.session.stats().exports == 0


class TestWhatIsHeld:
    """Bytes that the peer makes this side hold, over all calls and streams of a session."""

    def test_calls_that_are_never_released_end_the_session(self) -> None:
        side = Side(Desk(), small(held_bytes=50_000))
        for _ in range(9):
            side.hear(["push", ["pipeline", 0, ["echo"], ["x" * 5000]]])
        assert side.session.reason is None
        side.hear(["push", ["pipeline", 0, ["echo"], ["x" * 5000]]])
        assert "more than 50000 bytes are held for the peer" in str(side.session.reason)
        assert side.sent[-1].startswith('["abort",["error",')

    def test_calls_that_are_released_do_not_add_up(self) -> None:
        side = Side(Desk(), small(held_bytes=50_000))
        for number in range(1, 100):
            side.hear(["push", ["pipeline", 0, ["echo"], ["x" * 5000]]], ["pull", number], ["release", number, 1])
        assert side.session.reason is None
        assert side.session.held.bytes == EXPORT  # of the main object

    async def test_streams_that_are_never_read_break_one_by_one_and_calls_go_on(self) -> None:
        joined = Joined(Depot(take=lambda stream: asyncio.get_running_loop().create_future()),
                        limits=small(held_bytes=500_000))  # fmt: skip
        streams = [joined.depot.take(Producer(["x" * 64 * KIB] * 10).run()) for _ in range(4)]
        await joined.quiet()
        assert joined.b.session.reason is None
        rejected = [message[2][2] for message in joined.to_a.sent if message[0] == "reject"]
        assert rejected
        assert all("more than 500000 bytes are held for the peer" in text for text in rejected)
        assert await joined.depot.echo("fine") == "fine"
        joined.b.host.cancel_all()
        with pytest.raises(Exception, match="cancelled"):
            await within(streams[0])
        await joined.quiet()
        gc.collect()


class TestTheCall:
    """Bounds whose passing ends that call only."""

    def answer(self, side: Side, number: int) -> Any:
        [answer] = [json.loads(text) for text in side.hear(["pull", number])]
        assert answer[:2] in (["resolve", number], ["reject", number])
        return answer

    def test_a_map_that_expands_to_too_much(self) -> None:
        side = Side(Desk(), small(map_steps=1000))
        side.hear(ints(100))
        side.hear(["push", ["remap", 1, [], [], [["pipeline", 0]] * 11]])
        [kind, _, error] = self.answer(side, 2)
        assert kind == "reject"
        assert "more than 1000 steps, nested ones included" in error[2]
        side.hear(["push", ["remap", 1, [], [], [["pipeline", 0]] * 9]])
        side.hear(CALL)
        assert self.answer(side, 4) == ["resolve", 4, 3]

    def test_maps_within_maps_share_what_one_message_may_spend(self) -> None:
        side = Side(Desk(), small(map_steps=2000))
        side.hear(ints(20))
        body: list[Any] = [["pipeline", 0]]
        for _ in range(6):  # each level maps over the same twenty: twenty to the seventh, if nothing stops it
            body = [["remap", -1, [], [["import", -1]], body]]
        side.hear(["push", ["remap", 1, [], [["import", 1]], body]])
        side.hear(["pull", 2])
        assert "expands to more than 2000 steps" in "".join(side.sent)
        assert side.session.stats().exports < 5000
        side.hear(CALL)
        assert self.answer(side, 3) == ["resolve", 3, 3]

    @pytest.mark.parametrize("leaf", [0, ["export", -1]], ids=["a number", "a capability"])
    @pytest.mark.parametrize("pulled", [False, True], ids=["not asked for", "asked for"])
    def test_values_that_double_with_every_message(self, leaf: Any, pulled: bool) -> None:
        before = hooks()
        side = Side(Desk(), small(message_work=100))
        side.hear(["push", [[leaf, leaf]]])
        for number in range(1, 10):
            side.hear(["push", [[["pipeline", number], ["pipeline", number]]]])
            if pulled and not side.session.closed:
                side.hear(["pull", number + 1])
        # Two to the tenth if nothing stops it, and as many to send.
        assert hooks() - before < 1000
        assert sum(map(len, side.sent)) < 10_000

    def test_more_calls_that_run_than_allowed(self) -> None:
        desk = Desk()
        side = Side(desk, small(calls=3))
        for number, name in enumerate("abcde", 1):
            side.hear(["push", ["pipeline", 0, ["hold"], [name]]], ["pull", number])
        refused = [json.loads(text) for text in side.sent]
        assert [(message[0], message[1]) for message in refused] == [("reject", 4), ("reject", 5)]
        desk.held["a"].resolve(1)
        assert side.take() == ['["resolve",1,1]']
        side.hear(["push", ["pipeline", 0, ["hold"], ["f"]]], ["pull", 6])
        desk.held["f"].resolve(6)
        assert side.take() == ['["resolve",6,6]']

    def test_pulling_the_same_call_over_and_over(self) -> None:
        desk = Desk()
        side = Side(desk, small(calls=3))
        side.hear(["push", ["pipeline", 0, ["hold"], ["a"]]])
        side.hear(*[["pull", 1]] * 10_000)
        assert side.session.stats().calls == 1
        desk.held["a"].resolve(1)
        assert side.take() == ['["resolve",1,1]']

    def test_our_own_calls_past_the_bound_are_rejected_promises(self) -> None:
        pair = Pair(None, Desk(), small(imports=3))
        desk = pair.a.main(DeskStub)
        kept = [desk.add(1, number) for number in range(2)]
        with pytest.raises(LimitExceeded, match=r"Limits\.imports"):
            pair.wait(desk.add(1, 2))
        assert [pair.wait(promise) for promise in kept] == [1, 2]
        assert pair.wait(desk.add(1, 2)) == 3

    def test_our_own_calls_beyond_what_may_wait_to_be_sent_are_rejected_promises(self) -> None:
        pair = Pair(None, Desk(), small(outbox_bytes=1000))
        desk = pair.a.main(DeskStub)
        kept = [desk.echo("x" * 600) for _ in range(2)]
        for refused in (desk.echo("y"), desk.ints(2).map(lambda number: desk.add(number, 1))):
            with pytest.raises(LimitExceeded, match=r"Limits\.outbox_bytes"):
                pair.wait(refused)
        assert [pair.wait(promise) for promise in kept] == ["x" * 600] * 2
        assert pair.wait(desk.add(1, 2)) == 3
        pair.assert_empty()

    async def test_a_blob_that_is_too_large(self) -> None:
        joined = Joined(Depot(), limits=small(blob_bytes=100_000))
        with pytest.raises(Exception, match="a blob of more than 100000 bytes came in"):
            await within(joined.depot.echo(Blob(b"x" * 200_000)))
        assert await joined.depot.echo(Blob(b"x" * 100_000)) == Blob(b"x" * 100_000)
        await joined.assert_empty()

    async def test_a_blob_in_a_result_that_is_too_large(self) -> None:
        joined = Joined(Depot(do=lambda size: Blob(b"x" * size)), limits=small(blob_bytes=100_000))
        with pytest.raises(Exception, match="a blob of more than 100000 bytes came in"):
            await within(joined.depot.do(200_000))
        assert await joined.depot.do(10) == Blob(b"x" * 10)
        await joined.assert_empty()

    async def test_a_sender_that_minds_no_acknowledgements(self) -> None:
        gate = asyncio.Event()
        seen: list[BaseException] = []

        async def take(stream: Any) -> str:
            await gate.wait()
            try:
                await collected(stream)
            except LimitExceeded as error:
                seen.append(error)
                raise
            return "all of it"

        joined = Joined(Depot(take=take), limits=small(stream_bytes=50_000))
        b = joined.b
        b.received([json.dumps(["pipe"]).encode()])
        b.received([json.dumps(["push", ["pipeline", 0, ["take"], [["readable", 1]]]]).encode(), b'["pull",2]'])
        await asyncio.sleep(0)
        chunk = json.dumps(["stream", ["pipeline", 1, ["write"], ["x" * 10_000]]]).encode()
        b.received([chunk] * 7)
        assert b.session.reason is None
        gate.set()
        await within(b.drained())
        assert [str(error)[:26] for error in seen] == ["more than 50000 bytes of a"]
        rejected = [message for message in joined.to_a.sent if message[0] == "reject"]
        assert len(rejected) == 7 + 1  # the writes, and the call
        assert all("more than 50000 bytes of a stream wait to be read" in message[2][2] for message in rejected)
        b.received([b'["push",["pipeline",0,["echo"],[1]]]', b'["pull",10]'])
        assert joined.to_a.sent[-1] == ["resolve", 10, 1]

    async def test_streams_asked_for_and_never_read_are_bounded_too(self) -> None:
        producers: list[Producer] = []

        def give() -> Any:
            producers.append(Producer(["x" * KIB] * 1000))
            return producers[-1].run()

        joined = Joined(Depot(give=give), limits=small(imports=20))
        joined.to_a.hold()  # nobody acknowledges anything
        for number in range(1, 31):
            joined.b.received([b'["push",["pipeline",0,["give"],[]]]', b'["pull",%d]' % number])
        await joined.quiet()
        assert joined.b.stats().imports <= 21
        refused = [message for message in joined.to_a.sent if message[0] == "reject"]
        assert refused
        assert all("Limits.imports" in message[2][2] for message in refused)
        assert joined.b.session.reason is None

    async def test_a_call_that_is_refused_room_for_its_stream_runs_again_later(self) -> None:
        joined = Joined(Depot(take=collected), limits=small(imports=4))
        with pytest.raises(LimitExceeded):
            await joined.depot.echo([Producer([1]).run() for _ in range(5)])
        await joined.quiet()
        assert await within(joined.depot.take(Producer([1]).run())) == [1]
        await joined.assert_empty()


async def test_other_sessions_of_the_same_server_go_on() -> None:
    depot = Depot()
    greedy, other = Joined(depot, limits=small(exports=10)), Joined(depot, limits=small(exports=10))
    kept = [greedy.depot.echo(number) for number in range(11)]
    with pytest.raises(SessionClosed, match="the peer holds 10 capabilities and calls"):
        await within(kept[0])
    assert await other.depot.echo("fine") == "fine"
    await other.assert_empty()


@pytest.mark.parametrize(
    "message",
    [
        "[" * 1_000_000,
        '["push",' + "[[" * 5_000 + "]]" * 5_000 + "]",
        '["push",' + '{"k":' * 5_000 + "1" + "}" * 5_000 + "]",
        '["push",["bigint","' + "9" * 5_000_000 + '"]]',
        '["push",' + "9" * 5_000_000 + "]",
        '["pull",' + "9" * 400 + "]",
        '["push",["pipeline",0,' + json.dumps(["x"] * 200_000) + ",[]]]",
        '["' + "x" * 1_000_000 + '"]',
        '["push",["' + "x" * 1_000_000 + '"]]',
    ],
    ids=lambda text: text[:24],
)
def test_a_huge_message_is_refused_with_a_short_reason_or_answered(message: str) -> None:
    side = Side(Desk())
    side.hear(message)
    if not side.session.closed:
        side.hear(["pull", 1])
    assert sum(map(len, side.sent)) < 400_000 or side.session.reason is None
    if side.session.closed:
        assert len(side.sent[-1]) < 2_000
        assert side.sent[-1].startswith('["abort",["error"')
