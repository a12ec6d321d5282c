"""Twice as much input is about twice the work, whatever the input is: in calls of functions, and, where it is Python's
dictionaries that do it, in comparisons.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from enum import IntFlag
from typing import Any
from uuid import UUID

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.peer import PeerHeaders
from capnweb_runtime.values import Headers
from tests.runtime.example import Desk
from tests.runtime.fairness.test_cost_of_messages import Counter
from tests.runtime.pair import Side, SyncHost

MODULUS = 2**61 - 1  # of Python's hash of a number
ENOUGH = Limits(message_work=10**8, map_steps=10**8, exports=10**6, imports=10**6, calls=10**5, depth=10_000)
FEW = 300

CONVERSATIONS: dict[str, Callable[[int], list[Any]]] = {
    "a path of names": lambda n: [["push", ["pipeline", 0, ["x"] * n]], ["pull", 1]],
    "a path through properties": lambda n: [["push", ["pipeline", 0, ["home"] * n, []]], ["pull", 1]],
    "a path of indices": lambda n: [["push", ["pipeline", 0, ["best", *[0] * n]]], ["pull", 1]],
    "a path into a value": lambda n: [["push", {"a": [[1]]}], ["push", ["pipeline", 1, ["a"] * n]], ["pull", 2]],
    "a chain of calls": lambda n: [
        ["push", ["pipeline", 0, ["counter"], []]],
        *[["push", ["pipeline", number, ["itself"], []]] for number in range(1, n)],
        ["pull", n],
    ],
    "a chain on a pending result": lambda n: [
        ["push", ["pipeline", 0, ["hold"], ["g"]]], *[["push", ["pipeline", number, []]] for number in range(1, n)],
    ],
    "references to a value": lambda n: [["push", [[1]]], ["push", [[["pipeline", 1]] * n]], ["push", ["pipeline", 2]]],
    "a capability many times": lambda n: [["push", ["pipeline", 0, ["echo"], [[[["export", -1]] * n]]]], ["pull", 1]],
    "many capabilities": lambda n: [["push", [[["export", -1 - number] for number in range(n)]]], ["pull", 1]],
    "captures": lambda n: [["push", [[1]]], ["push", ["remap", 1, [], [["import", 0]] * n, [1]]], ["pull", 2]],
    "instructions": lambda n: [
        ["push", [[1]]], ["push", ["remap", 1, [], [], [["pipeline", number, []] for number in range(n)]]], ["pull", 2],
    ],
    "maps in a map": lambda n: [["push", [[1]]], ["push", ["remap", 1, [], [], [["remap", 0, [], [], [1]]] * n]]],
    "properties of an error": lambda n: [["push", ["error", "E", "m", None, {str(i): i for i in range(n)}]]],
    "errors in an error": lambda n: [
        ["push", ["error", "AggregateError", "m", None, {"errors": [[["error", "E", "m"]] * n]}]],
    ],
    "headers": lambda n: [["push", ["headers", [["a", "v"]] * n]]],
    "releases": lambda n: [*[["push", 1]] * n, *[["release", 1 + number, 1] for number in range(n)]],
    "an unknown expression": lambda n: [["push", ["what", [0] * n]]],
}  # fmt: skip


def calls(conversation: list[Any]) -> int:
    """Calls of functions that it takes to hear messages."""
    side, counter = Side(Desk(), ENOUGH), Counter()
    texts = [json.dumps(message) for message in conversation]
    with counter.on():
        for text in texts:
            side.session.receive(text)
    return counter.calls


@pytest.mark.parametrize("make", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_twice_as_much_is_at_most_a_little_more_than_twice_the_work(make: Callable[[int], list[Any]]) -> None:
    once, twice = calls(make(FEW)), calls(make(2 * FEW))
    assert twice < 2.3 * once + 100


class Compared:
    """A value with the hash that it is told, which counts how often it is compared."""

    count = 0

    def __init__(self, value: str) -> None:
        self.value = value

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        Compared.count += 1
        return isinstance(other, Compared) and self.value == other.value


class _Compared(TypeCodec):
    @property
    def label(self) -> str:
        return "a key"

    def encode(self, value: Any, to: Any) -> Any:
        return value.value

    def decode(self, wire: Any, source: Any) -> Any:
        return Compared(wire)


@pytest.mark.parametrize("kind", ["a dictionary", "a set"])
def test_what_is_chosen_to_collide_is_compared_with_a_few_others(kind: str) -> None:
    codec = rpc.set_of(_Compared()) if kind == "a set" else rpc.dict_by(_Compared(), rpc.INT)
    names = [str(number) for number in range(2000)]
    wire: Any = [names] if kind == "a set" else dict.fromkeys(names, 1)
    Compared.count = 0
    with pytest.raises(Mismatch, match="chosen to have the same hash"):
        codec.decode(wire, None)
    assert Compared.count < 1000


def spelled(value: int, kind: Any) -> str:
    return str(UUID(int=value)) if kind is rpc.UUID else str(value)


@pytest.mark.parametrize(
    ("codec", "key"),
    [
        (rpc.dict_by_number(rpc.INT, rpc.INT), int),
        (rpc.dict_by(rpc.UUID, rpc.INT), lambda text: UUID(text)),
        (rpc.dict_by(rpc.DECIMAL, rpc.INT), Decimal),
    ],
    ids=["numbers", "UUIDs", "decimals"],
)
def test_keys_of_a_dictionary_are_refused_if_they_were_chosen_and_others_are_not(codec: Any, key: Any) -> None:
    chosen = {spelled(MODULUS * number, codec.key): 1 for number in range(1000)}
    with pytest.raises(Mismatch, match="chosen to have the same hash"):
        codec.decode(chosen, None)
    others = {spelled(MODULUS + number, codec.key): number for number in range(1000)}
    assert codec.decode(others, None) == {key(text): number for text, number in others.items()}
    few = {spelled(MODULUS * number, codec.key): 1 for number in range(100)}
    assert len(codec.decode(few, None)) == 100


def test_a_key_that_is_a_number_has_a_thousand_digits_at_most() -> None:
    codec = rpc.dict_by_number(rpc.INT, rpc.INT)
    assert codec.decode({"9" * 1000: 1}, None) == {int("9" * 1000): 1}
    with pytest.raises(Mismatch, match="in digits as key"):
        codec.decode({"9" * 1001: 1}, None)
    with pytest.raises(Mismatch, match="at most 1000 digits"):
        codec.encode({10**1000: 1}, Loopback(SyncHost()))


def test_repeated_headers_are_joined() -> None:
    pairs = [("a", "1"), ("B", "x"), ("A", "2"), ("set-cookie", "c"), ("Set-Cookie", "d"), ("a", "3")]
    headers = Headers(pairs)
    assert headers["a"] == "1, 2, 3"
    assert headers["set-cookie"] == "c, d"
    assert headers.pairs == (("a", "1, 2, 3"), ("b", "x"), ("set-cookie", "c"), ("set-cookie", "d"))
    assert dict(PeerHeaders([*pairs, ("cookie", "e"), ("Cookie", "f")])) == {
        "a": "1, 2, 3", "b": "x", "set-cookie": "c, d", "cookie": "e; f",
    }  # fmt: skip


def test_what_a_peer_makes_of_flags_is_not_kept_for_ever() -> None:
    class Flags(IntFlag):
        A = 1
        B = 2

    codec = rpc.enum_of(Flags)
    assert codec.decode(3, None) == Flags.A | Flags.B
    known = len(Flags._value2member_map_)
    for number in range(10_000, 10_100):
        assert codec.decode(number, None) == number
    assert len(Flags._value2member_map_) == known
