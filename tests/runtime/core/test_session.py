"""Each message that comes in, as text, and what it makes the session send; and the end of a session."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.core.session import Session, as_exception
from capnweb_runtime.errors import ProtocolError, RangeError, RpcError, SessionClosed
from tests.runtime.example import Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, Side, SyncHost, begin, is_pending, outcome


class TestMessagesIn:
    """What the peer may ask of this side."""

    def test_nothing_is_answered_before_it_is_pulled(self) -> None:
        side = Side(Desk())
        assert side.hear(["push", ["pipeline", 0, ["add"], [1, 2]]]) == []
        assert side.hear(["pull", 1]) == ['["resolve",1,3]']
        assert side.hear(["release", 1, 1]) == []
        side.assert_empty()

    def test_a_second_pull_is_ignored(self) -> None:
        side = Side(Desk())
        side.hear(["push", ["pipeline", 0, ["add"], [1, 2]]], ["pull", 1])
        assert side.hear(["pull", 1]) == []
        side.hear(["release", 1, 1])
        side.assert_empty()

    def test_an_answer_that_takes_time_is_sent_when_it_is_there(self) -> None:
        desk = Desk()
        side = Side(desk)
        assert side.hear(["push", ["pipeline", 0, ["hold"], ["x"]]], ["pull", 1]) == []
        assert side.session.stats().calls == 1
        desk.held["x"].resolve(7)
        assert side.take() == ['["resolve",1,7]']
        assert side.session.stats().calls == 0

    def test_an_error_is_a_rejection_and_the_application_is_told(self) -> None:
        side = Side(Desk())
        assert side.hear(["push", ["pipeline", 0, ["fail"], ["no"]]], ["pull", 1]) == [
            '["reject",1,["error","ValueError","no"]]'
        ]
        assert [(where, str(error)) for where, error in side.failures] == [("Desk.fail", "no")]

    def test_what_takes_time_and_fails_is_a_rejection(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["push", ["pipeline", 0, ["hold"], ["x"]]], ["pull", 1])
        desk.held["x"].reject(RpcError("later", "MyError", code=5))
        assert side.take() == ['["reject",1,["error","MyError","later",null,{"code":5}]]']

    def test_the_observer_may_replace_an_error_before_it_is_sent(self) -> None:
        side = Side(Desk())
        side.observer.replace = lambda error: RpcError("hidden")
        assert side.hear(["push", ["pipeline", 0, ["fail"], ["secret"]]], ["pull", 1]) == [
            '["reject",1,["error","Error","hidden"]]'
        ]

    def test_a_wrong_argument_rejects_the_call_and_the_method_does_not_run(self) -> None:
        desk = Desk()
        side = Side(desk)
        assert side.hear(["push", ["pipeline", 0, ["add"], ["1", 2]]], ["pull", 1]) == [
            (
                """["reject",1,["error","TypeError","argument 'a': expected int, got str '1'","""
                """null,{"path":[["a"]],"expected":"int","actual":"str '1'"}]]"""
            )
        ]
        assert desk.log == []

    def test_calls_may_use_results_that_are_not_there_yet(self) -> None:
        desk = Desk()
        side = Side(desk)
        assert (
            side.hear(
                ["push", ["pipeline", 0, ["holdCounter"], ["x"]]],
                ["push", ["pipeline", 1, ["increment"], [5]]],
                ["push", ["pipeline", 1, ["value"]]],
                ["pull", 2],
                ["pull", 3],
            )
            == []
        )
        desk.held["x"].resolve(Counter(1))
        assert side.take() == ['["resolve",2,6]', '["resolve",3,6]']

    def test_arguments_may_be_results_that_are_not_there_yet(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(
            ["push", ["pipeline", 0, ["hold"], ["x"]]],
            ["push", ["pipeline", 0, ["add"], [["pipeline", 1], 1]]],
            ["pull", 2],
        )
        assert desk.log == [("hold", "x")]
        desk.held["x"].resolve(6)
        assert side.take() == ['["resolve",2,7]']

    def test_a_call_waiting_for_an_argument_that_fails_is_rejected_with_that_error(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(
            ["push", ["pipeline", 0, ["fail"], ["no"]]],
            ["push", ["pipeline", 0, ["add"], [["pipeline", 1], 1]]],
            ["pull", 2],
        )
        assert side.take() == []
        assert side.sent == ['["reject",2,["error","ValueError","no"]]']
        assert desk.log == []

    def test_an_expression_that_is_no_call_is_a_result_as_well(self) -> None:
        side = Side(Desk())
        assert side.hear(["push", {"a": [[1]]}], ["pull", 1]) == ['["resolve",1,{"a":[[1]]}]']
        assert side.hear(["push", ["pipeline", 0, ["best", "tags", 1]]], ["pull", 2]) == ['["resolve",2,"classic"]']

    def test_a_capability_in_a_result_is_exported(self) -> None:
        desk = Desk()
        side = Side(desk)
        assert side.hear(["push", ["pipeline", 0, ["counter"], []]], ["pull", 1]) == ['["resolve",1,["export",-1]]']
        side.hear(["release", 1, 1])
        assert desk.made[0].disposed == 0
        assert side.hear(["push", ["pipeline", -1, ["increment"], []]], ["pull", 2]) == ['["resolve",2,1]']
        side.hear(["release", 2, 1], ["release", -1, 1])
        assert desk.made[0].disposed == 1
        side.assert_empty()

    def test_a_capability_among_the_arguments_is_released_before_the_call_is_answered(self) -> None:
        side = Side(Desk())
        side.hear(["push", ["pipeline", 0, ["apply"], [["export", -1], 4]]], ["pull", 1])
        assert side.sent == ['["push",["pipeline",-1,[],[4]]]', '["pull",1]']
        assert side.hear(["resolve", 1, 5]) == ['["release",1,1]', '["release",-1,1]', '["resolve",1,5]']

    def test_our_own_capability_comes_home_as_itself(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["push", ["pipeline", 0, ["counter"], [5]]], ["pull", 1], ["release", 1, 1])
        assert side.hear(["push", ["pipeline", 0, ["use"], [["import", -1], 2]]], ["pull", 2])[-1] == '["resolve",2,7]'
        assert not [text for text in side.sent if "push" in text]

    def test_a_peers_promise_is_resolved_by_the_peer_without_being_pulled(self) -> None:
        side = Side(Desk())
        assert side.hear(["push", ["pipeline", 0, ["add"], [["promise", -1], 1]]], ["pull", 1]) == []
        assert side.hear(["resolve", -1, 4]) == ['["release",-1,1]', '["resolve",1,5]']

    def test_a_peers_promise_may_be_rejected(self) -> None:
        side = Side(Desk())
        side.hear(["push", ["pipeline", 0, ["add"], [["promise", -1], 1]]], ["pull", 1])
        assert side.hear(["reject", -1, ["error", "RangeError", "far"]]) == [
            '["release",-1,1]',
            '["reject",1,["error","RangeError","far"]]',
        ]

    def test_a_promise_under_an_id_that_is_in_use_is_rejected_but_no_abort(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["push", ["pipeline", 0, ["keep"], [["export", -1]]]])
        answer = side.hear(["push", ["pipeline", 0, ["echo"], [["promise", -1]]]], ["pull", 2])
        assert answer == [
            '["reject",2,["error","Error","Bug in RPC system: The peer sent a promise reusing an existing export ID."]]'
        ]
        assert not side.session.closed
        assert desk.keeping is not None
        desk.keeping.dispose()

    def test_releasing_the_main_object_disposes_of_it(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["release", 0, 1])
        assert desk.disposed == 1
        assert side.hear(["push", ["pipeline", 0, ["nothing"], []]]) == [
            '["abort",["error","Error","no such entry on exports table: 0"]]'
        ]

    def test_without_a_main_object_calls_are_rejected(self) -> None:
        assert Side().hear(["push", ["pipeline", 0, ["x"], []]], ["pull", 1]) == [
            '["reject",1,["error","Error","This connection has no main object."]]'
        ]

    def test_a_release_of_nothing_is_accepted(self) -> None:
        side = Side(Desk())
        assert side.hear(["release", 0, 0]) == []
        assert not side.session.closed

    def test_a_whole_float_is_an_id(self) -> None:
        side = Side(Desk())
        assert side.hear('["push",["pipeline",0,["add"],[1,2]]]', '["pull",1.0]') == ['["resolve",1,3]']

    def test_resolutions_of_what_is_not_there_are_ignored_and_their_capabilities_released(self) -> None:
        side = Side(Desk())
        assert side.hear(["resolve", 5, ["export", -1]], ["reject", 6, ["export", -2]], ["resolve", -9, 1]) == [
            '["release",-1,1]',
            '["release",-2,1]',
        ]
        side.assert_empty()

    def test_a_rejection_with_a_value_that_is_no_error_keeps_the_value(self) -> None:
        side = Side()
        promise = side.main(DeskStub).nothing()
        begin(promise)
        side.hear(["reject", 1, {"code": 5}])
        with pytest.raises(RpcError, match="no error: an instance of dict") as caught:
            outcome(promise)
        assert caught.value.props == {"value": {"code": 5}}

    def test_a_promise_that_resolves_to_itself_harms_nobody_else(self) -> None:
        side = Side(Desk())
        side.hear(["push", ["promise", -1]], ["pull", 1], ["resolve", -1, ["pipeline", 1]])
        assert side.hear(["push", ["pipeline", 0, ["add"], [1, 2]]], ["pull", 2])[-1] == '["resolve",2,3]'


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


def test_a_value_that_is_no_error_is_raised_inside_one() -> None:
    error = ValueError("x")
    assert as_exception(error) is error
    wrapped = as_exception("boom")
    assert isinstance(wrapped, RpcError)
    assert wrapped.props == {"value": "boom"}
    assert str(wrapped) == "the peer rejected with a value that is no error: str 'boom'"


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
