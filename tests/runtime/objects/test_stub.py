"""What users hold: pipelining, order, values and what is refused. Who owns what: test_stub_ownership.py."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.errors import LimitExceeded, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.stub import RpcPromise
from tests.runtime.conftest import Join
from tests.runtime.example import Counter, CounterStub, Desk, DeskStub, Point
from tests.runtime.pair import Pair, Side, begin, is_pending, outcome, run_all


class TestPipelining:
    def test_a_chain_is_one_round_trip(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.counter(5).itself().itself().increment(2)) == 7
        assert pair.a.session.stats().round_trips == 1

    def test_a_promise_as_an_argument_is_one_round_trip(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.add(desk.add(1, 2), desk.counter(desk.add(3, 4)).value)) == 10
        assert pair.a.session.stats().round_trips == 1

    def test_promises_inside_of_lists_and_dicts(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        three = desk.add(1, 2)
        assert pair.wait(desk.echo({"a": [three, {"b": three}], "c": desk.best.title})) == {
            "a": [3, {"b": 3}],
            "c": "Emma",
        }
        names = desk.by_name([desk.best.title, "x"])
        assert pair.wait(names["Emma"].value) == 4

    def test_paths_into_results_that_are_not_there(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        book = desk.book("Emma")
        first = desk.books()[0]
        assert pair.wait(book.title) == "Emma"
        assert pair.wait(book.tags[1]) == "classic"
        assert pair.wait(first.pages) == 474
        assert pair.wait(desk.counters(3)[2].value) == 2
        assert pair.wait(desk.by_name(["ab"])["ab"].increment(1)) == 3

    def test_paths_into_results_that_are_there_ask_nobody(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        book = desk.book("Emma")
        assert pair.wait(book).pages == 474
        sent = len(pair.a.sent)
        assert pair.wait(book.title) == "Emma"
        assert pair.wait(book.tags[0]) == "novel"
        assert pair.wait(book.tags) == ["novel", "classic"]
        place = pair.wait(book.place)
        assert place == Point(x=1, y=2)
        assert len(pair.a.sent) == sent

    def test_a_resolved_promise_as_an_argument_is_its_value(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        three = desk.add(1, 2)
        pair.wait(three)
        assert pair.wait(desk.add(three, three)) == 6
        book = desk.book("Ulysses")
        pair.wait(book)
        assert pair.wait(desk.describe(book)) == "Ulysses, 730 pages"

    def test_a_resolved_promise_of_a_capability_as_an_argument(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        counter = desk.counter(1)
        stub = pair.wait(counter)
        assert pair.wait(desk.use(counter, 4)) == 5
        assert pair.wait(counter.increment(1)) == 6
        stub.dispose()

    def test_calls_on_a_resolved_promise_go_to_what_it_is(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        promise = desk.counter(5)
        with pair.wait(promise):
            assert pair.wait(promise.increment(1)) == 6
            assert '["push",["pipeline",-1,["increment"],[1]]]' in pair.a.sent

    def test_an_error_along_the_way_is_the_error_of_the_end(self, join: Join) -> None:
        class Failing(Desk):
            def counter(self, start: int = 0) -> Any:
                raise ValueError("no counter")

        pair = join(None, Failing())
        desk = pair.a.main(DeskStub)
        with pytest.raises(ValueError, match="no counter"):
            pair.wait(desk.counter().itself().increment())
        with pytest.raises(ValueError, match="no counter"):
            pair.wait(desk.add(desk.counter().value, 1))

    def test_a_path_that_leads_nowhere(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        with pytest.raises(TypeError, match="Cannot read properties of undefined"):
            pair.wait(desk.books()[7].title)
        with pytest.raises(TypeError, match=r"result: expected int, got (an instance of Undefined|undefined)"):
            pair.wait(desk.ints(2)[5])


class TestOrder:
    def test_calls_arrive_in_the_order_in_which_they_were_made(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        promises = [desk.echo(1), desk.add(1, 2), desk.echo(2), desk.nothing()]
        pair.run()
        assert target.log == [("echo", 1), ("add", 1, 2), ("echo", 2), "nothing"]
        assert len(promises) == 4

    def test_calls_on_a_promise_keep_their_order_even_just_after_it_resolves(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        promise = pair.a.main(DeskStub).hold_counter("x")
        begin(promise)
        early = [promise.increment(1), promise.increment(2), promise.increment(10)]
        pair.run()
        counter = Counter(0)
        target.held["x"].resolve(counter)
        pair.step(pair.b)
        late = [promise.increment(100), promise.value]
        assert [pair.wait(each) for each in early] == [1, 3, 13]
        assert [pair.wait(each) for each in late] == [113, 113]
        outcome(promise).dispose()

    def test_a_call_with_an_argument_to_come_may_be_overtaken(self, join: Join) -> None:
        target = Desk()
        pair = join(None, target)
        desk = pair.a.main(DeskStub)
        waiting = desk.add(desk.hold("x"), 1)
        second = desk.add(5, 5)
        pair.run()
        assert target.log == [("hold", "x"), ("add", 5, 5)]
        target.held["x"].resolve(3)
        assert pair.wait(waiting) == 4
        assert pair.wait(second) == 10


class TestPromises:
    def test_several_waits_give_the_same_value(self, join: Join) -> None:
        pair = join(None, Desk())
        promise = pair.a.main(DeskStub).book("Emma")
        assert pair.wait(promise) is pair.wait(promise)

    def test_none_is_a_value(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        assert pair.wait(desk.nothing()) is None
        assert pair.wait(desk.find("nobody")) is None
        assert pair.wait(desk.book("Ulysses").place) is None
        found = pair.wait(desk.find("somebody"))
        assert found is not None
        assert pair.wait(found.value) == 7
        found.dispose()

    def test_a_result_of_another_type_is_a_type_error_with_its_path(self) -> None:
        side = Side()
        promise = side.main(DeskStub).book("x")
        begin(promise)
        side.take()
        side.hear(["resolve", 1, {"title": "t", "pageCount": 1, "tags": [["a", 5]]}])
        with pytest.raises(TypeError, match=r"^result.tags\[1\]: expected str, got int 5$"):
            outcome(promise)
        side.assert_empty()

    def test_capabilities_in_a_result_of_another_type_are_released_with_the_promise(self) -> None:
        side = Side()
        promise = side.main(DeskStub).counters(2)
        begin(promise)
        side.hear(["resolve", 1, [[["export", -1], 5]]])
        with pytest.raises(TypeError, match=r"result\[1\]: expected CounterTarget or CounterStub, got int 5"):
            outcome(promise)
        promise.dispose()
        side.take()
        side.assert_empty()

    def test_promises_in_a_result_are_waited_for(self) -> None:
        side = Side()
        promise = side.main(DeskStub).ints(2)
        begin(promise)
        side.hear(["resolve", 1, [[1, ["promise", -1]]]])
        assert is_pending(promise)
        side.hear(["resolve", -1, 2])
        assert outcome(promise) == [1, 2]
        promise.dispose()
        side.take()
        side.assert_empty()

    def test_a_result_may_name_an_answer_of_ours(self, join: Join) -> None:
        side = Side(Desk())
        desk = side.main(DeskStub)
        side.hear(["push", ["pipeline", 0, ["add"], [1, 2]]])
        promise = desk.add(0, 0)
        begin(promise)
        side.hear(["resolve", 1, ["pipeline", 1]])
        assert outcome(promise) == 3
        wrapped = desk.echo(0)
        begin(wrapped)
        side.hear(["resolve", 2, {"result": ["pipeline", 1]}])
        assert outcome(wrapped) == {"result": 3}

    def test_its_repr_says_what_it_is_of(self) -> None:
        desk = Side().main(DeskStub)
        assert repr(desk.best.tags) == "<ListPromise of a list of str.best.tags from Desk.best>"
        assert repr(desk) == "<DeskStub>"

    def test_items_are_counted_from_the_start(self) -> None:
        with pytest.raises(IndexError, match="counted from its start"):
            _ = Side().main(DeskStub).best.tags[-1]

    @pytest.mark.parametrize(
        ("use", "verb"),
        [
            (lambda promise: bool(promise), "test whether a value is true"),
            (lambda promise: list(promise), "loop over a value"),
            (lambda promise: len(promise), "count"),
            (lambda promise: 1 in promise, "look into"),
            (lambda promise: promise < 1, "compare"),
            (lambda promise: promise + 1, "calculate"),
            (lambda promise: 1 - promise, "calculate"),
            (lambda promise: int(promise), "convert"),
            (lambda promise: f"{promise}", "put a value into text"),
        ],
        ids=["bool", "iter", "len", "in", "lt", "add", "rsub", "int", "format"],
    )
    def test_what_needs_the_value_says_to_await_first(self, use: Any, verb: str) -> None:
        with pytest.raises(TypeError, match=f"await it, then {verb}"):
            use(Side().main(DeskStub).ints(2))

    def test_promises_compare_and_hash_by_identity(self) -> None:
        desk = Side().main(DeskStub)
        first, second = desk.add(1, 2), desk.add(1, 2)
        assert len({first, second, first}) == 2
        assert first == first
        assert first != second


class TestLimits:
    def test_a_call_past_the_limit_is_a_rejected_promise(self) -> None:
        side = Side(limits=Limits(imports=2))
        desk = side.main(DeskStub)
        first, second = desk.add(1, 2), desk.add(1, 2)
        begin(second)
        with pytest.raises(Exception, match=r"Limits\.imports"):
            outcome(second)
        assert not side.session.closed
        first.dispose()
        third = desk.add(1, 2)
        begin(third)
        assert is_pending(third)

    def test_a_call_for_which_there_is_no_room_is_a_rejected_promise(self) -> None:
        side = Side(limits=Limits(outbox_bytes=100))
        desk = side.main(DeskStub)
        first, second = desk.echo("x" * 200), desk.echo("y")
        begin(second)
        with pytest.raises(LimitExceeded, match=r"bytes wait to be sent, and Limits\.outbox_bytes allows 100"):
            outcome(second)
        side.take()
        third = desk.echo("z")
        begin(third)
        assert is_pending(third)
        first.dispose()


class TestThreeParties:
    """A stub of one session that is passed over another one."""

    def test_calls_go_through_and_everything_is_released(self, join: Join) -> None:
        far = Desk()
        near = Desk()
        back = join(None, far)
        front = join(None, near)
        far_desk = back.a.main(DeskStub)

        def wait(promise: RpcPromise[Any]) -> Any:
            begin(promise)
            run_all(front, back)
            return outcome(promise)

        def forward(start: int = 0) -> Any:
            return far_desk.counter(start)

        near.counter = forward  # type: ignore[method-assign]
        desk = front.a.main(DeskStub)
        counter: CounterStub = wait(desk.counter(5))
        assert wait(counter.increment(2)) == 7
        assert wait(desk.counter(1).itself().increment(1)) == 2
        counter.dispose()
        run_all(front, back)
        assert [made.disposed for made in far.made] == [1, 2]  # the second was passed twice

    def test_a_peers_stub_passed_on_as_an_argument(self, join: Join) -> None:
        far, near = Desk(), Desk()
        back, front = join(None, far), join(None, near)
        counter = front.wait(front.a.main(DeskStub).counter(10))
        promise = back.a.main(DeskStub).use(counter, 5)
        begin(promise)
        run_all(front, back)
        assert outcome(promise) == 15
        assert near.made[0].count == 15
        counter.dispose()

    def test_a_promise_of_one_session_as_an_argument_in_another(self, join: Join) -> None:
        far, near = Desk(), Desk()
        back, front = join(None, far), join(None, near)
        held = front.a.main(DeskStub).hold("x")
        promise = back.a.main(DeskStub).add(held, 1)
        begin(promise)
        run_all(front, back)
        assert is_pending(promise)
        near.held["x"].resolve(5)
        run_all(front, back)
        assert outcome(promise) == 6

    def test_the_end_of_one_session_is_an_error_in_the_other(self) -> None:
        far, near = Desk(), Desk()
        back, front = Pair(None, far), Pair(None, near)
        counter = front.wait(front.a.main(DeskStub).counter())
        kept = back.a.main(DeskStub).keep(counter)
        begin(kept)
        run_all(front, back)
        front.a.session.abort(SessionClosed("lost"), notify=False)
        promise = back.a.main(DeskStub).kept().increment()
        begin(promise)
        run_all(front, back)
        with pytest.raises(Exception, match="lost"):
            outcome(promise)
        assert not back.a.session.closed
        counter.dispose()
