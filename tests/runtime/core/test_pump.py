"""A stream passed on from one session to another, message by message: a peer in front, a relay, and a peer behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from capnweb_runtime.core.exchange import STREAM_BACKLOG
from capnweb_runtime.core.flow import INITIAL_WINDOW
from capnweb_runtime.core.held import EXPORT
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.core.pipe import ALREADY_READ, NOT_CONSUMED
from capnweb_runtime.errors import RpcError
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from tests.runtime.pair import Side

UNDEFINED = ["undefined"]


def write(chunk: Any, pipe: int = 1) -> Any:
    return ["stream", ["pipeline", pipe, ["write"], [chunk]]]


def close(pipe: int = 1) -> Any:
    return ["stream", ["pipeline", pipe, ["close"], []]]


class Relay:
    """Two sessions, of which the one in front offers what the peer behind the other offers."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.back = Side(limits=limits)
        self.front = Side(self.back.session.remote_main.dup(), limits)

    def from_front(self, *messages: Any) -> tuple[list[Any], list[Any]]:
        """Takes messages of the peer in front; returns what is written to the front, and to the back."""
        self.front.hear(*messages)
        return self.written()

    def from_back(self, *messages: Any) -> tuple[list[Any], list[Any]]:
        """Takes messages of the peer behind; returns the same."""
        self.back.hear(*messages)
        return self.written()

    def written(self) -> tuple[list[Any], list[Any]]:
        """What has been written since the last time, to the front and to the back."""
        answers: tuple[list[Any], list[Any]] = [], []
        moved = True
        while moved:
            moved = False
            for side, kept in ((self.front, answers[0]), (self.back, answers[1])):
                side.take()
                moved |= bool(side.sent)
                kept += map(json.loads, side.sent)
                side.sent.clear()
        return answers

    def opened(self) -> None:
        """A stream has been passed as the argument of a call: pipe 1 and call 2, in both sessions."""
        call = ["push", ["pipeline", 0, ["take"], [["readable", 1]]]]
        assert self.from_front(["pipe"], call) == ([], [["pipe"], call])

    def assert_empty(self) -> None:
        self.front.assert_empty()
        self.back.assert_empty()
        assert self.front.session.held.bytes == self.back.session.held.bytes == EXPORT
        assert not self.back.session._watches or not any(watch.callback for watch in self.back.session._watches)


@pytest.fixture
def relay() -> Relay:
    relay = Relay()
    relay.opened()
    return relay


def finish(relay: Relay) -> None:
    """The call is over at both ends."""
    relay.from_front(["release", 2, 1], ["release", 1, 1])
    relay.assert_empty()


def test_a_chunk_goes_on_within_the_message_that_brought_it_and_is_acknowledged(relay: Relay) -> None:
    assert relay.from_front(write("a")) == ([["resolve", 3, UNDEFINED]], [write("a")])
    assert relay.from_front(write({"b": [[1]]})) == ([["resolve", 4, UNDEFINED]], [write({"b": [[1]]})])
    assert relay.from_back(["resolve", 3, UNDEFINED], ["resolve", 4, UNDEFINED]) == ([], [])
    assert relay.from_front(close()) == ([["resolve", 5, UNDEFINED]], [close()])
    assert relay.from_back(["resolve", 5, UNDEFINED]) == ([], [["release", 1, 1]])
    finish(relay)


def test_chunks_that_came_before_the_stream_was_named_go_on_in_order() -> None:
    relay = Relay()
    relay.from_front(["pipe"], write("a"), write("b"), close())
    call = ["push", ["pipeline", 0, ["take"], [["readable", 1]]]]
    to_front, to_back = relay.from_front(call)
    assert to_back == [["pipe"], call, write("a"), write("b"), close()]
    assert to_front == [["resolve", number, UNDEFINED] for number in (2, 3, 4)]
    relay.from_back(*[["resolve", number, UNDEFINED] for number in (3, 4, 5)])
    relay.from_front(["release", 5, 1], ["release", 1, 1])
    relay.assert_empty()


def test_a_full_window_holds_chunks_back_until_there_is_room(relay: Relay) -> None:
    half = "x" * (INITIAL_WINDOW // 2)
    to_front, to_back = relay.from_front(*[write(half)] * 4)
    assert to_back == [write(half)] * 2
    assert to_front == [["resolve", number, UNDEFINED] for number in (3, 4)]
    to_front, to_back = relay.from_back(["resolve", 3, UNDEFINED])
    assert (to_front, to_back) == ([["resolve", 5, UNDEFINED]], [write(half)])
    to_front, to_back = relay.from_front(close())
    assert (to_front, to_back) == ([], [])
    relay.from_back(["resolve", 4, UNDEFINED], ["resolve", 5, UNDEFINED])
    relay.from_back(["resolve", 6, UNDEFINED], ["resolve", 7, UNDEFINED])
    finish(relay)


def test_chunks_wait_while_much_waits_to_be_written(relay: Relay) -> None:
    part = "x" * (STREAM_BACKLOG // 2)
    for _ in range(3):
        relay.front.session.receive(json.dumps(write(part)))
    assert len(relay.back.session._outbox) == 2
    assert relay.written()[1] == [write(part)] * 3
    relay.back.session.abort(RpcError("done"))


def test_an_error_of_the_source_goes_on(relay: Relay) -> None:
    error = ["error", "RangeError", "dry", None, {"limit": 7}]
    abort = ["stream", ["pipeline", 1, ["abort"], [error]]]
    assert relay.from_front(abort) == ([["resolve", 3, UNDEFINED]], [abort, ["release", 1, 1]])
    relay.from_back(["resolve", 3, UNDEFINED])
    finish(relay)


def test_an_error_of_the_source_goes_on_though_the_window_is_full(relay: Relay) -> None:
    large = "x" * INITIAL_WINDOW
    relay.from_front(write(large), write(large))
    abort = ["stream", ["pipeline", 1, ["abort"], [["error", "Error", "dry"]]]]
    to_front, to_back = relay.from_front(abort)
    assert to_back == [abort, ["release", 1, 1]]
    assert ["reject", 4, ["error", "Error", "dry"]] in to_front
    relay.from_back(["resolve", 3, UNDEFINED], ["resolve", 4, UNDEFINED])
    finish(relay)


def test_a_source_that_is_given_up_breaks_the_stream(relay: Relay) -> None:
    _, to_back = relay.from_front(["release", 1, 1])
    assert to_back[0][1][2] == ["abort"]
    relay.from_back(["resolve", 3, UNDEFINED])
    relay.from_front(["release", 2, 1])
    relay.assert_empty()


def test_a_write_that_fails_cancels_the_source_at_once(relay: Relay) -> None:
    large = "x" * INITIAL_WINDOW
    relay.from_front(write(large), write("unread"))
    error = ["error", "RangeError", "that will do"]
    to_front, to_back = relay.from_back(["reject", 3, error])
    assert to_front == [["reject", 4, error]]
    assert to_back == [["release", 1, 1]]
    assert relay.from_front(write("more")) == ([["reject", 5, error]], [])
    finish(relay)


def test_a_close_that_fails_ends_it(relay: Relay) -> None:
    relay.from_front(close())
    assert relay.from_back(["reject", 3, ["error", "Error", "no"]]) == ([], [["release", 1, 1]])
    finish(relay)


def test_the_end_of_the_session_behind_cancels_the_source_though_nothing_is_on_its_way(relay: Relay) -> None:
    relay.from_back(["abort", ["error", "Error", "power cut"]])
    [rejected], _ = relay.from_front(write("a"))
    assert rejected[0] == "reject"
    assert rejected[2][2] == "the peer aborted the session: power cut"


def test_the_end_of_the_session_in_front_breaks_the_stream(relay: Relay) -> None:
    _, to_back = relay.from_front(["abort", ["error", "Error", "power cut"]])
    assert to_back[0][1][2] == ["abort"]
    assert to_back[0][1][3][0][2] == "the peer aborted the session: power cut"
    assert ["release", 1, 1] in to_back


def test_capabilities_in_a_chunk_are_given_away_with_it(relay: Relay) -> None:
    to_front, to_back = relay.from_front(write(["export", -1]))
    assert to_back == [write(["export", -1])]
    assert to_front == [["resolve", 3, UNDEFINED]]
    assert relay.from_back(["resolve", 3, UNDEFINED], ["release", -1, 1]) == ([["release", -1, 1]], [])
    relay.from_front(close())
    relay.from_back(["resolve", 4, UNDEFINED])
    finish(relay)


def test_a_chunk_that_cannot_be_sent_breaks_the_stream_and_no_session() -> None:
    relay = Relay(Limits(imports=4))
    relay.opened()
    inside = [["readable", number] for number in (3, 4, 5)]
    to_front, to_back = relay.from_front(["pipe"], ["pipe"], ["pipe"], write([inside]))
    assert "Limits.imports" in to_back[-2][1][3][0][2]
    assert to_front == [["resolve", 6, UNDEFINED]]
    assert relay.front.session.reason is None
    [rejected], _ = relay.from_front(write("more"))
    assert "Limits.imports" in rejected[2][2]


def test_a_second_message_with_the_same_stream_breaks_that_pipe_only(relay: Relay) -> None:
    back = relay.back.session
    pipe = relay.front.session._exports[1].hook.pipe  # type: ignore[attr-defined]  # it is that of a pipe
    back.remote_main.call(("again",), Payload([pipe])).dispose()
    _, to_back = relay.written()
    abort = ["stream", ["pipeline", 3, ["abort"], [["error", "TypeError", ALREADY_READ]]]]
    again = ["push", ["pipeline", 0, ["again"], [["readable", 3]]]]
    assert to_back == [["pipe"], again, abort, ["release", 3, 1], ["release", 4, 1]]
    assert relay.from_front(write("a"))[0] == [["resolve", 3, UNDEFINED]]


@pytest.mark.parametrize("how", ["in a call", "in a write"])
def test_what_cannot_be_passed_on_fails_the_call_and_not_the_session_that_it_came_from(how: str) -> None:
    relay = Relay(Limits(imports=1))
    stream = ["pipeline", 0, ["take"], [["readable", 1]]]
    relay.from_front(["pipe"])
    to_front, _ = (
        relay.from_front(["push", stream], ["pull", 2]) if how == "in a call" else relay.from_front(["stream", stream])
    )
    [rejected] = to_front
    assert rejected[:2] == ["reject", 2]
    assert "Limits.imports" in rejected[2][2]
    assert relay.front.session.reason is None
    assert relay.from_front(write("a")) == ([["reject", 3, ["error", "Error", NOT_CONSUMED]]], [])


def test_a_stream_is_cancelled_if_its_call_is_more_than_the_session_behind_can_hold() -> None:
    relay = Relay(Limits(outbox_bytes=1000))
    relay.front.hear(["push", ["pipeline", 0, ["take"], ["x" * 1000]]])  # which waits to be written behind
    relay.front.hear(["pipe"], ["push", ["pipeline", 0, ["take"], [["readable", 2]]]])
    [[kind, number, _]], _ = relay.from_front(write("a", 2))
    assert (kind, number) == ("reject", 4)
    assert not relay.back.session.closed


class TestWrites:
    """Writes to a stream of the peer behind, or of anybody behind that one."""

    def opened(self, relay: Relay) -> int:
        """A result that is a writable stream, by the id that the peer in front knows it by."""
        relay.from_front(["push", ["pipeline", 0, ["open"], []]], ["pull", 1])
        to_front, _ = relay.from_back(["resolve", 1, ["writable", -1]])
        relay.from_front(["release", 1, 1])
        writable: int = to_front[0][2][1]
        return writable

    def test_go_on_as_writes_and_are_acknowledged_when_they_are_done(self) -> None:
        relay = Relay()
        writable = self.opened(relay)
        assert relay.from_front(write("a", writable)) == ([], [write("a", -1)])
        assert relay.from_back(["resolve", 2, UNDEFINED]) == ([["resolve", 2, UNDEFINED]], [])
        assert relay.from_front(write("b", writable)) == ([], [write("b", -1)])
        error = ["error", "RangeError", "full"]
        assert relay.from_back(["reject", 3, error]) == ([["reject", 3, error]], [])
        assert relay.from_front(["release", writable, 1]) == ([], [["release", -1, 1]])
        relay.assert_empty()

    def test_go_on_as_calls_which_have_a_bound_where_much_waits(self) -> None:
        relay = Relay()
        writable = self.opened(relay)
        large = "x" * STREAM_BACKLOG
        for chunk in (large, "b"):
            relay.front.session.receive(json.dumps(write(chunk, writable)))
        _, to_back = relay.written()
        assert to_back == [write(large, -1), ["push", ["pipeline", -1, ["write"], ["b"]]], ["pull", 3]]
        to_front, to_back = relay.from_back(["resolve", 2, UNDEFINED], ["resolve", 3, UNDEFINED])
        assert to_front == [["resolve", 2, UNDEFINED], ["resolve", 3, UNDEFINED]]
        relay.from_front(["release", writable, 1])
        relay.assert_empty()

    @pytest.mark.parametrize(
        "bad", [["pipeline", -1, ["write"], "no list"], ["pipeline", -1, [None], [1]], ["pipeline", -1, "write", [1]]]
    )
    def test_that_are_malformed_end_the_session_that_they_came_from(self, bad: Any) -> None:
        relay = Relay()
        bad[1] = self.opened(relay)
        to_front, to_back = relay.from_front(["stream", bad])
        assert to_front[0][0] == "abort"
        assert to_back == [["release", -1, 1]]
        assert relay.back.session.reason is None

    def test_with_a_result_hand_it_over(self) -> None:
        relay = Relay()
        writable = self.opened(relay)
        relay.from_front(write("a", writable))
        to_front, _ = relay.from_back(["resolve", 2, {"capability": ["export", -2]}])
        assert to_front == [["resolve", 2, {"capability": ["export", -2]}]]
        _, to_back = relay.from_front(["release", -2, 1], ["release", writable, 1])
        assert sorted(map(json.dumps, to_back)) == ['["release", -1, 1]', '["release", -2, 1]']
        relay.assert_empty()
