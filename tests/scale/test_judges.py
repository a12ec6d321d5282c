"""The judges of `make chaos`: what is not as promised is seen, and nobody is blamed for what was done to them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from tests.scale.harms import ENGINE, KNOWN, Harm, Harms
from tests.scale.ledger import Ledger
from tests.scale.placement import Added, wrong_in
from tests.scale.presence import LATE, Room, Stay
from tests.scale.rates import Admitted
from tests.scale.subscriber import Broken
from tests.scale.tasks import Attempts, Begun, server_at, worker_of

# ---- owners


class Owners:
    """Acts of a, b and c, each a fence and a time."""

    def __init__(self, *acts: tuple[str, int, float], excused: float = 0.0) -> None:
        ledger = Ledger()
        ledger.excuse(excused)
        self.accepted = [ledger.act(*act) for act in acts]
        self.broken = ledger.broken


def test_owners_who_follow_each_other_are_as_promised() -> None:
    one = Owners(("a", 1, 1.0), ("a", 1, 2.0), ("b", 2, 3.0), ("a", 1, 2.5))
    assert one.accepted == [True, True, True, False], "the last one was stopped before it acted, and is refused"
    assert one.broken == []


@pytest.mark.parametrize(
    ("acts", "what"),
    [
        ((("a", 1, 1.0), ("b", 1, 2.0)), "both given the fence 1"),
        ((("a", 5, 1.0), ("b", 4, 2.0)), "given the fence 4 after a had 5"),
        ((("a", 1, 1.0), ("b", 2, 2.0), ("a", 1, 3.0)), "a was the owner 1.000 s after b became it"),
    ],
)
def test_owners_who_are_not_alone_are_seen(acts: Sequence[tuple[str, int, float]], what: str) -> None:
    assert what in Owners(*acts).broken[0]


def test_a_holder_whose_lease_the_engine_has_lost_may_not_know_for_a_while() -> None:
    acts = (("a", 1, 1.0), ("b", 2, 2.0), ("a", 1, 3.0))
    assert Owners(*acts, excused=3.5).broken == []
    assert Owners(*acts, excused=3.5).accepted == [True, True, False]


# ---- others


def harmed(*harms: Harm) -> Harms:
    """What was done."""
    found = Harms(lambda _: None)
    found._all.extend(harms)
    return found


def room(*harms: Harm, stays: Sequence[Stay]) -> Room:
    """One in which a member was."""
    found = Room(harmed(*harms))
    found.stays["ada"] = [*stays]
    found.change("joined", "ada", 0.0)
    return found


NOW = 100.0


@pytest.mark.parametrize(
    ("stays", "harms"),
    [
        ([Stay("a", 0.0)], []),
        ([Stay("a", 0.0)], [Harm("a", 1.0, NOW - LATE - 1), Harm("b", NOW - 1)]),
        ([Stay("a", 0.0)], [Harm("a", 1.0, NOW - LATE - 10), Harm(ENGINE, NOW - 5, NOW - 1)]),
        ([Stay("a", 0.0, NOW - 2), Stay("b", NOW - 1.6)], [Harm("a", NOW - 2.1)]),
    ],
)
def test_a_member_that_is_lost_though_it_was_there_is_seen(stays: Sequence[Stay], harms: Sequence[Harm]) -> None:
    with pytest.raises(Broken, match="ada was lost, though nothing"):
        room(*harms, stays=stays).change("lost", "ada", NOW)


@pytest.mark.parametrize(
    ("stays", "harms"),
    [
        ([Stay("a", 0.0, NOW - 3)], [Harm("a", NOW - 3)]),
        ([Stay("a", 0.0)], [Harm("a", NOW - 5, NOW - 1)]),
        ([Stay("a", 0.0)], [Harm("a", NOW - 9, NOW - 6), Harm(ENGINE, NOW - 5, NOW - 1)]),
        ([Stay("a", 0.0, NOW - 3), Stay("b", NOW - 1)], [Harm("a", NOW - 3)]),
        ([Stay("a", NOW - 1)], []),
    ],
)
def test_a_member_may_be_lost_whose_worker_was_or_who_was_away(stays: Sequence[Stay], harms: Sequence[Harm]) -> None:
    found = room(*harms, stays=stays)
    found.change("lost", "ada", NOW)
    assert (found.there, found.lost) == ({"ada": False}, 1)


def test_a_member_that_comes_or_goes_twice_is_seen() -> None:
    found = room(stays=[])
    with pytest.raises(Broken, match="ada was told to have joined twice"):
        found.change("joined", "ada", NOW)
    found.change("left", "ada", NOW)
    with pytest.raises(Broken, match="ada was told to have lost twice"):
        found.change("lost", "ada", NOW)
    found = room(Harm(KNOWN, NOW - 2, NOW - 1), stays=[])
    found.change("joined", "ada", NOW)


def test_what_was_surely_let_in_within_a_time_is_counted() -> None:
    admitted = Admitted()
    for begin, end in ((0.0, 0.1), (0.5, 2.1), (1.0, 1.1), (1.9, 1.95), (2.05, 2.2), (9.0, 9.1)):
        admitted.add(begin, end)
    assert admitted.most(2.0) == 4, "those from 0.5 to 2.2"
    assert admitted.most(0.01) == 0, "none of which it is known"


def attempts(*harms: Harm, at: Sequence[float] = (10.0, 20.0)) -> list[str]:
    """What is said of a task that was begun at these times, by the worker 7 of the server 0 at first."""
    begun = [Begun(1, 7 + number, when) for number, when in enumerate(at)]
    return Attempts(harmed(*harms), {7: 0, 8: 1}).without_cause(begun)


def test_a_task_that_is_begun_again_for_nothing_is_seen() -> None:
    assert "task 1 was begun again 10.00 s after task worker 7 had, to which nothing was done" in attempts()[0]
    others = Harm(worker_of(7), 1.0, 9.0), Harm(worker_of(8), 12.0), Harm(server_at(1), 12.0, 13.0)
    assert len(attempts(*others, Harm(ENGINE, 1.0, 2.0))) == 1
    assert len(attempts(Harm(worker_of(7), 15.0), at=(10.0, 20.0, 30.0))) == 1, "it was killed once"


@pytest.mark.parametrize("who", [worker_of(7), server_at(0), ENGINE])
def test_a_task_may_be_begun_again_when_something_was_done_to_whoever_was_at_it(who: str) -> None:
    assert attempts(Harm(who, 15.0, 16.0)) == []
    assert attempts(Harm(who, 15.0, math.inf)) == []
    assert attempts(at=[10.0]) == []


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (["a", "b", "x", "c"], []),
        (["a", "c"], ["'b' is not among the first 2 lines"]),
        (["a", "x", "b", "c"], ["'b' is not among the first 2 lines"]),
        (["a", "b", "c", "b"], ["'b' is more than once"]),
        (["b", "a", "c"], ["'b' is in the room x before what was added first"]),
    ],
)
def test_a_line_that_is_lost_doubled_or_elsewhere_is_seen(lines: Sequence[str], wrong: Sequence[str]) -> None:
    added = [Added("x", text, 0, 0.0, number) for text, number in (("a", 2), ("b", 2), ("c", 4))]
    found = wrong_in("x", lines, added)
    assert len(found) == len(wrong)
    assert all(part in said for part, said in zip(wrong, found, strict=True))
