"""Plans of a peer's: every vector, what they hold and give back, and their bounds."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.plan import run_plan
from capnweb_runtime.core.plan_ops import OPERANDS
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from tests.runtime.example import Counter, Desk
from tests.runtime.pair import Counted, Side

VECTORS = json.loads((Path(__file__).parent / "plan_vectors.json").read_text("utf-8"))
NESTING: dict[str, Any] = {
    "a call": ["pipeline", 0, ["echo"], [...]],
    "a call in a list": [[["pipeline", 0, ["echo"], [...]]]],
    "an object": {"a": ...},
    "an error": ["error", "E", "m", None, {"a": ...}],
    "a map": ["remap", 0, [], [["import", 0]], [...]],
    "a map with a call": ["remap", 0, [], [], [["pipeline", 0, ["echo"], [...]]]],
}
ARMS = [[["import", 0]], [["pipeline", -1, ["add"], [1, 1]]]]


class ShopSpec(rpc.Interface):
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    fail = rpc.method("fail", rpc.NONE, rpc.param("message", rpc.STR))
    yes = rpc.method("yes", rpc.BOOL)


class Shop(rpc.RpcTarget, spec=ShopSpec):
    """The target that the vectors are for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def add(self, a: int, b: int) -> int:
        self.calls.append(f"add({a},{b})")
        return a + b

    def fail(self, message: str) -> None:
        self.calls.append(f"fail({message})")
        raise ValueError(message)

    def yes(self) -> bool:
        self.calls.append("yes()")
        return True


def taking(main: rpc.RpcTarget, limits: Limits = DEFAULT_LIMITS) -> Side:
    """A side that takes plans."""
    side = Side(main, limits)
    side.session.begin_plan = run_plan
    return side


def ask(side: Side, plan: list[Any], subject: int = 0) -> list[Any]:
    """The answers to a plan that is pushed first and pulled."""
    texts = side.hear(["push", ["remap", subject, [], [], plan]], ["pull", side.session.calls_received + 1])
    return [json.loads(text) for text in texts]


def nested(form: Any, levels: int, leaf: Any) -> Any:
    """A form in itself, so many times, in each at the place of the dots."""
    for _ in range(levels):
        leaf = filled(form, leaf)
    return leaf


def filled(form: Any, leaf: Any) -> Any:
    """A form with something at the place of the dots."""
    if isinstance(form, dict):
        return {key: filled(part, leaf) for key, part in form.items()}
    if isinstance(form, list):
        return [filled(part, leaf) for part in form]
    return leaf if form is ... else form


def assert_released(side: Side) -> None:
    """Once the peer has given up its call, nothing is left of the plan."""
    side.hear(["release", side.session.calls_received, 1])
    gc.collect()
    side.assert_empty()
    assert side.host.running == 0


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["name"])
def test_what_is_accepted(vector: dict[str, Any]) -> None:
    shop = Shop()
    side = taking(shop)
    assert ask(side, vector["plan"]) == [["resolve", 1, vector["value"]]]
    assert shop.calls == vector["calls"]
    assert_released(side)


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_what_is_refused(vector: dict[str, Any]) -> None:
    shop = Shop()
    side = taking(shop)
    [[kind, _, error]] = ask(side, vector["plan"])
    assert kind == "reject"
    assert vector["error"] in error[2]
    assert error[1] == vector.get("type", error[1])
    assert shop.calls == vector["calls"]
    assert_released(side)


def test_without_being_asked_for_they_are_refused_before_anything_runs() -> None:
    shop = Shop()
    side = Side(shop)
    [[kind, _, error]] = ask(side, [["plan", 1], ["pipeline", 0, ["add"], [1, 2]]])
    assert (kind, error[2]) == ("reject", 'unknown special value: ["plan",1]')
    assert shop.calls == []
    assert_released(side)


class TestWaiting:
    def test_a_condition_waits_for_a_call_and_others_go_on(self) -> None:
        desk = Desk()
        side = taking(desk)
        plan = [
            ["plan", 1],
            ["pipeline", 0, ["hold"], ["a"]],
            ["op", "eq", ["pipeline", 2], 7],
            ["if", ["pipeline", 3], ARMS, ARMS],
        ]
        assert ask(side, plan) == []
        assert side.hear(["push", ["pipeline", 0, ["add"], [2, 2]]], ["pull", 2]) == ['["resolve",2,4]']
        side.hear(["release", 2, 1])
        desk.held["a"].resolve(7)
        assert side.take() == ['["resolve",1,2]']
        side.hear(["release", 1, 1])
        gc.collect()
        side.assert_empty()

    def test_calls_that_follow_each_other_start_without_waiting(self) -> None:
        desk = Desk()
        side = taking(desk)
        hold = [["pipeline", 0, ["hold"], [name]] for name in "ab"]
        assert ask(side, [["plan", 1], *hold, [[["pipeline", 2], ["pipeline", 3]]]]) == []
        assert [*desk.held] == ["a", "b"]
        desk.held["b"].resolve(2)
        assert side.take() == []
        desk.held["a"].resolve(1)
        assert side.take() == ['["resolve",1,[[1,2]]]']
        assert_released(side)

    def test_what_comes_after_a_branch_waits_for_it(self) -> None:
        desk = Desk()
        side = taking(desk)
        arm = [[["import", 0]], [["pipeline", -1, ["hold"], ["a"]]]]
        ask(side, [["plan", 1], ["if", True, arm, arm], ["pipeline", 0, ["hold"], ["b"]]])
        assert [*desk.held] == ["a"]
        desk.held["a"].resolve(1)
        assert [*desk.held] == ["a", "b"]
        desk.held["b"].resolve(2)
        assert side.take() == ['["resolve",1,2]']
        assert_released(side)

    def test_the_first_error_in_the_order_of_the_plan_is_told(self) -> None:
        desk = Desk()
        side = taking(desk)
        ask(side, [["plan", 1], *[["pipeline", 0, ["hold"], [name]] for name in "ab"]])
        desk.held["b"].reject(ValueError("second"))
        desk.held["a"].reject(ValueError("first"))
        [text] = side.take()
        assert "plan[2]: first" in text
        assert_released(side)


class TestGivingBack:
    @pytest.mark.parametrize("released", [False, True])
    def test_a_plan_that_is_given_up_goes_no_further(self, *, released: bool) -> None:
        desk = Desk()
        side = taking(desk)
        ask(
            side,
            [["plan", 1], ["pipeline", 0, ["hold"], ["a"]], ["if", True, ARMS, ARMS], ["pipeline", 0, ["hold"], ["b"]]],
        )
        if released:
            side.hear(["release", 1, 1])
        else:
            side.session.abort(ValueError("cut"), notify=False)
        desk.held["a"].resolve(1)
        assert [*desk.held] == ["a"]
        assert side.take() == []
        gc.collect()
        assert side.host.running == 0
        if released:
            side.assert_empty()

    def test_one_that_nobody_has_asked_for_runs_to_its_end(self) -> None:
        desk = Desk()
        side = taking(desk)
        side.hear(
            [
                "push",
                [
                    "remap",
                    0,
                    [],
                    [],
                    [
                        ["plan", 1],
                        ["pipeline", 0, ["hold"], ["a"]],
                        ["if", True, ARMS, ARMS],
                        ["pipeline", 0, ["hold"], ["b"]],
                    ],
                ],
            ]
        )
        side.hear(["release", 1, 1])
        desk.held["a"].resolve(1)
        assert [*desk.held] == ["a", "b"]
        desk.held["b"].resolve(1)
        gc.collect()
        side.assert_empty()

    @pytest.mark.parametrize(
        "last",
        [
            ["pipeline", 2],
            ["pipeline", 0, ["fail"], ["no"]],
            ["if", 5, ARMS, ARMS],
            ["while", ["pipeline", 2], [[], [True]], [[], [["pipeline", 0]]], 3],
        ],
    )
    def test_capabilities_are_disposed_once(self, last: list[Any]) -> None:
        counters: list[Counter] = []

        class Making(Desk):
            def counter(self, start: int = 0) -> Counter:
                counters.append(Counter(start))
                return counters[-1]

        side = taking(Making())
        ask(side, [["plan", 1], ["pipeline", 0, ["counter"], [5]], last])
        stats = side.session.stats()
        if stats.exports > 2:
            side.hear(["release", -1, 1])
        assert_released(side)
        assert [counter.disposed for counter in counters] == [1]

    def test_what_a_filter_keeps_of_capabilities(self) -> None:
        side = taking(Desk())
        kept = ["keep", ["pipeline", 0, ["counters"], [4]], [[], [["op", "gt", ["pipeline", 0, ["value"]], 1]]]]
        assert ask(side, [["plan", 1], kept]) == [["resolve", 1, [[["export", -1], ["export", -2]]]]]
        side.hear(["release", -1, 1], ["release", -2, 1])
        assert_released(side)

    def test_captures_are_given_back(self) -> None:
        side = taking(Desk())
        side.hear(["push", ["remap", 0, [], [["export", -1]], [["plan", 1], ["if", 5, ARMS, ARMS]]]])
        assert side.hear(["pull", 1])[0].startswith('["re')
        side.hear(["release", 1, 1])
        gc.collect()
        side.take()
        side.assert_empty()


class TestBounds:
    def test_calls_are_counted_before_anything_runs(self) -> None:
        shop = Shop()
        side = taking(shop, Limits(plan_calls=3))
        call = ["pipeline", 0, ["add"], [1, 1]]
        [[_, _, error]] = ask(side, [["plan", 1], *[call] * 4])
        assert "the plan makes at least 4 calls, and Limits.plan_calls allows 3" in error[2]
        assert shop.calls == []

    def test_and_while_it_runs(self) -> None:
        shop = Shop()
        side = taking(shop, Limits(plan_calls=3))
        loop = ["while", 0, [[], [True]], [[["import", 0]], [["pipeline", -1, ["add"], [["pipeline", 0], 1]]]], 10]
        [[_, _, error]] = ask(side, [["plan", 1], loop])
        assert "plan[2].do[1]: the plan makes more than 3 calls" in error[2]
        assert len(shop.calls) == 3
        assert_released(side)

    def test_the_shorter_arm_is_what_must_happen(self) -> None:
        shop = Shop()
        side = taking(shop, Limits(plan_calls=1))
        long = [[["import", 0]], [["pipeline", -1, ["add"], [1, 1]]] * 5]
        assert ask(side, [["plan", 1], ["if", True, [[], [1]], long]]) == [["resolve", 1, 1]]

    def test_steps_are_those_of_maps(self) -> None:
        side = taking(Shop(), Limits(map_steps=100))
        [[_, _, error]] = ask(side, [["plan", 1], *[5] * 101])
        assert "the plan takes at least 101 steps, and Limits.map_steps allows 100" in error[2]
        loop = ["while", 0, [[], [True]], [[], [1]], 90]
        [[_, _, error]] = ask(side, [["plan", 1], loop])
        assert "more than 100 steps" in error[2]

    def test_a_map_in_a_plan_takes_of_the_same_steps(self) -> None:
        side = taking(Shop(), Limits(map_steps=100))
        [[_, _, error]] = ask(side, [["plan", 1], *[5] * 60, ["remap", 0, [], [], [1] * 41]])
        assert "plan[62]: map() expands to more than 100 steps" in error[2]

    def test_blocks_may_be_nested_so_deep(self) -> None:
        side = taking(Shop(), Limits(plan_depth=3))
        block: list[Any] = [[], [1]]
        for _ in range(2):
            block = [[], [["if", True, block, [[], [0]]]]]
        assert ask(side, [["plan", 1], *block[1]]) == [["resolve", 1, 1]]
        [[_, _, error]] = ask(side, [["plan", 1], ["if", True, block, block]])
        assert "plan[2].then[1].then[1].then is nested deeper than 3" in error[2]

    @pytest.mark.parametrize("form", NESTING)
    @pytest.mark.parametrize("around", [0, 1, 20], ids="in the arguments of {} calls".format)
    def test_expressions_may_be_nested_as_deep_as_any_and_deeper_ones_are_refused_by_name(
        self, form: str, around: int
    ) -> None:
        for levels in (8, *range(20, 127, 3)):
            side = taking(Desk())
            wire: Any = ["remap", 0, [], [["import", 0]], [["plan", 1], nested(NESTING[form], levels, 1)]]
            wire = nested(["pipeline", 0, ["echo"], [...]], around, wire)
            answers = [json.loads(text) for text in side.hear(["push", wire], ["pull", 1])]
            [(kind, _, answer)] = [told for told in answers if told[0] in ("resolve", "reject")]
            if kind == "reject":
                assert levels > 8
                assert "Limits.depth" in answer[2] or "message depth of 256" in answer[2]
            assert side.session.reason is None

    def test_what_an_instruction_takes_is_bounded_when_no_message_is_at_hand_too(self) -> None:
        desk = Desk()
        side = taking(desk)
        many = {"numbers": [[0] * 200_000], "desk": ["import", 0]}
        named = [[["pipeline", -1, ["numbers"]]] * 300]
        ask(side, [["plan", 1], many, ["pipeline", 0, ["hold"], ["a"]], ["if", True, [[["import", 2]], [named]], ARMS]])
        before = side.host.account.spent
        desk.held["a"].resolve(7)
        [answer] = [json.loads(text) for text in side.take() if "reject" in text]
        assert answer[2][2].startswith("plan[4].then[1]: the message asks for more than 50000 units of work")
        assert side.host.account.spent - before < 2 * DEFAULT_LIMITS.message_work

    def test_what_a_plan_makes_counts_as_held_as_long_as_it_runs(self) -> None:
        desk = Desk()
        side = taking(desk)
        before = side.host.held.bytes
        literal = [[0] * 5000]
        ask(side, [["plan", 1], literal, ["pipeline", 0, ["hold"], ["a"]]])
        assert side.host.held.bytes - before > 5000 * 8
        desk.held["a"].resolve(1)
        assert_released(side)
        assert side.host.held.bytes <= before

    @pytest.mark.parametrize(
        "condition",
        [
            [[["import", 2]], [["op", "in", -1, ["pipeline", -1]], ["op", "not", ["pipeline", 1]]]],
            [[["import", 3]], [["keep", ["pipeline", -1], [[], [True]]], True]],
            [[["import", 4], ["import", 5]], [["op", "eq", ["pipeline", -1], ["pipeline", -2]]]],
        ],
    )
    def test_what_takes_long_takes_steps(self, condition: list[Any]) -> None:
        side = taking(Desk())
        texts = ["x" * 4_500_000, "x" * 4_499_999 + "x"]
        values = [[[*range(20_000)]], ["pipeline", 0, ["counters"], [500]], *texts]
        [[_, _, error]] = ask(side, [["plan", 1], *values, ["while", 0, condition, [[], [1]], 1000], 5])
        assert f"more than {DEFAULT_LIMITS.map_steps} steps" in error[2] or "units of work" in error[2]
        assert_released(side)

    def test_a_plan_without_end_is_none(self) -> None:
        side = taking(Shop())
        inner = ["while", 0, [[], [True]], [[], [1]], 1000]
        for _ in range(5):
            inner = ["while", 0, [[], [True]], [[], [inner]], 1000]
        [[_, _, error]] = ask(side, [["plan", 1], inner])
        assert f"more than {DEFAULT_LIMITS.map_steps} steps" in error[2]
        assert_released(side)


def test_a_call_that_ends_the_session_ends_the_plan() -> None:
    class Ending(Desk):
        def nothing(self) -> None:
            side.session.abort(ValueError("over"), notify=False)

    desk = Ending()
    side = taking(desk)
    side.hear(
        [
            "push",
            ["remap", 0, [], [], [["plan", 1], ["pipeline", 0, ["nothing"], []], ["pipeline", 0, ["hold"], ["a"]]]],
        ]
    )
    assert desk.held == {}


def hostile() -> st.SearchStrategy[Any]:
    """Instructions that may be well formed, or nearly."""
    index = st.integers(-2, 4)
    leaves: st.SearchStrategy[Any] = st.one_of(
        st.sampled_from(
            [None, True, False, "a", 1.5, {}, [[]], [], ["undefined"], ["nan"], ["export", -1], ["plan", 1]]
        ),
        st.tuples(st.just("pipeline"), index).map(list),
        st.tuples(st.just("import"), index).map(list),
    )

    def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        captures = st.lists(st.tuples(st.just("import"), index).map(list), max_size=2)
        block = st.tuples(captures, st.lists(inner, max_size=3)).map(list)
        names = st.sampled_from(["counter", "counters", "add", "hold", "fail", "toString"])
        return st.one_of(
            st.tuples(st.just("pipeline"), index, names.map(lambda name: [name]), st.lists(inner, max_size=2)).map(
                list
            ),
            st.tuples(st.just("if"), inner, block, block).map(list),
            st.tuples(st.just("while"), inner, block, block, st.sampled_from([0, 1, 3, 1000, 10**9])).map(list),
            st.tuples(st.just("keep"), inner, block).map(list),
            st.tuples(st.just("op"), st.sampled_from([*OPERANDS, "plus"]), inner, inner).map(list),
            st.tuples(st.just("op"), st.sampled_from(["len", "not", "null"]), inner).map(list),
            st.tuples(st.just("remap"), index, st.just([]), captures, st.lists(inner, max_size=2)).map(list),
            st.lists(inner, max_size=3).map(lambda items: [items]),
        )

    return st.recursive(leaves, larger, max_leaves=12)


@settings(max_examples=max(40, settings().max_examples // 4))
@given(st.lists(hostile(), min_size=1, max_size=4))
def test_whatever_a_plan_is_it_ends_or_waits_and_gives_everything_back(plan: list[Any]) -> None:
    desk = Desk()
    side = taking(desk, Limits(map_steps=2000, plan_calls=50))
    before = side.host.held.bytes
    answers = ask(side, [["plan", 1], *plan])
    assert side.session.reason is None
    assert side.host.account.spent < 2000 * 10
    answered = [answer for answer in answers if answer[0] in ("resolve", "reject")]
    assert len(answered) == 1 or desk.held
    for export in [export for export in side.session._exports if export < 0]:
        side.hear(["release", export, side.session._exports[export].refcount])
    side.hear(["release", 1, 1])
    for cell in desk.held.values():
        cell.resolve(1)
    gc.collect()
    side.take()
    side.assert_empty()
    assert side.host.running == 0
    assert side.host.held.bytes <= before


@pytest.mark.parametrize(
    "instructions",
    [
        [5],
        [["import", -1], 5],
        [["if", 5, ARMS, ARMS]],
        [["while", ["import", -1], [[], [True]], [[], [["import", 0]]], 3], 5],
        [["while", ["import", -1], [[], [5]], [[], [["import", 0]]], 3]],
        [["keep", [[["import", -1]]], [[], [True]]], 5],
        [["pipeline", 7]],
    ],
)
def test_every_reference_is_given_back_without_a_finalizer(instructions: list[Any]) -> None:
    side, counted = taking(Desk()), Counted()
    result = run_plan(side.session, side.session.main_hook, (), [counted], [["plan", 1], *instructions])
    result.dispose()
    assert counted.references == 0


def test_what_a_plan_that_is_given_up_has_asked_the_peer_for_does_not_go_on_with_it() -> None:
    """Giving back what it waits for rejects that, while the plan is being ended."""
    side = taking(Desk())
    side.hear(["push", ["remap", 0, [], [["export", -1]], [["plan", 1], ["pipeline", -1, ["make"], []]]]], ["pull", 1])
    assert [json.loads(text) for text in side.hear(["release", 1, 1])] == [["release", 1, 1], ["release", -1, 1]]
    assert side.failures == []
    side.assert_empty()


@pytest.mark.parametrize("last", [["op", "plus", 1, 2], ["pipeline", 0, ["fail"], ["no"]], ["if", 5, ARMS, ARMS]])
def test_a_plan_that_has_failed_leaves_no_cycle(last: list[Any]) -> None:
    side = taking(Desk())
    before = side.host.held.bytes
    gc.disable()
    try:
        side.hear(["push", ["remap", 0, [], [["export", -1]], [["plan", 1], [[0] * 5000], last]]], ["pull", 1])
        side.hear(["release", 1, 1])
        side.assert_empty()
        assert side.host.held.bytes <= before
    finally:
        gc.enable()
