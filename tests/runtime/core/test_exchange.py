"""What goes out: ids, what is taken back, what follows a message, and what happens past a limit."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from capnweb_runtime import AnyStub, LimitExceeded
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.exchange import STREAM_BACKLOG
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.refs import PlainPromise
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import ProtocolError, RpcError
from capnweb_runtime.limits import Limits
from tests.runtime.conftest import Join
from tests.runtime.example import Counter, Desk, DeskStub
from tests.runtime.ids import shown
from tests.runtime.pair import Side, begin, is_pending, outcome
from tests.runtime.stream_example import Depot, Joined, Producer, collected, within


def side(limits: Limits | None = None) -> tuple[Side, AnyStub]:
    made = Side(None, limits or Limits())
    return made, made.main(AnyStub)


def trees(made: Side) -> list[Any]:
    return [json.loads(text) for text in made.take()]


def promised(made: Side) -> tuple[Cell[Any], PlainPromise]:
    """A promise of something on this side, and the cell that settles it."""
    cell: Cell[Any] = Cell()
    return cell, PlainPromise(PromiseHook(cell, made.host))


def resolve(made: Side, cell: Cell[Any], value: Any) -> None:
    cell.resolve(PayloadHook(Payload(value), made.host))


class TestTakingBack:
    """A message that cannot be encoded leaves nothing behind."""

    @pytest.mark.parametrize("bad", [object(), {1, 2}, {1: 2}, 1j], ids=shown)
    def test_what_a_refused_call_had_exported(self, bad: Any) -> None:
        made, main = side()
        counters = [Counter(), Counter()]
        with pytest.raises(TypeError):
            _ = main.call("f", counters[0], [counters[1], lambda: 1], promised(made)[1], bad)
        assert made.take() == []
        assert sorted(made.session._exports) == [0]
        assert [counter.disposed for counter in counters] == [1, 1]
        _ = main.call("f", Counter())
        assert trees(made)[0] == ["push", ["pipeline", 0, ["f"], [["export", -5]]]]  # no id is used twice

    def test_what_a_refused_result_had_exported(self) -> None:
        made = Side(Desk())
        counter = Counter()
        desk: Any = made.session._exports[0].hook
        desk.target.echo = lambda value: [counter, object()]
        answers = made.hear(["push", ["pipeline", 0, ["echo"], [1]]], ["pull", 1])
        assert [json.loads(text)[:2] for text in answers] == [["reject", 1]]
        assert counter.disposed == 1
        assert sorted(made.session._exports) == [0, 1]

    def test_a_property_of_an_error_that_cannot_be_sent(self) -> None:
        made, main = side()
        counter = Counter()
        _ = main.call("f", RpcError("e", good=1, bad=[counter, object()], late=Counter()))
        [push] = trees(made)
        assert push[1][3] == [["error", "Error", "e", None, {"good": 1, "late": ["export", -2]}]]
        assert counter.disposed == 1

    async def test_a_pipe_for_a_property_of_an_error_that_cannot_be_sent(self) -> None:
        joined = Joined(Depot())
        producer = Producer(range(3))
        came = await joined.depot.echo([RpcError("e", bad=[producer.run(), object()])])
        assert came[0].props == {}
        assert producer.given == 0
        assert joined.to_b.sent[0] == ["pipe"]
        assert ["release", 1, 1] in joined.to_b.sent
        await joined.assert_empty()

    def test_an_encoding_that_sends_messages_itself_keeps_the_counts_apart(self) -> None:
        made, main = side()

        class Nosy(Counter):
            """Calls the peer while it is being exported."""

            def _export(self, host: Any) -> Any:
                _ = main.call("inner", Counter())
                return super()._export(host)

        with pytest.raises(TypeError):
            _ = main.call("outer", Counter(), Nosy(), object())
        assert trees(made) == [["push", ["pipeline", 0, ["inner"], [["export", -2]]]], ["release", 1, 1]]
        assert sorted(made.session._exports) == [-2, 0]  # the inner one's stays


class TestWhatFollows:
    """Promises in a message are resolved after it, with ids that both sides count alike."""

    def test_the_resolution_of_a_promise_comes_after_its_message(self) -> None:
        made, main = side()
        known, first = promised(made)
        resolve(made, known, 7)
        open_, second = promised(made)
        call = main.call("f", first, second)
        assert trees(made) == [
            ["push", ["pipeline", 0, ["f"], [["promise", -1], ["promise", -2]]]],
            ["resolve", -1, 7],
        ]
        resolve(made, open_, "later")
        assert trees(made) == [["resolve", -2, "later"]]
        call.dispose()

    def test_a_promise_that_fails_is_rejected(self) -> None:
        made, main = side()
        cell, promise = promised(made)
        call = main.call("f", promise)
        cell.reject(KeyError("k"))
        assert trees(made)[-1][:2] == ["reject", -1]
        call.dispose()

    def test_one_that_the_peer_gives_up_is_not_resolved(self) -> None:
        made, main = side()
        cell, promise = promised(made)
        call = main.call("f", promise)
        made.hear(["release", -1, 1])
        resolve(made, cell, 7)
        assert ["resolve", -1, 7] not in trees(made)
        call.dispose()

    async def test_streams_in_a_promise_that_is_known_already_take_ids_after_the_message(self) -> None:
        async def at_once() -> Any:
            return Producer("ab").run()

        for eager in (False, True):
            joined = Joined(Depot(do=collected))
            joined.a.host._eager = eager and joined.a.host._eager
            assert await within(joined.depot.do(at_once())) == ["a", "b"]
            assert await within(joined.depot.echo(1)) == 1
            await joined.assert_empty()

    async def test_the_first_chunk_comes_after_the_message_that_names_the_pipe(self) -> None:
        joined = Joined(Depot(do=collected))
        assert await within(joined.depot.do(Producer("ab").run())) == ["a", "b"]
        kinds = joined.to_b.kinds()
        assert kinds[:2] == ["pipe", "push"]
        assert kinds.index("stream") > 1
        await joined.assert_empty()


class TestAnswers:
    def test_a_result_that_is_a_promise_is_waited_for(self) -> None:
        made = Side(Desk())
        desk: Any = made.session._exports[0].hook.target  # type: ignore[attr-defined]  # a TargetHook
        cell, promise = promised(made)
        desk.echo = lambda value: promise
        assert made.hear(["push", ["pipeline", 0, ["echo"], [1]]], ["pull", 1]) == []
        resolve(made, cell, 7)
        assert trees(made) == [["resolve", 1, 7]]

    def test_a_promise_of_the_peers_as_a_result_is_waited_for_and_not_named(self) -> None:
        made = Side(Desk())
        answers = made.hear(["push", ["pipeline", 0, ["echo"], [["promise", -1]]]], ["pull", 1], ["resolve", -1, 5])
        assert [json.loads(text) for text in answers] == [["release", -1, 1], ["resolve", 1, 5]]

    def test_an_answer_after_the_release_is_not_sent(self) -> None:
        desk = Desk()
        made = Side(desk)
        made.hear(["push", ["pipeline", 0, ["hold"], ["a"]]], ["pull", 1], ["release", 1, 1])
        assert made.session.stats().calls == 1
        desk.held["a"].resolve(1)
        assert made.take() == []
        assert made.session.stats().calls == 0

    def test_a_write_is_answered_and_released_by_itself(self) -> None:
        made = Side(Desk())
        answers = made.hear(["stream", ["pipeline", 0, ["add"], [1, 2]]])
        assert answers == ['["resolve",1,3]']
        assert sorted(made.session._exports) == [0]
        made.hear(["pull", 1])
        assert "no such export ID: 1" in str(made.session.reason)


class TestPipes:
    def test_the_readable_end_is_taken_once(self) -> None:
        made, _ = side()
        made.hear(["pipe"])
        assert isinstance(made.session.take_readable(1), Pipe)
        with pytest.raises(ProtocolError, match=r"^Export 1 is not a pipe or its readable end was already consumed\.$"):
            made.session.take_readable(1)

    @pytest.mark.parametrize("number", [0, 7, -1])
    def test_nothing_else_is_a_pipe(self, number: int) -> None:
        made, _ = side()
        with pytest.raises(ProtocolError, match=f"^Export {number} is not a pipe"):
            made.session.take_readable(number)

    def test_pipes_and_calls_count_together(self) -> None:
        made = Side(Desk())
        made.hear(["pipe"], ["push", ["pipeline", 0, ["add"], [1, 2]]], ["pipe"])
        assert sorted(made.session._exports) == [0, 1, 2, 3]
        assert made.hear(["pull", 2]) == ['["resolve",2,3]']

    def test_a_released_pipe_is_broken_for_its_reader(self) -> None:
        made, _ = side()
        made.hear(["pipe"])
        pipe = made.session.take_readable(1)
        made.hear(["release", 1, 1])
        errors: list[BaseException] = []
        pipe.read().then(lambda _: None, errors.append)
        assert [str(error) for error in errors] == ["WritableStream RPC stub was disposed without calling close()"]

    def test_the_end_of_the_session_breaks_pipes_with_its_reason(self) -> None:
        made, _ = side()
        made.hear(["pipe"])
        pipe = made.session.take_readable(1)
        errors: list[BaseException] = []
        pipe.read().then(lambda _: None, errors.append)
        made.hear(["abort", ["error", "Error", "power cut"]])
        assert [str(error) for error in errors] == ["the peer aborted the session: power cut"]


class TestLimits:
    def full(self) -> tuple[Side, AnyStub]:
        made, main = side(Limits(imports=3))
        self.kept = [main.call("f"), main.call("g")]
        made.take()
        return made, main

    def test_a_call_past_the_limit_fails_and_exports_nothing(self) -> None:
        made, main = self.full()
        promise = main.call("h", Counter())
        with pytest.raises(LimitExceeded):
            outcome(_begun(promise))
        assert made.take() == []
        assert sorted(made.session._exports) == [0]

    def test_so_does_a_map(self) -> None:
        made, _ = self.full()
        with pytest.raises(LimitExceeded):
            outcome(_begun(self.kept[0].map(lambda n: n)))
        assert made.take() == []

    def test_and_a_stream(self) -> None:
        made, main = self.full()

        async def stream() -> Any:
            yield 1

        promise = main.call("h", stream())
        with pytest.raises(LimitExceeded):
            outcome(_begun(promise))
        assert made.take() == []

    def test_a_result_makes_room(self) -> None:
        made, main = self.full()
        made.hear(["resolve", 1, 7])
        again = main.call("h")
        assert is_pending(again)
        assert trees(made)[0] == ["push", ["pipeline", 0, ["h"], []]]
        again.dispose()

    def test_nothing_is_sent_after_the_end(self) -> None:
        made, main = side()
        made.session.abort(RpcError("over"), notify=False)
        for promise in (main.call("f"), main.get("p"), main.call("f").map(lambda n: n)):
            with pytest.raises(RpcError, match="over"):
                outcome(_begun(promise))
        assert made.take() == []


class TestBacklog:
    """Streams wait while much is waiting to be written, so that a call does not wait behind them."""

    def test_there_is_none_until_much_waits_and_after_it_was_written(self) -> None:
        made, main = side()
        assert made.session.backlog() is None
        kept = [main.call("f", "x" * STREAM_BACKLOG)]
        backlog = made.session.backlog()
        assert backlog is not None
        assert made.session.backlog() is backlog
        made.take()
        assert backlog.fulfilled
        assert made.session.backlog() is None
        kept.clear()

    def test_it_ends_with_the_session(self) -> None:
        made, main = side()
        _ = main.call("f", "x" * STREAM_BACKLOG)
        backlog = made.session.backlog()
        assert backlog is not None
        made.session.abort(RpcError("over"))
        assert backlog.fulfilled
        assert made.session.backlog() is None

    def test_writes_that_are_not_acknowledged_take_up_half_of_the_imports_at_most(self) -> None:
        made, main = side(Limits(imports=6))
        for _ in range(3):
            assert made.session.backlog() is None
            main._hook.stream(("write",), Payload(["x"]))
        backlog = made.session.backlog()
        assert backlog is not None
        made.hear(["resolve", 2, ["undefined"]])
        assert backlog.fulfilled
        assert made.session.backlog() is None

    async def test_many_small_chunks_pass_however_few_writes_may_be_open(self) -> None:
        joined = Joined(Depot(take=collected), limits=Limits(imports=6))
        streams = [joined.depot.take(Producer(range(200)).run()) for _ in range(1)]
        assert await within(asyncio.gather(*streams)) == [list(range(200))]
        await joined.assert_empty()


class TestMap:
    def test_what_the_peer_knows_is_captured_by_its_id_and_the_rest_is_exported(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        counter = Counter(5)
        home: Any = pair.wait(desk.same(counter))
        pair.a.sent.clear()
        result = desk.ints(2).map(lambda n: (desk.add(n, 1), home.increment(n)))
        assert pair.wait(result) == [(1, 5), (2, 6)]
        [remap] = [json.loads(text) for text in pair.a.sent if "remap" in text]
        assert remap[1][3] == [["import", 0], ["export", -2]]
        home.dispose()


def test_stubs_as_arguments_by_every_way_in_which_the_peer_can_know_them(join: Join) -> None:
    pair = join(None, Desk())
    desk = pair.a.main(DeskStub)
    counter = pair.wait(desk.counter(1))
    pending, ours = desk.counter(2), Counter(3)
    pair.a.sent.clear()
    totals = desk.totals([counter, pending, ours])
    assert json.loads(pair.a.take()[-1])[1][3] == [[[["import", -1], ["pipeline", 2], ["export", -1]]]]
    pair.a.on_its_way.extend(pair.a.sent)
    assert pair.wait(totals) == [1, 2, 3]
    counter.dispose()


def _begun(promise: Any) -> Any:
    begin(promise)
    return promise
