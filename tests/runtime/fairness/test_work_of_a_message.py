"""What one message of a peer's can cost is bounded, in counts: what is refused is never built."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from tests.runtime.example import Desk
from tests.runtime.pair import Side

MOST = DEFAULT_LIMITS.message_work
MODULUS = 2**61 - 1
CALL = ["push", ["pipeline", 0, ["add"], [1, 2]]]


def push(expression: str, count: int) -> str:
    """A message with a list of that many times the expression."""
    return '["push",[[' + ",".join([expression] * count) + "]]]"


def spent(side: Side, *messages: Any) -> int:
    """Units that messages cost."""
    before = side.session.account.spent
    side.hear(*messages)
    return side.session.account.spent - before


def refused(side: Side, number: int) -> str:
    """What the peer is told when it asks for a call that was refused; the session lives."""
    (text,) = side.hear(["pull", number])
    kind, of, error = json.loads(text)
    assert (kind, of) == ("reject", number)
    return str(error[2])


class TestReading:
    def test_where_a_message_may_cost_little_a_short_one_can_be_too_much(self) -> None:
        side = Side(Desk(), Limits(message_work=300))
        side.session.receive(push("{}", 200))
        assert side.session.reason is None
        side.session.receive(push("{}", 400))
        assert isinstance(side.session.reason, LimitExceeded)
        assert "units of work to read" in str(side.session.reason)

    @pytest.mark.parametrize(
        ("expression", "count"),
        [
            ("{}", 2 * MOST),
            ("[[]]", MOST),
            ('{"a":1}', MOST),
            ("1", 10 * MOST),
            ('"x"', 3 * MOST),
            ('["date",1]', MOST),
            ('["bigint","9"]', MOST),
            ('["bigint","' + "9" * 16_000 + '"]', 100),
            ('["big\\u0069nt","' + "9" * 16_000 + '"]', 100),
            ('["error","E","m"]', MOST),
            ('["pipeline",0]', MOST // 2),
            ('["pipe\\u006cine",0]', MOST // 2),
            ('["export",-1]', MOST),
        ],
    )
    def test_a_message_beyond_the_budget_ends_the_session_before_it_is_parsed(
        self, expression: str, count: int
    ) -> None:
        side = Side(Desk())
        text = push(expression, count)
        gc.collect()
        before = len(gc.get_objects())
        side.session.receive(text)
        assert isinstance(side.session.reason, LimitExceeded)
        assert "units of work to read, the most that Limits.message_work allows" in str(side.session.reason)
        assert len(gc.get_objects()) - before < 1000
        assert side.session.stats().imports == 0
        assert len(side.take()[-1]) < 500

    @pytest.mark.parametrize(
        "text",
        [
            '["push","' + "x" * 32_000_000 + '"]',
            '["push","' + "[{," * 3_000_000 + '"]',
            '["push",[[' + ",".join(["0.123456789"] * 300_000) + "]]]",
            push('{"id":1,"name":"Ada","email":"a@b.c","score":1.5,"active":true}', 8_000),
        ],
        ids=["text", "text that looks like structure", "numbers", "objects"],
    )
    def test_what_people_send_is_within_it(self, text: str) -> None:
        side = Side(Desk())
        side.hear(text, CALL, ["pull", 2])
        assert side.sent == ['["resolve",2,3]']

    def test_it_can_be_raised(self) -> None:
        side = Side(Desk(), Limits(message_work=10 * MOST))
        side.hear(push("{}", 2 * MOST))
        assert side.session.reason is None

    def test_each_message_has_a_budget_of_its_own(self) -> None:
        side = Side(Desk())
        side.hear(*[push("{}", MOST // 2)] * 5)
        assert side.session.reason is None

    def test_small_messages_are_charged_by_their_size(self) -> None:
        side = Side(Desk())
        text = json.dumps(CALL)
        assert spent(side, *[text] * 100) == 100 * (len(text) // 4)

    def test_what_the_slow_parser_reads_is_charged_once_more(self) -> None:
        fast, slow = '["push",[[' + "1," * 20_000 + "1]]]", '["push",[[' + "1," * 20_000 + "1e400]]]"
        side = Side(Desk())
        assert spent(side, slow) - spent(side, fast) > 5000
        side.hear('["push",[[' + "1," * 200_000 + "1e400]]]")
        assert isinstance(side.session.reason, LimitExceeded)

    def test_a_client_is_as_guarded_against_its_server(self) -> None:
        client = Side()
        client.hear('["resolve",1,[[' + ",".join(["{}"] * 2 * MOST) + "]]]")
        assert isinstance(client.session.reason, LimitExceeded)


class TestWhatACallAsksFor:
    def test_results_that_double_are_refused_before_they_are_written_out(self) -> None:
        side = Side(Desk())
        side.hear(["push", "x" * 4000])
        for number in range(1, 19):
            side.hear(["push", [[["pipeline", number], ["pipeline", number]]]])
        side.hear(["push", ["pipeline", 19]])
        assert "units of work" in refused(side, 20)
        side.hear(CALL)
        assert side.hear(["pull", 21]) == ['["resolve",21,3]']
        assert sum(map(len, side.sent)) < 1000
        assert side.session.account.spent < 3 * MOST

    def test_so_they_are_as_arguments(self) -> None:
        desk = Desk()
        side = Side(desk)
        side.hear(["push", "x" * 4000])
        for number in range(1, 19):
            side.hear(["push", [[["pipeline", number], ["pipeline", number]]]])
        side.hear(["push", ["pipeline", 0, ["echo"], [["pipeline", 19]]]])
        assert "units of work" in refused(side, 20)
        assert desk.log == []

    def test_results_that_are_put_together_once_are_not(self) -> None:
        side = Side(Desk())
        side.hear(
            ["push", "x" * 10_000_000], ["push", "y" * 10_000_000], ["push", [[["pipeline", 1], ["pipeline", 2]]]]
        )
        side.hear(["push", ["pipeline", 3]])
        (text,) = side.hear(["pull", 4])
        assert len(text) > 20_000_000

    def test_references_to_a_large_result_do_not_walk_through_it(self) -> None:
        side = Side(Desk())
        side.hear(push("{}", 20_000))
        assert spent(side, *[["push", ["pipeline", 1]]] * 1000) < 10_000

    def test_references_to_a_large_result_with_capabilities_are_charged_for_the_walk(self) -> None:
        side = Side(Desk())
        side.hear('["push",{"a":["export",-1],"b":[[' + ",".join(["{}"] * 20_000) + "]]}]")
        before = spent(side, ["push", ["pipeline", 1, ["b"]]])
        assert before > 2000
        side.hear(["push", [[["pipeline", 1, ["b"]]] * 100]], ["push", ["pipeline", 3]])
        assert "units of work" in refused(side, 4)

    def test_what_is_beyond_the_budget_is_not_walked_through_for_each_reference(self) -> None:
        side = Side(Desk())
        side.hear('["push",{"a":["export",-1],"b":[[' + ",".join(["0"] * 300_000) + "]]}]")
        assert spent(side, ["push", [[["pipeline", 1, ["b"]]] * 500]]) < 2 * MOST
        assert spent(side, ["push", [[["pipeline", 1]] * 500]]) < 2 * MOST

    @pytest.mark.parametrize("size", [300, 10_000])
    def test_sets_of_chosen_numbers_are_refused_and_others_are_not(self, size: int) -> None:
        codec = rpc.set_of(rpc.INT)
        chosen = [[["bigint", str(MODULUS * number)] for number in range(size)]]
        with pytest.raises(Exception, match="chosen to have the same hash"):
            codec.decode(chosen, None)
        others = [[["bigint", str(MODULUS + number)] for number in range(size)]]
        assert len(codec.decode(others, None)) == size

    def test_a_long_chain_of_values_in_one_another_is_not_walked_through_anew_for_each(self) -> None:
        side = Side(Desk())
        side.hear(["push", [[1]]], *[["push", [[["pipeline", number]]]] for number in range(1, 2000)])
        assert spent(side, ["push", ["pipeline", 2000]], ["pull", 2001]) < 5000
        assert side.session.reason is None
        capability = Side(Desk())
        capability.hear(["push", [[["export", -1]]]], ["push", [[["pipeline", 1], ["pipeline", 1]]]])
        capability.hear(["push", ["pipeline", 2]], ["push", ["pipeline", 2]], ["pull", 3], ["pull", 4])
        assert capability.session.reason is None
        assert all('["import",-1]' in text for text in capability.sent)
