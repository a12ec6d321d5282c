"""What a plan is known to take before it runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from capnweb_runtime import LimitExceeded
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.plan import run_plan
from capnweb_runtime.core.plan_bounds import UNKNOWN, Amount, Bounds, Value, Weigher, known_of, refuse_beyond
from capnweb_runtime.core.plan_form import NODES_PER_UNIT, read_plan, reading_plan
from capnweb_runtime.core.weight import AT_ONCE
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.plans import eq, gt, keep, plan, repeat, size, when
from tests.gen.golden.costs.expected import SearchSpec
from tests.runtime.core.test_plan_sending import Node, Sum, SumSpec, SumStub, outcome_of, programs, recorded
from tests.runtime.pair import Pair, Side


class CheapSpec(rpc.Interface):
    dear = rpc.method("dear", rpc.INT, cost=10)


class CheapTarget(rpc.RpcTarget, spec=CheapSpec):
    """What `give` is declared to give."""


class CheaperSpec(CheapSpec):
    dear = rpc.method("dear", rpc.INT, cost=4)


class CheaperTarget(CheapTarget, spec=CheaperSpec):
    """What it may give instead."""


CHEAP = rpc.interface(lambda: rpc.RpcStub, lambda: rpc.RpcPromise[Any], lambda: CheapTarget)
CALL = rpc.callback(rpc.INT, rpc.INT)


class ShopSpec(rpc.Interface):
    one = rpc.method("one", rpc.INT, cost=5)
    yes = rpc.method("yes", rpc.BOOL)
    some = rpc.method("some", rpc.list_of(rpc.INT), cost=2, items=20)
    any = rpc.method("any", rpc.optional(rpc.list_of(rpc.INT)))
    read = rpc.prop("read", rpc.list_of(rpc.INT), cost=3, items=4)
    give = rpc.method("give", CHEAP)
    given = rpc.method("given", rpc.list_of(CHEAP), items=3)
    function = rpc.method("function", CALL)


SHOP = Value(ShopSpec.rpc_members)
YES = [[["import", 0]], [["pipeline", -1, ["yes"], []]]]
ONE = [[["import", 0]], [["pipeline", -1, ["one"], []]]]
ITEM = [[["import", 0]], [["pipeline", -1, ["one"], []], True]]


def weighed(*instructions: Any, element: Value = SHOP) -> Bounds:
    """What a plan over the shop takes."""
    block = read_plan([["plan", 1], *instructions], 0, DEFAULT_LIMITS)
    return Weigher(256).block(block, element, ())[1]


def costs(bounds: Bounds) -> tuple[float, float, float]:
    """What it costs at least, is taken to, and at most."""
    return bounds.least.cost, bounds.assumed.cost, bounds.most.cost


def called(name: str, *path: str, value: int = 0) -> Any:
    return ["pipeline", value, [name, *path], []]


class TestWhatIsDeclared:
    @pytest.mark.parametrize(
        ("instructions", "expected"),
        [
            ([called("one")], (5, 5, 5)),
            ([called("yes"), called("one")], (6, 6, 6)),
            ([["pipeline", 0, ["read"]]], (3, 3, 3)),
            ([[[called("one"), {"a": called("one")}]]], (10, 10, 10)),
            ([["pipeline", 0, ["yes"], [called("one")]]], (6, 6, 6)),
            ([called("yes"), ["if", ["pipeline", 2], YES, ONE]], (2, 2, 6)),
            ([called("yes"), ["while", ["pipeline", 2], YES, ONE, 10]], (2, 2, 61)),
            ([called("some"), ["keep", ["pipeline", 2], ITEM]], (2, 102, 102)),
            ([called("any"), ["keep", ["pipeline", 2], ITEM]], (1, 1, math.inf)),
            ([["keep", ["pipeline", 0, ["read"]], ITEM]], (3, 23, 23)),
            ([called("some"), ["remap", 2, [], [["import", 0]], [called("one", value=-1)]]], (2, 102, 102)),
            ([["remap", 0, ["read"], [["import", 0]], [called("one", value=-1)]]], (3, 23, 23)),
            ([called("any"), ["remap", 2, [], [["import", 0]], [called("one", value=-1)]]], (1, 1, math.inf)),
            ([called("give"), ["remap", 2, [], [], [called("dear")]]], (1, 1, 11)),
            ([called("some"), ["remap", 2, [], [], [["pipeline", 0]]]], (2, 2, 2)),
            ([called("nothing")], (0, 0, 0)),
            ([["pipeline", 0, ["nothing", "at", "all"]]], (0, 0, 0)),
        ],
    )
    def test_costs(self, instructions: list[Any], expected: tuple[float, float, float]) -> None:
        assert costs(weighed(*instructions)) == expected

    def test_what_is_kept_is_taken_to_be_as_long_as_the_list(self) -> None:
        kept = [called("some"), ["keep", ["pipeline", 2], ITEM], ["keep", ["pipeline", 3], ITEM]]
        assert costs(weighed(*kept)) == (2, 202, 202)

    def test_maps_in_maps_are_multiplied(self) -> None:
        inner = ["remap", -1, ["read"], [["import", -1]], [called("one", value=-1)]]
        bounds = weighed(called("some"), ["remap", 2, [], [["import", 0]], [inner]])
        assert costs(bounds) == (2, 2 + 20 * (3 + 4 * 5), 2 + 20 * (3 + 4 * 5))
        assert (bounds.assumed.calls, bounds.assumed.mapped) == (1, 80)

    def test_results_are_followed_to_what_they_are_declared_to_be(self) -> None:
        assert costs(weighed(called("function"), ["pipeline", 2, [], [1]])) == (2, 2, 2)
        assert costs(weighed(called("given"), called("dear", value=2)))[0] == 1
        of_each = ["remap", 2, [], [], [called("dear")]]
        assert costs(weighed(called("given"), of_each)) == (1, 1 + 3 * 4, 1 + 3 * 10)
        first = ["pipeline", 3, [0, "dear"], []]
        items = ["remap", 2, [], [["import", 0]], [called("give", value=-1)]]
        assert costs(weighed(called("given"), items, first))[1] == 1 + 3 + 4

    def test_an_object_may_be_of_an_interface_that_asks_less(self) -> None:
        assert costs(weighed(called("give"), called("dear", value=2))) == (5, 5, 11)
        assert costs(weighed(called("dear"), element=Value(CheapSpec.rpc_members))) == (10, 10, 10)

    def test_what_is_not_known_costs_nothing_beforehand(self) -> None:
        bounds = weighed(called("one"), called("some", value=2), element=UNKNOWN)
        assert costs(bounds) == (0, 0, 0)
        assert bounds.least.calls == 2

    def test_arms_of_different_types_are_not_followed(self) -> None:
        some = [[["import", 0]], [["pipeline", -1, ["some"], []]]]
        kept = ["keep", ["pipeline", 3], ITEM]
        same = weighed(called("yes"), ["if", ["pipeline", 2], some, some], kept)
        assert costs(same)[1] == 1 + 2 + 20 * 5
        assert costs(weighed(called("yes"), ["if", ["pipeline", 2], some, YES], kept)) == (2, 2, math.inf)

    @pytest.mark.parametrize(
        "wire",
        [
            ["remap", 9, "x", [["import"], 5, ["import", "x"]], [5, None, ["pipeline"], ["pipeline", "x"], {}]],
            ["remap", 0, [], [], [["remap", 0, [], [], 5], ["remap"], ["if", 1, [], []]]],
        ],
    )
    def test_what_stands_in_a_map_may_be_anything(self, wire: Any) -> None:
        weigher = Weigher(256)
        block = read_plan([["plan", 1], ["pipeline", 0]], 0, DEFAULT_LIMITS)
        block = replace(block, instructions=(block.instructions[0]._replace(operands=[wire]),))
        weigher.block(block, SHOP, ())

    def test_maps_are_looked_into_as_deep_as_messages_may_be(self) -> None:
        wire: Any = called("one")
        for _ in range(5000):
            wire = ["remap", 0, [], [["import", 0]], [wire]]
        weigher = Weigher(20)
        block = read_plan([["plan", 1], wire], 0, DEFAULT_LIMITS)
        weigher.block(block, SHOP, ())
        assert weigher.nodes < 60

    @pytest.mark.parametrize("value", [[[[[0]]]], {"a": {"b": 0}}], ids=["lists", "objects"])
    @pytest.mark.parametrize("mapped", [False, True], ids=["by itself", "in a map"])
    def test_others_may_go_first_after_some_of_many_values(self, value: Any, *, mapped: bool) -> None:
        literal = [[value] * 3000]
        plan = [["plan", 1], ["remap", 0, [], [], [literal]] if mapped else literal]
        reading, done = reading_plan(plan, 0, DEFAULT_LIMITS), [0]
        weigher = Weigher(256)
        try:
            while True:
                done.append(next(reading))
        except StopIteration as end:
            looked_at = sum(weigher.weighing(end.value, SHOP, ()))
        assert len(done) > 3000 // AT_ONCE
        assert max(now - before for before, now in pairwise(done)) <= 2 * AT_ONCE // NODES_PER_UNIT
        assert looked_at >= weigher.nodes - AT_ONCE


class TestRefusals:
    def test_what_takes_too_long_where_lists_are_as_assumed(self) -> None:
        with pytest.raises(LimitExceeded, match=r"makes 41 calls where lists are .* Limits.plan_calls allows 40"):
            refuse_beyond(Amount(calls=41), Limits(plan_calls=40))
        with pytest.raises(LimitExceeded, match=r"takes 41 steps where lists are .* Limits.map_steps allows 40"):
            refuse_beyond(Amount(steps=41), Limits(map_steps=40))
        refuse_beyond(Amount(40, 40, 1000, 1000), Limits(map_steps=40, plan_calls=40))

    @pytest.mark.parametrize(("limit", "runs"), [(20, False), (21, True)])
    def test_a_filter_over_a_list_of_assumed_length_is_refused_before_it_runs(self, limit: int, runs: bool) -> None:
        asked: list[str] = []

        class Shop(rpc.RpcTarget, spec=ShopSpec):
            def some(self) -> list[int]:
                asked.append("some")
                return [1]

            def one(self) -> int:
                asked.append("one")
                return 1

        side = Side(Shop(), Limits(plan_calls=limit))
        side.session.begin_plan = run_plan
        wire = [["plan", 1], called("some"), ["keep", ["pipeline", 2], ITEM]]
        (text,) = side.hear(["push", ["remap", 0, [], [], wire]], ["pull", 1])
        answer = json.loads(text)
        assert (answer[0] == "resolve", bool(asked)) == (runs, runs)
        assert runs or "the plan makes 21 calls where lists are as long as its interfaces assume" in answer[2][2]
        side.hear(["release", 1, 1])
        side.assert_empty()


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums cost something."""
    monkeypatch.setattr(SumSpec.add, "cost", 3)
    monkeypatch.setattr(SumSpec.upto, "cost", 7)


def bounds_of(function: Callable[[SumStub], Any]) -> Bounds:
    """What a recorded plan takes."""
    side = Side()
    promise = plan(side.main(SumStub), function)
    (push,) = [wire for wire in map(json.loads, side.take()) if wire[0] == "push"]
    promise.dispose()
    block = read_plan(push[1][4], 0, DEFAULT_LIMITS)
    target = Pair(None, Sum()).b.session.main_hook
    assert target is not None
    return Weigher(256).block(block, known_of(target), ())[1]


@pytest.mark.usefixtures("priced")
def test_a_plan_takes_what_was_known_beforehand() -> None:
    @settings(max_examples=max(50, settings().max_examples // 4))
    @given(programs())
    def holds(program: Node) -> None:
        def function(p: SumStub) -> Any:
            return recorded(program, p, p.add(1, 2))

        bounds = bounds_of(function)
        target = Sum()
        pair = Pair(None, target)
        pair.b.session.begin_plan = run_plan
        result = outcome_of(lambda: pair.wait(plan(pair.a.main(SumStub), function)))
        pair.assert_empty()
        cost = sum(3 if len(asked) == 2 else 7 for asked in target.asked)
        if not isinstance(result, str):  # a plan that fails has taken as much as it came to
            assert bounds.least.calls <= len(target.asked)
            assert bounds.least.cost <= cost
        assert len(target.asked) <= bounds.most.calls
        assert cost <= bounds.most.cost
        assert all(one <= other for one, other in zip(bounds.least, bounds.assumed, strict=True))
        assert all(one <= other for one, other in zip(bounds.assumed, bounds.most, strict=True))

    holds()


def test_search_is_weighed_by_its_generated_table() -> None:
    block = read_plan(
        [["plan", 1], called("find"), ["remap", 2, [], [["import", 0]], [["pipeline", -1, ["count"], []]]]],
        0,
        DEFAULT_LIMITS,
    )
    _, bounds = Weigher(256).block(block, Value(SearchSpec.rpc_members), ())
    assert costs(bounds) == (25, 45, 45)


def test_a_plan_of_functions_of_python() -> None:
    bounds = bounds_of(
        lambda p: when(
            eq(p.add(1, 1), 2),
            lambda: repeat(p.add(0, 0), while_=lambda n: gt(5, n), do=lambda n: p.add(n, 1), at_most=5),
            lambda: size(keep(p.upto(3), lambda n: eq(p.add(n, 0), 1))),
        )
    )
    assert bounds.least.calls == 2
    assert bounds.most.calls == math.inf
