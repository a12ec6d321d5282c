"""What a session is asked to do by whoever drives it, and its end."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.core.session import Session
from capnweb_runtime.errors import ProtocolError, RangeError, SessionClosed
from tests.runtime.example import CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, Side, SyncHost, begin, is_pending, outcome


class TestAbort:
    def test_the_peer_is_told_why_and_everything_in_progress_fails(self) -> None:
        side = Side(Desk())
        promise = side.main(DeskStub).nothing()
        begin(promise)
        side.take()
        error = ValueError("enough")
        side.session.abort(error)
        assert side.take() == ['["abort",["error","ValueError","enough"]]']
        with pytest.raises(ValueError, match="enough"):
            outcome(promise)
        assert side.closed_with == [error]
        assert side.observer.ends == [error]
        assert side.session.reason is error

    def test_it_happens_once(self) -> None:
        side = Side(Desk())
        side.session.abort(ValueError("first"))
        side.session.abort(ValueError("second"))
        assert len(side.take()) == 1
        assert [str(error) for error in side.closed_with] == ["first"]

    def test_it_can_be_silent(self) -> None:
        side = Side(Desk())
        side.session.abort(ConnectionError("lost"), notify=False)
        assert side.take() == []

    def test_what_the_peer_held_is_disposed(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["push", ["pipeline", 0, ["counters"], [2]]], ["pull", 1], ["release", 1, 1])
        side.session.abort(ValueError("enough"))
        assert [counter.disposed for counter in desk.made] == [1, 1]
        assert desk.disposed == 1

    def test_afterwards_nothing_is_sent_or_taken(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.session.abort(ValueError("enough"))
        side.take()
        assert side.hear(["push", ["pipeline", 0, ["nothing"], []]], ["what"]) == []
        assert desk.log == []

    def test_a_later_call_fails_with_the_reason(self) -> None:
        side = Side(Desk())
        stub = side.main(DeskStub)
        side.session.abort(ValueError("enough"))
        promise = stub.add(1, 2)
        begin(promise)
        with pytest.raises(ValueError, match="enough"):
            outcome(promise)

    def test_a_received_abort_is_not_answered(self) -> None:
        side = Side(Desk())
        promise = side.main(DeskStub).nothing()
        begin(promise)
        side.take()
        assert side.hear(["abort", ["error", "RangeError", "enough"]]) == []
        with pytest.raises(SessionClosed, match="the peer aborted the session: enough") as caught:
            outcome(promise)
        assert isinstance(caught.value.__cause__, RangeError)

    @pytest.mark.parametrize(
        "message", [["abort"], ["abort", ["undefined"]], ["abort", None], ["abort", {"a": 1}]], ids=str
    )
    def test_an_abort_may_come_with_anything(self, message: Any) -> None:
        side = Side(Desk())
        assert side.hear(message) == []
        assert isinstance(side.session.reason, SessionClosed)

    def test_an_abort_whose_reason_is_malformed_ends_the_session_too(self) -> None:
        side = Side(Desk())
        side.hear(["abort", ["what"]])
        assert side.session.closed

    def test_an_abort_from_within_a_call_ends_the_session(self) -> None:
        class Suicidal(Desk):
            def nothing(self) -> None:
                side.session.abort(ValueError("from within"))

        side = Side(Suicidal())
        assert side.hear(["push", ["pipeline", 0, ["nothing"], []]], ["pull", 1]) == [
            '["abort",["error","ValueError","from within"]]'
        ]
        assert len(side.closed_with) == 1

    def test_disposing_the_main_stub_ends_the_session_without_a_message(self) -> None:
        side = Side()
        stub = side.main(DeskStub)
        promise = stub.nothing()
        begin(promise)
        side.take()
        stub.dispose()
        assert side.take() == []
        assert isinstance(side.session.reason, SessionClosed)
        with pytest.raises(SessionClosed, match="shut down by disposing the main stub"):
            outcome(promise)

    def test_broken_callbacks_run_in_order_and_one_that_raises_is_reported(self) -> None:
        side = Side()
        desk = side.main(DeskStub)
        order: list[str] = []

        def failing(error: BaseException) -> None:
            order.append("failing")
            raise RuntimeError("in a callback")

        counter = CounterStub(side.session.import_stub(-1))
        desk.on_broken(lambda error: order.append(f"main {error}"))
        counter.on_broken(failing)
        desk.on_broken(lambda error: order.append("main again"))
        side.session.abort(ValueError("enough"))
        assert order == ["main enough", "failing", "main again"]
        assert [(where, str(error)) for where, error in side.failures] == [("on_broken", "in a callback")]


class TestDrain:
    def test_it_is_settled_when_nothing_is_asked(self) -> None:
        assert Side(Desk()).session.drain().fulfilled

    def test_it_waits_for_every_answer(self) -> None:
        desk = Desk()
        side = Side(desk)
        for name in ("x", "y"):
            side.hear(["push", ["pipeline", 0, ["hold"], [name]]])
        side.hear(["pull", 1], ["pull", 2])
        drained = side.session.drain()
        desk.held["x"].resolve(1)
        assert not drained.settled
        desk.held["y"].reject(ValueError("no"))
        assert drained.fulfilled

    def test_a_call_that_is_released_while_it_runs_is_waited_for(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["push", ["pipeline", 0, ["hold"], ["x"]]], ["pull", 1], ["release", 1, 1])
        drained = side.session.drain()
        assert not drained.settled
        desk.held["x"].resolve(1)
        assert drained.fulfilled
        assert side.take() == []

    def test_it_fails_with_the_session(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["push", ["pipeline", 0, ["hold"], ["x"]]], ["pull", 1])
        got: list[BaseException] = []
        side.session.drain().then(lambda _: None, got.append)
        error = ValueError("enough")
        side.session.abort(error)
        side.session.drain().then(lambda _: None, got.append)
        assert got == [error, error]


class TestStats:
    def test_it_counts_what_is_held_and_done(self) -> None:
        pair = Pair(None, Desk())
        desk = pair.a.main(DeskStub)
        counter = pair.wait(desk.counter())
        a, b = pair.a.session.stats(), pair.b.session.stats()
        assert (a.imports, a.exports, b.imports, b.exports) == (2, 1, 1, 2)
        assert (a.messages_sent, a.messages_received) == (3, 1)
        assert (b.messages_sent, b.messages_received) == (1, 3)
        counter.dispose()
        pair.assert_empty()

    def test_answers_to_one_batch_are_one_round_trip(self) -> None:
        pair = Pair(None, Desk())
        desk = pair.a.main(DeskStub)
        first, second = desk.add(1, 2), desk.add(3, 4)
        begin(first)
        begin(second)
        pair.run()
        assert pair.a.session.stats().round_trips == 1
        pair.wait(desk.nothing())
        assert pair.a.session.stats().round_trips == 2


def test_a_session_needs_no_observer() -> None:
    session = Session(None, host=SyncHost(), wake=lambda: None, on_closed=lambda error: None)
    session.receive("[]")
    assert session.take_outbox() == [b'["abort",["error","Error","bad RPC message: []"]]']
    assert isinstance(session.reason, ProtocolError)


def test_a_pending_call_stays_pending_while_others_are_answered() -> None:
    desk = Desk()
    pair = Pair(None, desk)
    stub = pair.a.main(DeskStub)
    held, quick = stub.hold("x"), stub.add(1, 2)
    begin(held)
    assert pair.wait(quick) == 3
    assert is_pending(held)
    desk.held["x"].resolve(5)
    assert pair.wait(held) == 5


def test_an_object_that_is_asked_for_as_a_promise_is_answered_without_a_finalizer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = Side(Desk())
    side.hear(["push", ["pipeline", 0, ["counter"], [5]]], ["pull", 1])
    monkeypatch.setattr(side.host, "collect", lambda: None)
    assert side.hear(["pull", -1]) == ['["resolve",-1,["export",-2]]']
    assert not side.host.discarded
    side.hear(["release", 1, 1], ["release", -1, 1], ["release", -2, 1])
    side.assert_empty()
