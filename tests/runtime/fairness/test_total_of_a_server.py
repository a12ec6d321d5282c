"""What the sessions of one server hold together has a bound: new work is refused there, the session that holds most
goes first, and what is served goes on.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from capnweb_runtime.core.held import SESSION, STEP, HeldBytes, HeldTotal
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import LimitExceeded, SessionClosed
from tests.runtime.example import Desk

ADD = ["push", ["pipeline", 0, ["add"], [1, 2]]]
MOST = 2_000_000


class End:
    """The server's end of a session, which shares a total with others."""

    def __init__(self, total: HeldTotal) -> None:
        self.written: list[Any] = []
        self.connection = Connection(Desk(), total=total)
        self.connection.attach(self)

    def write(self, messages: list[Any]) -> None:
        self.written += map(json.loads, messages)

    def close(self, reason: BaseException) -> None:
        self.connection.lost(reason)

    def buffered(self) -> int:
        return 0

    def hear(self, *messages: Any) -> None:
        self.connection.received([json.dumps(message).encode() for message in messages])

    @property
    def reason(self) -> BaseException | None:
        return self.connection.session.reason


@pytest.fixture
def total() -> HeldTotal:
    return HeldTotal(MOST)


async def test_the_session_that_holds_most_ends_and_the_others_go_on(total: HeldTotal) -> None:
    heavy, light, newcomer = End(total), End(total), End(total)
    heavy.hear(["push", "x" * 1_200_000])
    light.hear(["push", "x" * 500_000])
    newcomer.hear(["push", "x" * 400_000], ADD, ["pull", 2])
    assert isinstance(heavy.reason, LimitExceeded)
    assert str(heavy.reason) == (
        f"the sessions of this server hold more than the {MOST} bytes that it allows, and this one holds most"
    )
    assert light.reason is None
    assert newcomer.written == [["resolve", 2, 3]]
    light.hear(ADD, ["pull", 2])
    assert light.written == [["resolve", 2, 3]]
    await asyncio.sleep(0)
    assert heavy.written[0][:1] == ["abort"]


async def test_it_is_the_asking_one_if_that_holds_most(total: HeldTotal) -> None:
    light, heavy = End(total), End(total)
    light.hear(["push", "x" * 300_000])
    for _ in range(3):
        heavy.hear(["push", "x" * 700_000])
    assert "this one holds most" in str(heavy.reason)
    assert light.reason is None


async def test_it_is_known_what_is_held_to_a_step_for_each(total: HeldTotal) -> None:
    ends = [End(total) for _ in range(3)]
    assert total.bytes == 3 * SESSION
    for end in ends:
        end.hear(*[["push", "x" * 10_000]] * 20)
    held = sum(end.connection.session.held.bytes for end in ends)
    assert held - 3 * STEP <= total.bytes - 3 * SESSION <= held
    heaviest = total.heaviest()
    assert heaviest is not None
    assert heaviest.bytes == max(end.connection.session.held.bytes for end in ends)


async def test_what_has_been_released_does_not_count_against_anybody(total: HeldTotal) -> None:
    ends = [End(total) for _ in range(4)]
    for end in ends:
        end.hear(["push", "x" * 900_000], ["release", 1, 1])
    assert [end.reason for end in ends] == [None] * 4
    assert total.bytes <= MOST


async def test_sessions_that_end_give_all_of_it_back(total: HeldTotal) -> None:
    ends = [End(total) for _ in range(5)]
    for end in ends:
        end.hear(["push", "x" * 100_000])
    assert total.sessions == 5
    for end in ends:
        end.connection.lost(SessionClosed("gone"))
    assert (total.bytes, total.sessions) == (0, 0)


def test_what_belongs_to_no_session_ends_the_heaviest_first(total: HeldTotal) -> None:
    ended: list[tuple[str, str]] = []
    light, heavy = HeldBytes(MOST, total), HeldBytes(MOST, total)
    light.end = lambda error: ended.append(("light", str(error)))
    heavy.end = lambda error: ended.append(("heavy", str(error)))
    light.add(500_000)
    heavy.add(1_000_000)
    total.add(900_000)
    assert [who for who, _ in ended] == ["heavy"]
    with pytest.raises(LimitExceeded, match="the sessions of this server"):
        total.add(1_500_000)
    assert total.bytes == 900_000
    total.give_back(900_000)
    assert total.bytes == 0


def test_a_session_that_has_left_counts_for_itself_only(total: HeldTotal) -> None:
    held = HeldBytes(1_000_000, total)
    held.leave()
    held.add(900_000)
    assert total.bytes == 0
    with pytest.raises(LimitExceeded):
        held.add(200_000)
    held.leave()
    assert total.bytes == 0


async def test_an_outbox_that_nobody_reads_counts(total: HeldTotal) -> None:
    unread, other = End(total), End(total)
    unread.connection.pause_writing()
    unread.hear(*[["push", ["pipeline", 0, ["echo"], ["x" * 20_000]]], ["pull", 1], ["pull", 1]])
    for number in range(2, 40):
        unread.hear(["push", ["pipeline", 0, ["echo"], ["x" * 20_000]]], ["pull", number], ["release", number, 1])
    assert unread.connection.session.held.bytes > 700_000
    other.hear(["push", "x" * 600_000], ["push", "x" * 800_000])
    assert isinstance(other.reason, LimitExceeded)
    unread.connection.resume_writing()
    await asyncio.sleep(0)
    assert unread.connection.session.held.bytes < 50_000
