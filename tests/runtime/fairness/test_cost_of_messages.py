"""Hypothesis looks for the message that costs most: work done for each unit that the account charges, and units for
each byte. What is done is counted in calls of functions, Python's and C's: no clock is asked.

`make nightly` looks longer. What it may find at most is said in docs/security.md.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from capnweb_runtime.limits import Limits
from tests.project.sources import ROOT
from tests.runtime.example import Desk
from tests.runtime.pair import Side
from tests.runtime.test_fuzz import expressions, messages, names, paths

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
(CALLS_PER_UNIT,) = (int(number) for number in re.findall(r"makes more than (\d+) calls of\s+functions", TEXT))
CALLS_PER_MESSAGE = 60
"""Beside what it is charged: to take it, to answer it, to end a session for it."""
LIMITS = Limits(message_work=5_000, map_steps=5_000, calls=200, exports=2_000, imports=2_000)
READING = 1.1
"""Units that a byte costs to read, at most: a list begins with one."""
ASKED = 2 * (LIMITS.message_work + LIMITS.map_steps)
"""Units that a message may ask for beyond that; what it takes to find that it asks for too much is among them."""
EXAMPLES = settings(max_examples=max(150, settings().max_examples), deadline=None)


class Counter:
    """Counts the calls that are made while it is on."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            self.calls += 1

    @contextmanager
    def on(self) -> Iterator[None]:
        before = sys.getprofile()
        gc.disable()  # or what others have left is counted
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(before)
            gc.enable()


class Cost:
    """What a conversation takes.

    Attributes:
        calls: of functions.
        units: charged.
        size: bytes of its messages.
        heard: how many messages there were.
        messages: the same, those that they were answered with included.
    """

    def __init__(self, texts: list[str]) -> None:
        side = Side(Desk(), LIMITS)
        counter = Counter()
        receive = side.session.receive
        self.size = self.messages = self.heard = 0
        for text in texts:
            if side.session.closed:
                break
            self.size += len(text)
            self.heard += 1
            with counter.on():
                receive(text)
            self.messages += 1 + len(side.take())
        self.calls = counter.calls
        self.units = side.session.account.spent

    @property
    def per_unit(self) -> float:
        """Calls for each unit, but for those that every message takes."""
        return (self.calls - CALLS_PER_MESSAGE * self.messages) / max(self.units, 1)


def texts_of(conversation: list[Any]) -> list[str]:
    return [message if isinstance(message, str) else json.dumps(message) for message in conversation]


leaves: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1.5, None, True, "", "x", "x" * 100, {}, [[]], {"a": 1}, ["undefined"], ["date", 1], ["bigint", "9" * 50],
     ["bytes", "QUJD"], ["error", "E", "m"], ["url", "http://a"], ["headers", [["a", "b"]]], ["pipeline", 0],
     ["pipeline", 1], ["pipeline", 1, [0]], ["pipeline", 0, ["add"], [1, 2]], ["pipeline", 0, ["home"]],
     ["import", 0], ["import", 1], ["export", -1], ["export", -7], ["promise", -2],
     ["remap", 1, [], [], [1]], ["remap", 1, [], [["import", 0]], [["pipeline", -1, ["add"], [1, 2]]]]]
)  # fmt: skip
"""Expressions of every kind, of which there may be many."""


def _composites(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.tuples(inner, st.integers(1, 40)).map(lambda of: [[of[0]] * of[1]]),
        st.tuples(inner, st.integers(1, 40)).map(lambda of: {f"k{number}": of[0] for number in range(of[1])}),
        st.lists(inner, max_size=3).map(lambda items: [items]),
        st.tuples(st.sampled_from(["echo", "describe", "totals", "add", "nope"]), inner).map(
            lambda of: ["pipeline", 0, [of[0]], [of[1]]]
        ),
        st.tuples(st.integers(0, 3), st.lists(inner, min_size=1, max_size=4)).map(
            lambda of: ["remap", of[0], [], [["import", 0]], of[1]]
        ),
        st.tuples(inner, st.integers(1, 60)).map(lambda of: _nested(*of)),
    )


def _nested(leaf: Any, levels: int) -> Any:
    for _ in range(levels):
        leaf = [[leaf]]
    return leaf


amplified = st.recursive(st.one_of(leaves, expressions), _composites, max_leaves=6)
pushes = amplified.map(lambda expression: ["push", expression])
asked = st.integers(1, 8).map(lambda number: ["pull", number])
long_paths = st.tuples(st.integers(0, 3), names, st.integers(1, 300)).map(
    lambda of: ["push", ["pipeline", of[0], [of[1]] * of[2]]]
)
conversations = st.lists(
    st.one_of(
        pushes, pushes, asked, messages, long_paths,
        paths.map(lambda path: ["push", ["pipeline", 1, path]]),
        amplified.map(lambda expression: ["resolve", 1, expression]),
        amplified.map(lambda expression: ["stream", ["pipeline", 0, ["echo"], [expression]]]),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


ONE = ["pipeline", 1]
DEAREST: dict[str, list[Any]] = {
    "a list that stands in a list many times": [
        ["push", [[0] * 50]], ["push", ["pipeline", 0, ["echo"], [[[ONE] * 500]]]], ["pull", 2],
    ],
    "a value that does": [["push", 1], ["push", [[ONE] * 500]], ["push", ["pipeline", 2]], ["pull", 3]],
    "numbers there and back": [["push", ["pipeline", 0, ["echo"], [[[0] * 2000]]]], ["pull", 1]],
    "objects": [["push", ["pipeline", 0, ["echo"], [[[{}] * 500]]]], ["pull", 1]],
    "responses": [["push", ["pipeline", 0, ["echo"], [[[["response", None, {}]] * 300]]]], ["pull", 1]],
    "stubs": [["push", ["pipeline", 0, ["echo"], [[[["import", 0]] * 400]]]], ["pull", 1]],
    "errors": [["push", ["pipeline", 0, ["echo"], [[[["error", "E", "m"]] * 400]]]], ["pull", 1]],
    "promises": [["push", [[["promise", -number - 1] for number in range(500)]]]],
    "a map of itself": [
        ["push", [[0] * 1000]], ["push", ["remap", 1, [], [], [["pipeline", 0], ["pipeline", 0]]]], ["pull", 2],
    ],
}  # fmt: skip
"""Those that have been found to cost most."""


@pytest.mark.parametrize("conversation", DEAREST.values(), ids=DEAREST)
def test_the_dearest_that_were_found_are_within_the_bound(conversation: list[Any]) -> None:
    assert 5 < Cost(texts_of(conversation)).per_unit <= CALLS_PER_UNIT


@given(conversations)
@EXAMPLES
def test_no_message_does_more_than_it_is_charged_for(conversation: list[Any]) -> None:
    cost = Cost(texts_of(conversation))
    target(cost.per_unit, label="calls for each unit")
    assert cost.per_unit <= CALLS_PER_UNIT
    assert cost.units <= READING * cost.size + ASKED * cost.heard


def test_what_is_counted_is_seen() -> None:
    """A charge that is too small for what is done is found out."""
    conversation = [["push", ["pipeline", 0, ["echo"], [[[{}] * 500]]]], ["pull", 1]]
    cost = Cost(texts_of(conversation))
    assert cost.calls > 500 * 10
    cost.units //= 10
    assert cost.per_unit > CALLS_PER_UNIT
