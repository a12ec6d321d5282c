"""What a `map()` of a peer's expands to is known, and refused, before any of it is built."""

from __future__ import annotations

import json
from typing import Any

import pytest

from capnweb_runtime.limits import DEFAULT_LIMITS
from tests.runtime.example import Desk
from tests.runtime.pair import Side

STEPS = DEFAULT_LIMITS.map_steps


def mapped(elements: int, *maps: list[Any]) -> tuple[Side, list[Any]]:
    """A list of zeros mapped by instructions, each map in a message of its own: the answers."""
    side = Side(Desk())
    side.hear(["push", [[0] * elements]])
    answers = []
    for number, instructions in enumerate(maps, 2):
        side.hear(["push", ["remap", 1, [], [], instructions]])
        answers.append(json.loads(side.hear(["pull", number])[0]))
    assert side.session.reason is None
    return side, answers


def test_a_literal_counts_for_what_is_in_it_and_is_not_built_before() -> None:
    side, [answer] = mapped(20_000, [[[{}] * 300]])
    assert answer[0] == "reject"
    assert f"map() expands to more than {STEPS} steps" in answer[2][2]
    assert side.session.account.spent < 20_000


@pytest.mark.parametrize(
    "literal", [[[[]] * 30], [[0] * 3000], {f"k{field}": 0 for field in range(300)}, [[[[[[]]]]] * 9]]
)
def test_whatever_it_is_made_of(literal: Any) -> None:
    _, [answer] = mapped(10_000, [literal])
    assert answer[0] == "reject"


def test_what_one_element_takes_is_bounded_when_no_message_is_at_hand_too() -> None:
    desk = Desk()
    side = Side(desk)
    many = [[{"numbers": [[0] * 200_000], "desk": ["import", 0]}]]
    side.hear(["push", ["pipeline", 0, ["hold"], ["a"]]])
    side.hear(["push", ["pipeline", 0, ["echo"], [[[many, ["pipeline", 1]]]]]])
    side.hear(["push", ["remap", 2, [0], [], [[[["pipeline", 0, ["numbers"]]] * 300]]]], ["pull", 3])
    before = side.session.account.spent
    desk.held["a"].resolve(7)
    [answer] = [json.loads(text) for text in side.take() if "units of work" in text][:1]
    assert answer[0] == "reject"
    assert side.session.account.spent - before < 4 * DEFAULT_LIMITS.message_work


def test_what_people_map_is_within_the_bound() -> None:
    _, answers = mapped(20_000, [["pipeline", 0, ["name"]]], [{"name": 0, "tags": [[]]}], [5])
    assert [answer[0] for answer in answers] == ["resolve"] * 3


def test_maps_of_one_message_share_what_it_may_spend() -> None:
    side = Side(Desk())
    side.hear(["push", [[0] * 10_000]])
    side.hear(["push", [[["remap", 1, [], [], [1, 2, 3, 4]]] * 5]], ["push", ["pipeline", 2]])
    answer = json.loads(side.hear(["pull", 3])[0])
    assert answer[0] == "reject"
    assert f"more than {STEPS} steps" in answer[2][2]
    for number in range(4, 9):  # as many in messages of their own
        side.hear(["push", ["remap", 1, [], [], [1, 2, 3, 4]]])
        assert side.hear(["pull", number])[0].startswith(f'["resolve",{number},')


def test_work_of_a_map_is_counted_for_whoever_shares_out_turns() -> None:
    side, _ = mapped(1000, [1, 2, 3])
    assert side.session.account.spent > 3000
