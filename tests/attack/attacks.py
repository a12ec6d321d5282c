"""The attacks: each takes a port, opens what connections it needs, and gives them back with what became of it."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.attack.peer import LAST_PART, PART, PING, Peer, Stranger, frame
from tests.attack.plans import hostile_plans

Attack = Callable[[int], tuple[Sequence[Stranger], Any]]
MODULUS = 2**61 - 1  # of Python's hash of a number
CALL = ["push", ["pipeline", 0, ["add"], [1, 2]]]
BODY = b'["push",["pipeline",0,["add"],[1,2]]]\n["pull",1]'
_TOGETHER = 2000
_MANY = 1 << 20  # bytes


def alone(*messages: Any) -> Attack:
    """One client sends messages, and then asks for a sum."""

    def attack(port: int) -> tuple[list[Peer], Any]:
        peer = Peer(port)
        calls = 1 + sum(_is_call(message) for message in messages)
        try:
            for start in range(0, len(messages), _TOGETHER):
                peer.send(*messages[start : start + _TOGETHER])
            peer.send(CALL, ["pull", calls])
        except OSError as error:
            return [peer], error
        return [peer], peer.until(calls)

    return attack


def _is_call(message: Any) -> bool:
    return message.startswith('["push"') if isinstance(message, str) else message[0] == "push"


def many(count: int, attack: Attack) -> Attack:
    """As many clients from one address, one after the other; each is read from only at the end."""

    def attacks(port: int) -> tuple[list[Stranger], Any]:
        peers: list[Stranger] = []
        outcome: Any = None
        for _ in range(count):
            more, outcome = attack(port)
            peers += more
        return peers, outcome

    return attacks


def unheard(*messages: Any) -> Attack:
    """A client that sends, and does not wait for answers."""

    def attack(port: int) -> tuple[list[Peer], Any]:
        peer = Peer(port)
        peer.send(*messages)
        return [peer], None

    return attack


def push(expression: str, count: int) -> str:
    """A message with a list of that many times the expression."""
    return '["push",[[' + ",".join([expression] * count) + "]]]"


def doubled(leaf: Any, levels: int) -> list[Any]:
    """A value that stands twice in a list, that twice in another, and so on; asked for."""
    messages: list[Any] = [["push", leaf]]
    messages += [["push", [[["pipeline", number], ["pipeline", number]]]] for number in range(1, levels + 1)]
    return [*messages, ["push", ["pipeline", levels + 1]], ["pull", levels + 2]]


def named(numbers: int, times: int) -> list[Any]:
    """A part of a value that has a capability elsewhere, named so often in one message."""
    return [
        ["push", {"numbers": [[0] * numbers], "main": ["import", 0]}],
        ["push", [[["pipeline", 1, ["numbers"]]] * times]],
    ]


def mapped(elements: int, instruction: Any, times: int = 1) -> list[Any]:
    """A list of zeros, and maps of it."""
    return [["push", [[0] * elements]], *[["push", ["remap", 1, [], [], [instruction]]]] * times]


def flood(first: bytes, repeated: bytes, count: int, last: bytes) -> Attack:
    """Frames that are no messages."""

    def attack(port: int) -> tuple[list[Peer], Any]:
        peer = Peer(port)

        def pieces() -> Iterator[bytes]:
            yield first
            for _ in range(count):
                yield repeated
            yield last

        peer.write(pieces())
        peer.send(CALL, ["pull", 1])
        return [peer], peer.until(1)

    return attack


def unfinished(head: bytes, size: int, kind: Callable[[int], Stranger] = Peer) -> Attack:
    """Something that is said to be 32 MB long, of which so many bytes come."""

    def attack(port: int) -> tuple[list[Stranger], Any]:
        peer = kind(port)
        try:
            peer.write([head])
            for _ in range(size // _MANY):
                peer.write([b"x" * _MANY])
        except OSError as error:
            return [peer], error
        return [peer], None

    return attack


def requests(count: int) -> Attack:
    """Batches, all in one write and without waiting for an answer."""

    def attack(port: int) -> tuple[list[Stranger], Any]:
        peer = Stranger(port, 5)
        try:
            peer.write([_post(len(BODY)), BODY] * count)
        except OSError as error:
            return [peer], error
        return [peer], None

    return attack


def _post(length: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % length


_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def crowd(count: int) -> Attack:
    """As many connections, each of which asks for a WebSocket and says nothing more; and what they were answered."""

    def attack(port: int) -> tuple[list[Stranger], Any]:
        peers: list[Stranger] = []
        outcome: Counter[str] = Counter()
        for _ in range(count):
            try:
                peers.append(Stranger(port, 5))
                peers[-1].write([_UPGRADE])
                outcome[peers[-1].read(12)[9:].decode() or "nothing"] += 1
            except OSError as error:
                outcome[type(error).__name__] += 1
        return peers, dict(outcome)

    return attack


def waiting(count: int) -> Attack:
    """Reads of a result that is not there yet, each of the one before."""
    return alone(
        ["push", ["pipeline", 0, ["later"], [2]]], *[["push", ["pipeline", number, []]] for number in range(1, count)]
    )


_FRAME = struct.pack(">BBQ", 0x81, 0xFF, 32 << 20) + bytes(4)
_PART = struct.pack(">BBQ", PART, 0xFF, 32 << 20) + bytes(4)


def almost_whole(size: int) -> Attack:
    """A frame of which the last byte never comes."""

    def attack(port: int) -> tuple[list[Peer], Any]:
        peer = Peer(port)
        peer.write((frame(b" " * size)[:-1],))
        return [peer], None

    return attack


def called(count: int, name: str, *args: Any) -> list[Any]:
    """Calls that nobody asks the results of."""
    return [["push", ["pipeline", 0, [name], list(args)]]] * count


def asked(messages: list[Any]) -> list[Any]:
    """Calls, and their results asked for."""
    return [each for number, message in enumerate(messages, 1) for each in (message, ["pull", number])]


ATTACKS: dict[str, Callable[[], Attack]] = {
    "nothing": alone,
    "one map, 20,000 x 300 objects": lambda: alone(*mapped(20_000, [[{}] * 300])),
    "20 maps of 100,000 elements": lambda: alone(*mapped(100_000, 0, 20)),
    "4 kB doubled 18 times": lambda: alone(*doubled("x" * 4000, 18)),
    "40 kB doubled 18 times": lambda: alone(*doubled("x" * 40_000, 18)),
    "1 MB of {}": lambda: alone(push("{}", 333_000)),
    "33 MB of {}": lambda: alone(push("{}", 11_000_000)),
    "150 kB of {}, a hundred times": lambda: alone(*[push("{}", 44_000)] * 100),
    "22 MB of dates": lambda: alone(push('["date",1]', 2_000_000)),
    "31 MB of long bigints": lambda: alone(push('["bigint","' + "9" * 16_380 + '"]', 1900)),
    "2 MB of short bigints": lambda: alone(push('["bigint","9"]', 140_000)),
    "7 MB of errors": lambda: alone(push('["error","E","m"]', 400_000)),
    "30 MB of keys": lambda: alone('["push",{' + ",".join(f'"{number:x}":0' for number in range(3_000_000)) + "}]"),
    "30 MB that only the slow parser takes": lambda: alone('["push","' + "x" * 30_000_000 + '\\ud800"]'),
    "a set of 20,000 colliding numbers": lambda: alone(
        ["push", ["pipeline", 0, ["count"], [[[["bigint", str(MODULUS * number)] for number in range(20_000)]]]]]
    ),
    "90,000 reads of a pending result": lambda: waiting(90_000),
    "99,000 calls of nothing": lambda: alone(*['["push",["pipeline",0,["nope"],[]]]'] * 99_000),
    "90,000 pulls of a pending result": lambda: unheard(
        ["push", ["pipeline", 0, ["later"], [5]]],
        *[["push", ["pipeline", 1, []]]] * 45_000,
        *[["pull", number] for number in range(1, 45_001)],
    ),
    "results of 1 MB that nobody asks for": lambda: alone(*called(2000, "text", 1_000_000)),
    "answers of 100 kB that nobody reads": lambda: unheard(*asked(called(3000, "text", 100_000))),
    "90,000 answers that nobody reads": lambda: unheard(*asked([CALL] * 90_000)),
    "wide text, 10 MB ten times": lambda: alone(*['["push","' + "x" * 10_000_000 + '\U0001f600"]'] * 10),
    "10,000 calls that run": lambda: alone(*called(10_000, "later", 5)),
    "60 clients, a frame of 31 MB each": lambda: many(60, almost_whole(31_000_000)),
    "200,000 releases of nothing": lambda: alone(*['["release",0,0]'] * 200_000),
    "500,000 empty parts": lambda: flood(frame(b" ", 0x01), frame(b"", PART), 500_000, frame(b"", LAST_PART)),
    "400,000 pings": lambda: flood(b"", frame(b"", PING), 400_000, b""),
    "60 clients, 31 MB of a frame each": lambda: many(60, unfinished(_FRAME, 31 << 20)),
    "60 clients, 31 MB of parts each": lambda: many(60, unfinished(frame(b"", 0x01) + _PART, 31 << 20)),
    "60 clients, 31 MB of a body each": lambda: many(60, unfinished(_post(32 << 20), 31 << 20, Stranger)),
    "50,000 batches in one write": lambda: requests(50_000),
    "1,200 connections that say nothing": lambda: crowd(1200),
    "100 clients, 1000 calls each that stay": lambda: many(
        100, unheard(*[["push", ["pipeline", 0, ["later"], [3600]]]] * 1000)
    ),
    "100 clients, a map of 100,000 each": lambda: many(100, unheard(*mapped(100_000, 0))),
    "100 clients, 150 kB of {} each, thrice": lambda: many(100, unheard(*[push("{}", 44_000)] * 3)),
    "100 clients, 1000 calls each": lambda: many(100, unheard(*[CALL] * 1000)),
    "a part with 300,000 numbers, 500 times": lambda: alone(*named(300_000, 500)),
    "hostile plans for half a minute": lambda: hostile_plans(30),
}
"""By what the table calls them; the messages are made when it is their turn."""
