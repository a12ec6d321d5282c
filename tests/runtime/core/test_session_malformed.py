"""Whatever a peer sends ends its own session at worst, with a reason, and never raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_runtime.core.text import loads
from capnweb_runtime.errors import RpcError, SessionError
from capnweb_runtime.limits import Limits
from tests.runtime.example import Desk
from tests.runtime.pair import Side

CALL = ["push", ["pipeline", 0, ["add"], [1, 2]]]
COUNTER = ["push", ["pipeline", 0, ["counter"], []]]


def abort_for(*messages: Any, side: Side | None = None) -> tuple[str, str]:
    """Type and message of the abort that the last message causes; those before it must not."""
    side = side or Side(Desk())
    for message in messages[:-1]:
        side.hear(message)
        assert not side.session.closed
    texts = side.hear(messages[-1])
    assert side.session.closed
    assert len(side.closed_with) == 1
    kind, error = loads(texts[-1])
    assert kind == "abort"
    assert not [text for text in texts[:-1] if "abort" in text]
    assert error[0] == "error"
    return error[1], error[2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "message is not valid JSON"),
        ("{", "message is not valid JSON"),
        ("nonsense", "message is not valid JSON"),
        ("[NaN]", "message is not valid JSON"),
        ('["push",Infinity]', "message is not valid JSON"),
        (b"\xff", "message is not valid JSON"),
        (b'["pull",\xc3\x28]', "message is not valid JSON"),
        ("[" * 40_000, "message is not valid JSON"),
        ("[" * 100_000, "Incoming message takes more than 50000 units of work to read"),
        ('["push",1] ["push",1]', "message is not valid JSON"),
        ("null", "bad RPC message: null"),
        ("5", "bad RPC message: 5"),
        ('"push"', 'bad RPC message: "push"'),
        ("{}", "bad RPC message: {}"),
        ("[]", "bad RPC message: []"),
        ("[null]", "bad RPC message: [null]"),
        ("[[]]", "bad RPC message: [[]]"),
        ('["what",1]', 'bad RPC message: ["what",1]'),
        ('["__class__"]', 'bad RPC message: ["__class__"]'),
        ('["Push",1]', 'bad RPC message: ["Push",1]'),
        ('["push"]', 'bad RPC message: ["push"]'),
        ('["pull"]', 'bad RPC message: ["pull"]'),
        ('["pull",null]', 'bad RPC message: ["pull",null]'),
        ('["pull","0"]', 'bad RPC message: ["pull","0"]'),
        ('["pull",true]', 'bad RPC message: ["pull",true]'),
        ('["pull",0.5]', 'bad RPC message: ["pull",0.5]'),
        ('["pull",[0]]', 'bad RPC message: ["pull",[0]]'),
        ('["pull",1e400]', "bad RPC message: ["),
        ('["resolve"]', 'bad RPC message: ["resolve"]'),
        ('["resolve",0]', 'bad RPC message: ["resolve",0]'),
        ('["resolve","0",1]', 'bad RPC message: ["resolve","0",1]'),
        ('["reject",0]', 'bad RPC message: ["reject",0]'),
        ('["reject",null,1]', 'bad RPC message: ["reject",null,1]'),
        ('["release"]', 'bad RPC message: ["release"]'),
        ('["release",0]', 'bad RPC message: ["release",0]'),
        ('["release",0,"1"]', 'bad RPC message: ["release",0,"1"]'),
        ('["release",0,null]', 'bad RPC message: ["release",0,null]'),
        ('["release",0,0.5]', 'bad RPC message: ["release",0,0.5]'),
        ('["release",0,1e400]', "bad RPC message: ["),
        ("[" * 1000 + "]" * 1000, "bad RPC message: "),
        ('["\\ud800"]', 'bad RPC message: ["\\ud800"]'),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_what_is_no_message_aborts(text: str | bytes, reason: str) -> None:
    assert abort_for(text)[1].startswith(reason)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([["pull", 1]], "no such export ID: 1"),
        ([["pull", -1]], "no such export ID: -1"),
        ([["pull", 2**63]], "no such export ID: 9223372036854775808"),
        ([CALL, ["release", 1, 1], ["pull", 1]], "no such export ID: 1"),
        ([["release", 7, 1]], "no such export ID: 7"),
        ([["release", 0, 2]], "refcount would go negative: 1 < 2"),
        ([["release", 0, 10**18]], f"refcount would go negative: 1 < {10**18}"),
        ([["release", 0, -1]], "release of a negative number of references: -1"),
        ([COUNTER, ["pull", 1], ["release", -1, 1], ["release", -1, 1]], "no such export ID: -1"),
        ([["push", ["import", 9]]], "no such entry on exports table: 9"),
        ([["push", ["pipeline", 9, ["x"], []]]], "no such entry on exports table: 9"),
        ([["push", ["pipeline", 0, ["add"], [["pipeline", 9], 1]]]], "no such entry on exports table: 9"),
        ([["push", ["pipeline", 1, ["x"], []]]], "no such entry on exports table: 1"),
        ([["push", ["remap", 9, [], [], [None]]]], "no such entry on exports table: 9"),
        ([["push", ["remap", 0, [], [["import", 9]], [None]]]], "no such entry on exports table: 9"),
        ([["push", ["remap", 0, [], [["what"]], [None]]]], 'unknown map capture: ["what"]'),
        ([["push", ["remap", 0, [], [1], [None]]]], "unknown map capture: 1"),
        ([["push", ["export", 1]]], "an export's id is negative, not 1"),
        ([["push", ["promise", 1]]], "an export's id is negative, not 1"),
        ([["push", ["what"]]], 'unknown special value: ["what"]'),
        ([["push", []]], "unknown special value: []"),
        ([["push", ["pipeline", 0, ["add"], {}]]], 'unknown special value: ["pipeline",0,["add"],{}]'),
        ([["push", ["pipeline", 0, "add", []]]], 'unknown special value: ["pipeline",0,"add",[]]'),
        ([["push", ["pipeline", 0, [None], []]]], 'unknown special value: ["pipeline",0,[null],[]]'),
        ([["push", ["pipeline", 0, ["add"], [], 1]]], "unknown special value"),
        ([["push", ["pipeline", 0.5, ["add"], []]]], "no such entry on exports table: 0.5"),
        ([["push", ["pipeline", None, ["add"], []]]], "unknown special value"),
        ([["push", ["pipeline", 0, ["echo"], [["what"]]]]], 'unknown special value: ["what"]'),
        ([["push", ["pipeline", 0, ["no such"], [["what"]]]]], 'unknown special value: ["what"]'),
        (
            [["push", ["pipeline", 0, ["add"], [["bigint", "1" * 16385], 1]]]],
            "Deserialized bigint exceeds maximum length",
        ),
        ([["push", ["bigint", "x"]]], "Cannot convert x to a BigInt"),
        ([["push", ["bytes", "eA", "Nope"]]], "Unknown bytes type marker: Nope"),
        ([["resolve", 5, ["what"]]], 'unknown special value: ["what"]'),
        ([["reject", 5, ["error", 1, 2]]], "unknown special value"),
        ([["resolve", 5, ["export", 5]]], "an export's id is negative, not 5"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_evaluated_aborts(messages: list[Any], reason: str) -> None:
    assert abort_for(*messages)[1].startswith(reason)


def test_reasons_travel_under_the_names_that_the_reference_has() -> None:
    assert abort_for(["push", ["what"]])[0] == "TypeError"
    assert abort_for(["push", ["bigint", "x"]])[0] == "SyntaxError"
    assert abort_for(["pull", 1])[0] == "Error"


def nested(levels: int) -> Any:
    wire: Any = 1
    for _ in range(levels):
        wire = [[wire]]
    return wire


def test_255_levels_pass_and_256_abort() -> None:
    side = Side(Desk())
    assert side.hear(["push", nested(255)], ["pull", 1]) == [
        f'["resolve",1,{json.dumps(nested(255), separators=(",", ":"))}]'
    ]
    assert abort_for(["push", nested(256)]) == (
        "TypeError",
        "Deserialization exceeded maximum allowed message depth of 256.",
    )
    assert abort_for(["push", ["pipeline", 0, ["echo"], [nested(256)]]])[0] == "TypeError"


def test_the_depth_of_arguments_counts_from_the_message() -> None:
    side = Side(Desk())
    assert "resolve" in side.hear(["push", ["pipeline", 0, ["echo"], [nested(254)]]], ["pull", 1])[0]
    assert abort_for(["push", ["pipeline", 0, ["echo"], [nested(255)]]])[0] == "TypeError"


def test_a_message_that_is_too_long_aborts_before_it_is_parsed() -> None:
    side = Side(Desk(), Limits(message_size=100))
    side.hear("[" + " " * 68 + '"push",["pipeline",0,[],[]]]')
    assert abort_for("x" * 101, side=Side(Desk(), Limits(message_size=100))) == (
        "TypeError",
        "Incoming message exceeds maximum size of 100 bytes.",
    )


def test_too_many_calls_abort() -> None:
    side = Side(Desk(), Limits(exports=3))
    assert "holds 3" in abort_for(CALL, CALL, CALL, side=side)[1]


def test_too_many_capabilities_of_the_peers_abort() -> None:
    side = Side(Desk(), Limits(imports=3))
    exports = [["export", -number] for number in (1, 2, 3)]
    assert "Limits.imports" in abort_for(["push", [exports]], side=side)[1]


def test_too_many_calls_that_run_at_a_time_are_rejected_one_by_one() -> None:
    desk = Desk()
    side = Side(desk, Limits(calls=2))
    for number, name in enumerate("xyz", 1):
        side.hear(["push", ["pipeline", 0, ["hold"], [name]]], ["pull", number])
    assert [text[:11] for text in side.sent] == ['["reject",3']
    desk.held["x"].resolve(1)
    assert side.take() == ['["resolve",1,1]']
    assert not side.session.closed


def test_answers_wait_for_a_peer_that_does_not_read() -> None:
    side = Side(Desk(), Limits(outbox_bytes=1000))
    for number in range(1, 101):
        side.session.receive(json.dumps(["push", ["pipeline", 0, ["echo"], ["x" * 990]]]))
        side.session.receive(f'["pull",{number}]')
    assert side.session.outbox_bytes < 2000
    assert side.session.stats().calls == 99
    answers = [text for _ in range(100) for text in side.take()]
    assert [json.loads(text)[:2] for text in answers] == [["resolve", number] for number in range(1, 101)]
    assert not side.session.closed


def test_other_sessions_of_the_same_target_go_on() -> None:
    desk = Desk()
    bad, good = Side(desk), Side(desk)
    good.hear(CALL)
    bad.hear("nonsense")
    assert bad.session.closed
    assert good.hear(["pull", 1]) == ['["resolve",1,3]']


def test_what_was_received_before_is_answered_in_order() -> None:
    side = Side(Desk())
    side.session.receive(json.dumps(CALL))
    side.session.receive('["pull",1]')
    side.session.receive("nonsense")
    assert [loads(text)[0] for text in side.take()] == ["resolve", "abort"]


class TestApplicationErrors:
    """Exceptions of the application's making reject their call, whatever they are."""

    def reject(self, error: Exception) -> str:
        class Failing(Desk):
            def nothing(self) -> None:
                raise error

        side = Side(Failing())
        texts = side.hear(["push", ["pipeline", 0, ["nothing"], []]], ["pull", 1])
        assert not side.session.closed
        return texts[0]

    def test_one_whose_text_cannot_be_had(self) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise ValueError("no text")

        assert self.reject(Mute(1, 2)) == (
            '["reject",1,["error","Mute","(Mute without text: its __str__ raised ValueError)"]]'
        )

    def test_one_with_a_property_that_cannot_be_sent(self) -> None:
        assert (
            self.reject(RpcError("x", code=5, thing=object())) == '["reject",1,["error","Error","x",null,{"code":5}]]'
        )

    def test_one_with_a_lone_surrogate(self) -> None:
        assert self.reject(ValueError("\ud800")) == '["reject",1,["error","ValueError","\\ud800"]]'

    def test_one_without_a_message(self) -> None:
        assert self.reject(KeyError()) == '["reject",1,["error","KeyError",""]]'


def test_a_result_that_has_no_wire_form_rejects_its_call_and_takes_its_exports_back() -> None:
    class Odd(Desk):
        def echo(self, value: Any) -> Any:
            return [self._make(1), object()]

        def ints(self, count: int) -> Any:
            return [1, "2"]

    desk = Odd()
    side = Side(desk)
    assert "Cannot serialize value" in side.hear(["push", ["pipeline", 0, ["echo"], [1]]], ["pull", 1])[0]
    assert side.hear(["push", ["pipeline", 0, ["ints"], [1]]], ["pull", 2]) == [
        (
            """["reject",2,["error","TypeError","result of Odd.ints[1]: expected int, got str '2'","""
            """null,{"path":[[1]],"expected":"int","actual":"str '2'"}]]"""
        )
    ]
    assert [where for where, _ in side.failures] == ["Odd.echo", "Odd.ints"]
    side.hear(["release", 1, 1], ["release", 2, 1])
    assert desk.made[0].disposed == 1
    side.assert_empty()


KINDS = st.sampled_from(["push", "pull", "resolve", "reject", "release", "abort", "stream", "pipe", "what"])
TAGS = st.sampled_from(
    ["import", "pipeline", "export", "promise", "remap", "error", "bigint", "bytes", "date", "undefined", "nan", "x"]
)
NUMBERS = st.integers(-3, 4) | st.just(0.5) | st.just(1e308)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=3) | TAGS | st.sampled_from(["add", "echo", "counter"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.builds(lambda tag, rest: [tag, *rest], TAGS, st.lists(inner, max_size=4))
        | st.dictionaries(st.sampled_from(["a", "toString", "__proto__"]), inner, max_size=2)
        | st.builds(
            lambda n, name, args: ["pipeline", n, [name], args],
            NUMBERS,
            st.sampled_from(["echo", "counter"]),
            st.lists(inner, max_size=2),
        )
        | st.builds(lambda n, code: ["remap", n, [], [], code], NUMBERS, st.lists(inner, max_size=3))
        | inner.map(lambda item: [[item]])
    ),
    max_leaves=12,
)
MESSAGES = st.builds(lambda kind, rest: [kind, *rest], KINDS, st.lists(TREES | NUMBERS, max_size=4)) | st.builds(
    lambda tree: ["push", tree], TREES
)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.lists(MESSAGES, max_size=8))
def test_no_sequence_of_messages_gets_an_exception_out(messages: list[Any]) -> None:
    side = Side(Desk())
    for message in messages:
        side.session.receive(json.dumps(message))
        side.take()
    assert side.session.closed == bool(side.closed_with)
    reason = side.session.reason
    assert reason is None or isinstance(reason, SessionError), repr(reason)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=30) | st.text(max_size=30))
def test_no_text_gets_an_exception_out(text: str | bytes) -> None:
    side = Side(Desk())
    side.session.receive(text)
    assert side.session.closed
