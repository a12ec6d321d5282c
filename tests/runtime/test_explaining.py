"""Plans that are explained: their steps as errors name them, and what they take."""

from __future__ import annotations

import re
from typing import Any

import pytest

import capnweb_runtime
from capnweb_runtime import AnyStub, Explanation, connect, explain, serve
from capnweb_runtime.explaining import Between
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.plans import contains, eq, gt, is_none, keep, not_, plan, repeat, size, when
from tests.gen.golden.costs.expected import SearchStub
from tests.runtime.example import Desk, DeskStub
from tests.runtime.pair import Side


def explained(function: Any) -> list[str]:
    """The steps of a plan over a desk, without what they take."""
    return [f"{step.place}: {step.text}" for step in explain(DeskStub, function).listing]


def test_it_is_an_attribute_of_the_package() -> None:
    assert capnweb_runtime.explain is explain
    assert capnweb_runtime.Explanation is Explanation


def test_a_plan_is_listed_with_what_it_takes() -> None:
    found = explain(SearchStub, lambda p: keep(p.find("whales"), lambda number: gt(p.count([number]), 0)))
    assert str(found).splitlines() == [
        "steps 5 to 185 (taken as 185), calls 1 to 21 (taken as 21), depth 2, cost 25 to 45 (taken as 45)",
        "plan[2]            p.find('whales')  # cost 25",
        "plan[3]            keep of plan[2]  # calls 0 to 20 (taken as 20), cost 0 to 20 (taken as 20)",
        "  plan[3].keep[1]  p.count([item])  # cost 1",
        "  plan[3].keep[2]  gt(plan[3].keep[1], 0)",
        "  plan[3].keep[3]  gives plan[3].keep[2]",
        "plan[4]            gives plan[3]",
    ]
    assert found.cost == Between(25, 45, 45)
    assert (found.depth, found.turns, found.unknown) == (2, 0, 0)


def test_what_is_written_is_what_it_says() -> None:
    assert explained(
        lambda p: when(
            not_(is_none(p.echo("x" * 90))),
            lambda: size(p.books()),
            lambda: repeat(p.counter(1).value, while_=lambda n: gt(9, n), do=lambda n: p.add(n, 1), at_most=3),
        )
    ) == [
        f"plan[2]: p.echo('{'x' * 38}…)",
        "plan[3]: is_none(plan[2])",
        "plan[4]: not_(plan[3])",
        "plan[5]: when plan[4]",
        "plan[5].then[1]: p.books()",
        "plan[5].then[2]: size(plan[5].then[1])",
        "plan[5].then[3]: gives plan[5].then[2]",
        "plan[5].else[1]: p.counter(1)",
        "plan[5].else[2]: repeat from plan[5].else[1].value, at most 3 turns",
        "plan[5].else[2].while[1]: gt(9, state)",
        "plan[5].else[2].while[2]: gives plan[5].else[2].while[1]",
        "plan[5].else[2].do[1]: p.add(state, 1)",
        "plan[5].else[2].do[2]: gives plan[5].else[2].do[1]",
        "plan[5].else[3]: gives plan[5].else[2]",
        "plan[6]: gives plan[5]",
    ]
    assert explained(
        lambda p: {"a": contains(p.ints(3), 2), "b": p.books().map(lambda book: (book.title, p.add(1, 2)))}
    ) == [
        "plan[2]: p.ints(3)",
        "plan[3]: contains(plan[2], 2)",
        "plan[4]: p.books()",
        "plan[5]: plan[4].map(item: [item.title, p.add(1, 2)])",
        "plan[6]: {'a': plan[3], 'b': plan[5]}",
    ]


async def test_places_are_those_of_errors() -> None:
    def failing(p: DeskStub) -> Any:
        return when(eq(p.add(1, 1), 2), lambda: p.fail("no"), p.nothing)

    async with (
        serve(lambda peer: Desk(), "127.0.0.1", 0, plans=True) as server,
        connect(server.url, DeskStub) as desk,
    ):
        with pytest.raises(ValueError, match="no") as caught:
            await plan(desk, failing)
        place, _, _ = str(caught.value).partition(":")
        (step,) = [step for step in explain(desk, failing).listing if step.place == place]
        assert step.text == "p.fail('no')"
        assert explain(desk.counter(1), lambda counter: counter.increment(2)).listing[0].text == "p.increment(2)"
        assert explain(failing) == explain(DeskStub, failing)  # by its annotation


def test_nothing_is_sent_and_everything_is_given_back() -> None:
    side = Side()
    desk = side.main(DeskStub)
    counter = desk.counter(1)
    side.take()
    found = explain(desk, lambda p: when(eq(counter.increment(1), 2), p.nothing, lambda: counter.increment(2)))
    assert side.take() == []
    assert found.listing[0].text == "outside 1.increment(1)"
    assert found.unknown == 2
    assert "cost 0 to 1, and of 2 calls that is not known" in str(found)
    counter.dispose()
    desk.dispose()


def test_what_would_be_refused_is_explained_all_the_same() -> None:
    def nested(levels: int, p: DeskStub) -> Any:
        if not levels:
            return p.add(1, 1)
        return when(eq(p.add(1, 1), 2), lambda: nested(levels - 1, p), lambda: p.add(2, 2))

    found = explain(DeskStub, lambda p: nested(DEFAULT_LIMITS.plan_depth + 5, p))
    assert found.depth == DEFAULT_LIMITS.plan_depth + 6
    looping = explain(DeskStub, lambda p: repeat(p.add(1, 1), lambda n: gt(1, n), lambda n: n, at_most=10**6))
    assert looping.turns == 10**6


def test_of_a_stub_without_an_interface_calls_are_known_and_costs_are_not() -> None:
    found = explain(lambda p: when(p.call("yes"), lambda: p.call("a", 1), lambda: p.get(("b", 0))))
    assert [step.text for step in found.listing][:3] == ["p.yes()", "when plan[2]", "p.a(1)"]
    assert (found.calls, found.unknown) == (Between(1, 1, 2), 2)
    assert found == explain(AnyStub, lambda p: when(p.call("yes"), lambda: p.call("a", 1), lambda: p.get(("b", 0))))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((5,), "explain.. takes a stub or its class, and a function, not int alone"),
        ((5, lambda p: p), "explain.. takes a stub, its class, or a promise of one, not int"),
        ((int, lambda p: p), "not type"),
        ((DeskStub, lambda p: p.add(1, 1) if p.books() else p.add(1, 2)), "inside plan.. one cannot test"),
    ],
)
def test_what_cannot_be_explained_is_refused(arguments: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        explain(*arguments)


def test_it_cannot_stand_in_a_plan() -> None:
    with pytest.raises(TypeError, match=re.escape("explain() cannot stand in a plan")):
        explain(DeskStub, lambda p: explain(p, lambda q: q.nothing()))
