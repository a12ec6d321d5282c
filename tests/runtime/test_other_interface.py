"""A capability of one interface where another one is declared: what is known to be another is refused when it is
decoded; any other fails when it is called, in a way that names both.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from capnweb_runtime.objects.any_stub import AnyStub
from tests.runtime.conftest import Join
from tests.runtime.example import Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Side, begin, outcome

EXPECTED = "argument 'counter': expected CounterTarget or CounterStub, got "


def answer(side: Side, *messages: Any) -> Any:
    """The last answer to messages; the session lives."""
    texts = side.hear(*messages)
    assert side.session.reason is None
    return json.loads(texts[-1])


@pytest.mark.parametrize("name", ["use", "keep", "same"])
@pytest.mark.parametrize(
    ("argument", "actual"),
    [
        (["import", 0], "DeskTarget"),
        (["pipeline", 0], "DeskTarget"),
        (["pipeline", 0, ["echo"], [["import", 0]]], "DeskTarget"),
        (["pipeline", 0, ["add"]], "a function"),
    ],
    ids=["a stub", "a promise", "a result", "a method"],
)
def test_an_object_of_ours_is_refused_when_it_is_decoded(name: str, argument: Any, actual: str) -> None:
    desk: Any = Desk()
    said = answer(Side(desk), ["push", ["pipeline", 0, [name], [argument]]], ["pull", 1])
    assert said[:2] == ["reject", 1]
    assert said[2][1:3] == ["TypeError", EXPECTED + actual]
    assert not any(entry[0] == name for entry in desk.log)


@pytest.mark.parametrize("counter", [["pipeline", 0, ["counter"], [3]], ["pipeline", 0, ["home"]]])
def test_one_of_the_interface_comes_home_as_ever(counter: Any) -> None:
    said = answer(Side(Desk()), ["push", ["pipeline", 0, ["use"], [counter, 2]]], ["pull", 1])
    assert said[0] == "resolve"


def test_so_does_one_of_a_class_derived_from_it(join: Join) -> None:
    class Grand(Counter):
        pass

    pair = join(Counter(), Desk())
    same = pair.wait(pair.a.main(DeskStub).same(Grand(7)))
    assert isinstance(same, CounterStub)
    assert pair.wait(same.increment(1)) == 8
    same.dispose()


def test_a_result_that_is_one_of_ours_is_checked_as_well(join: Join) -> None:
    pair = join(Desk(), Desk(), clean=False)
    promise = pair.a.main(DeskStub).counter()
    begin(promise)
    pair.a.hear(["resolve", 1, ["import", 0]])
    with pytest.raises(TypeError, match=r"^result: expected CounterTarget or CounterStub, got DeskTarget"):
        outcome(promise)


def test_a_call_of_another_ones_method_names_both(join: Join) -> None:
    pair = join(None, Desk())
    taken = CounterStub(pair.a.session.remote_main.dup())  # of a desk, which only its own side can tell
    with pytest.raises(TypeError, match=r"^'increment' is not a function of Desk\.") as caught:
        pair.wait(taken.increment(1))
    assert caught.value.__notes__ == ["raised by the peer, in answer to Counter.increment"]
    caught.value.__traceback__ = None


def test_it_names_the_whole_path(join: Join) -> None:
    pair = join(None, Desk())
    with pytest.raises(TypeError, match=r"^'home\.nothing' is not a function of Counter\.") as caught:
        pair.wait(pair.a.main(AnyStub).call(("home", "nothing")))
    caught.value.__traceback__ = None
