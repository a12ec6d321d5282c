"""The hostile clients do what they say, and the server that they attack answers; what it costs is for `make attack`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from capnweb_runtime.transports.frames import TEXT, FrameReader
from tests.attack.attacks import ATTACKS, alone, doubled, flood, mapped, push
from tests.attack.hostile_plans import hostile_plan
from tests.attack.peer import LAST_PART, PART, PING, frame
from tests.attack.plans import TOGETHER, Attacker, Harmless, compared
from tests.attack.process import Process


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = Process("tests.attack.server")
    yield int(server.line)
    server.end()


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536])
def test_its_frames_are_frames(length: int) -> None:
    assert FrameReader(True, 1 << 20).feed(frame(b"x" * length)) == [(TEXT, b"x" * length)]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("one map, 20,000 x 300 objects", 3),
        ("4 kB doubled 18 times", 21),
        ("a set of 20,000 colliding numbers", 2),
    ],
)
def test_calls_are_answered_after_an_attack(port: int, name: str, call: int) -> None:
    peers, outcome = ATTACKS[name]()(port)
    assert outcome == ["resolve", call, 3]
    assert all(peer.sent > 1000 for peer in peers)
    for peer in peers:
        peer.close()


def test_a_session_that_went_too_far_says_so(port: int) -> None:
    (peer,), outcome = alone(push("{}", 100_000))(port)
    assert "message_work" in json.dumps(outcome)
    peer.close()


@pytest.mark.parametrize(
    ("first", "repeated", "last"),
    [(b"", frame(b"", PING), b""), (frame(b'["pull",0]', 0x01), frame(b"", PART), frame(b"", LAST_PART))],
    ids=["pings", "parts"],
)
def test_calls_are_answered_after_a_flood(port: int, first: bytes, repeated: bytes, last: bytes) -> None:
    (peer,), outcome = flood(first, repeated, 1000, last)(port)
    assert outcome == ["resolve", 1, 3]
    peer.close()


def test_what_is_sent_is_what_the_name_says() -> None:
    assert len(doubled("x", 3)) == 6
    assert len(mapped(10, 0, 3)) == 4
    assert json.loads(push("{}", 3)) == ["push", [[{}, {}, {}]]]


def test_hostile_plans_are_sent_and_the_neighbour_is_compared_with_itself(port: int) -> None:
    attacker = Attacker(port)
    attacker.attack()
    assert (attacker.plans, attacker.ended) == (TOGETHER, 0)
    attacker.peer.close()
    harmless = Harmless(port)
    harmless.attack()
    assert harmless.ended == 0
    harmless.peer.close()
    calls = [(number / 100, number // 100 + 1.0) for number in range(300)]
    times = {"attacked": [(2.0, 3.0)], "elsewhere": [(1.0, 2.0)], "idle": [(0.0, 1.0)]}
    assert compared(calls, times) == "p99 in ms: attacked 3.0, elsewhere 2.0, idle 1.0"


def test_a_hostile_plan_is_found_again_by_its_number() -> None:
    assert [hostile_plan(5, number) for number in range(50)] == [hostile_plan(5, number) for number in range(50)]
    assert hostile_plan(5, 1) != hostile_plan(6, 1)
