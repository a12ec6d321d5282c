"""Each message that comes in, as text, and what it makes the session send."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.handlers import as_exception
from capnweb_runtime.errors import RpcError
from tests.runtime.example import Counter, Desk, DeskStub
from tests.runtime.pair import Side, begin, outcome


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


def test_a_value_that_is_no_error_is_raised_inside_one() -> None:
    error = ValueError("x")
    assert as_exception(error) is error
    wrapped = as_exception("boom")
    assert isinstance(wrapped, RpcError)
    assert wrapped.props == {"value": "boom"}
    assert str(wrapped) == "the peer rejected with a value that is no error: str 'boom'"
