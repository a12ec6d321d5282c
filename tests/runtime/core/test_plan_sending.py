"""Plans for peers that take none: what is tried, what is remembered, and that it comes to the same."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.plan import run_plan
from capnweb_runtime.errors import DisposedError, SessionClosed
from capnweb_runtime.plans import eq, gt, keep, le, lt, ne, plan, repeat, size, when
from tests.runtime.conftest import Join
from tests.runtime.example import CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, begin, outcome

LIST_INT = rpc.list_of(rpc.INT)
Node: TypeAlias = Any
COMPARISONS: dict[str, Any] = {"eq": eq, "ne": ne, "lt": lt, "le": le, "gt": gt}
MODEL: dict[str, Callable[[int, int], bool]] = {
    "eq": int.__eq__,
    "ne": int.__ne__,
    "lt": int.__lt__,
    "le": int.__le__,
    "gt": int.__gt__,
}


class SumSpec(rpc.Interface):
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    upto = rpc.method("upto", LIST_INT, rpc.param("count", rpc.INT))


class SumStub(rpc.Calls, rpc.RpcStub):
    def add(self, a: int | rpc.RpcPromise[int], b: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(SumSpec.add, a, b)

    def upto(self, count: int | rpc.RpcPromise[int]) -> rpc.ListPromise[int, rpc.RpcPromise[int]]:
        return self._call(SumSpec.upto, count)


class Sum(rpc.RpcTarget, spec=SumSpec):
    """Adds up to 40, and keeps what it has been asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def add(self, a: int, b: int) -> int:
        self.asked.append((a, b))
        if a + b > 40:
            raise ValueError(f"{a} + {b} is too much")
        return a + b

    def upto(self, count: int) -> list[int]:
        self.asked.append((count,))
        return [*range(count)]


def programs() -> st.SearchStrategy[Node]:
    """Programs that are made of sums, choices, loops and filters, and name what they begin with."""
    leaves = st.one_of(st.tuples(st.just("add"), st.integers(0, 25), st.integers(0, 25)), st.just(("given",)))
    comparison = st.sampled_from([*COMPARISONS])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("sum"), inner, inner),
            st.tuples(st.just("when"), comparison, inner, st.integers(0, 30), inner, inner),
            st.tuples(st.just("repeat"), inner, comparison, st.integers(0, 30), inner, st.integers(1, 4)),
            st.tuples(st.just("kept"), inner, comparison, st.integers(0, 10)),
        ),
        max_leaves=8,
    )


def recorded(node: Node, p: SumStub, given: rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
    """What a program is in a plan."""
    kind, *parts = node
    if kind == "given":
        return given
    if kind == "add":
        return p.add(*parts)
    if kind == "sum":
        return p.add(recorded(parts[0], p, given), recorded(parts[1], p, given))
    if kind == "when":
        name, left, right, then, otherwise = parts
        chosen = COMPARISONS[name](recorded(left, p, given), right)
        return when(chosen, lambda: recorded(then, p, given), lambda: recorded(otherwise, p, given))
    if kind == "repeat":
        start, name, right, body, most = parts
        return repeat(
            recorded(start, p, given),
            while_=lambda state: COMPARISONS[name](state, right),
            do=lambda state: p.add(recorded(body, p, state), 1),
            at_most=most,
        )
    counted, name, right = parts
    return size(keep(p.upto(recorded(counted, p, given)), lambda item: COMPARISONS[name](item, right)))


def evaluated(node: Node, target: Sum, given: int) -> int:
    """What a program is in Python."""
    kind, *parts = node
    if kind == "given":
        return given
    if kind == "add":
        return target.add(*parts)
    if kind == "sum":
        return target.add(evaluated(parts[0], target, given), evaluated(parts[1], target, given))
    if kind == "when":
        name, left, right, then, otherwise = parts
        return evaluated(then if MODEL[name](evaluated(left, target, given), right) else otherwise, target, given)
    if kind == "repeat":
        start, name, right, body, most = parts
        state = evaluated(start, target, given)
        for _ in range(most):
            if not MODEL[name](state, right):
                break
            state = target.add(evaluated(body, target, state), 1)
        return state
    counted, name, right = parts
    return len([item for item in target.upto(evaluated(counted, target, given)) if MODEL[name](item, right)])


def outcome_of(run: Callable[[], int]) -> int | str:
    """The value, or the text of the error without the place."""
    try:
        return run()
    except ValueError as error:
        return str(error).rpartition(": ")[2]


@settings(max_examples=max(30, settings().max_examples // 4))  # each is carried out three times
@given(programs())
def test_a_plan_comes_to_the_same_here_there_and_in_python(program: Node) -> None:
    model = Sum()
    expected = outcome_of(lambda: evaluated(program, model, model.add(1, 2)))
    asked = []
    for takes in (True, False):
        target = Sum()
        pair = Pair(None, target)
        if takes:
            pair.b.session.begin_plan = run_plan
        stub = pair.a.main(SumStub)
        assert outcome_of(lambda: pair.wait(plan(stub, lambda p: recorded(program, p, p.add(1, 2))))) == expected  # noqa: B023  (called at once)
        asked.append(target.asked)
        pair.assert_empty()
    assert asked[0] == asked[1]
    assert asked[0] == model.asked or isinstance(expected, str)


def remaps(pair: Pair) -> int:
    """How many plans and maps the client has sent."""
    return sum(json.loads(text)[0] == "push" and json.loads(text)[1][0] == "remap" for text in pair.a.sent)


class TestAPeerThatTakesNone:
    def test_is_asked_once(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        for expected in (3, 3):
            assert (
                pair.wait(plan(desk, lambda p: when(gt(p.add(1, 1), 1), lambda: p.add(1, 2), lambda: p.add(0, 0))))
                == expected
            )
        assert remaps(pair) == 1

    def test_errors_name_the_place_all_the_same(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        with pytest.raises(ValueError, match=r"^plan\[4\]\.then\[1\]: no(\n|$)"):
            pair.wait(plan(desk, lambda p: when(eq(p.add(1, 1), 2), lambda: p.fail("no"), lambda: p.nothing())))

    def test_capabilities_come_out_and_are_given_back(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        outside = pair.wait(desk.counter(7))
        for _ in range(2):
            counter = pair.wait(
                plan(desk, lambda p: when(eq(outside.value, 7), lambda: p.counter(5), lambda: p.counter(6)))
            )
            assert isinstance(counter, CounterStub)
            assert pair.wait(counter.increment()) == 6
            counter.dispose()
        outside.dispose()
        names = plan(desk, lambda p: keep(p.books(), lambda book: gt(book.pages, 500)).map(lambda book: book.title))
        assert pair.wait(names) == ["Ulysses"]
        assert pair.wait(plan(desk.counter(3), lambda c: c.increment(2))) == 5

    def test_what_is_read_before_that_is_known_is_read_then(self, join: Join) -> None:
        pair = join(None, Desk())
        title = plan(pair.a.main(DeskStub), lambda p: p.book("Ulysses")).title
        assert pair.wait(title) == "Ulysses"

    @pytest.mark.parametrize("answered", [False, True])
    def test_giving_it_up(self, join: Join, *, answered: bool) -> None:
        desk = Desk()
        pair = join(None, desk)
        promise = plan(
            pair.a.main(DeskStub), lambda p: when(eq(p.hold("a"), 1), lambda: p.hold("b"), lambda: p.add(1, 1))
        )
        begin(promise)
        if answered:
            pair.run()
            assert [*desk.held] == ["a"]
        promise.dispose()
        pair.run()
        for cell in desk.held.values():
            cell.resolve(1)
        pair.run()
        assert "b" not in desk.held
        with pytest.raises(DisposedError):
            outcome(promise)

    def test_a_session_that_is_cut_in_the_middle(self, join: Join) -> None:
        desk = Desk()
        pair = join(None, desk, clean=False)
        promise = plan(
            pair.a.main(DeskStub), lambda p: when(eq(p.hold("a"), 1), lambda: p.hold("b"), lambda: p.add(1, 1))
        )
        begin(promise)
        pair.run()
        pair.a.session.abort(SessionClosed("cut"))
        with pytest.raises(SessionClosed, match="cut"):
            outcome(promise)
        pair.run()
        gc.collect()
        assert pair.a.session.stats().imports == 0


def test_a_peer_that_takes_plans_is_not_asked_for_what_nobody_waits_for(join: Join) -> None:
    pair = join(None, Desk())
    pair.b.session.begin_plan = run_plan
    desk = pair.a.main(DeskStub)
    assert pair.wait(plan(desk, lambda p: p.add(1, 1))) == 2
    begun = plan(desk, lambda p: p.add(1, 1))
    pair.run()
    assert sum('["pull"' in text for text in pair.a.sent) == 1
    begun.dispose()
