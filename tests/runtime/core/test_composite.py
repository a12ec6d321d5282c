"""What a value comes to that is put together from others is known before it is written out."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.composite import charge_written, written_work
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.errors import LimitExceeded, RpcError
from capnweb_runtime.limits import Limits
from capnweb_runtime.values import Headers, Request, Response
from tests.runtime.pair import Counted

BEYOND = 1 << 40


def doubled(leaf: Any, levels: int) -> Any:
    for _ in range(levels):
        leaf = [leaf, leaf]
    return leaf


def test_a_shared_tree_counts_as_often_as_it_stands_there() -> None:
    assert written_work(doubled([], 10), BEYOND) == pytest.approx(2**11, rel=0.01)
    assert written_work(doubled({"k": 1}, 10), BEYOND) > 2.5 * 2**10


def test_bytes_that_are_repeated_count_eight_times() -> None:
    text = "x" * 1024 * 100
    assert written_work([text], BEYOND) == 102
    assert written_work([text, text], BEYOND) == 102 + 801
    assert written_work([text, "y" * 1024 * 100], BEYOND) == 203


@pytest.mark.parametrize(
    "value",
    [
        b"x" * 102_400,
        bytearray(102_400),
        memoryview(b"x" * 102_400),
        array("d", [0.5]) * 12_800,
        {"k" * 102_400: 1},
        RpcError("x" * 102_400, "E"),
        RpcError("", "E", text="x" * 102_400),
        Headers([("a", "x" * 102_400)]),
        Request("https://a/" + "x" * 102_400),
        Request("https://a/", body=b"x" * 102_400),
        Response(b"x" * 102_400),
        [[["x" * 102_400]]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_bytes_count_whatever_they_stand_in(value: Any) -> None:
    assert 100 <= written_work(value, BEYOND) <= 106
    assert written_work(doubled(value, 4), BEYOND) > 15 * 8 * 100


def test_errors_in_errors_count() -> None:
    error = RpcError("x", "E")
    error.__cause__ = RpcError("x" * 102_400, "E")
    assert written_work(error, BEYOND) > 100
    assert written_work(ExceptionGroup("x", [error, error]), BEYOND) > 900


def test_long_numbers_count_by_the_square_of_their_length_and_capabilities_for_ten() -> None:
    assert written_work([1] * 800, BEYOND) == 102
    assert written_work(10**16_000, BEYOND) > 1000
    assert written_work([PlainStub(Counted()) for _ in range(10)], BEYOND) > 100


def test_the_walk_ends_as_soon_as_there_is_too_much() -> None:
    assert 1000 < written_work(doubled("x", 60), 1000) < 1100
    assert written_work([0] * 10_000_000, 1000) > 1000


def test_only_what_is_put_together_is_charged() -> None:
    account = Account(Limits(message_work=100))
    payload = Payload(doubled("x", 10))
    charge_written(payload, account)
    assert account.spent == 0
    payload.shared = True
    with pytest.raises(LimitExceeded):
        charge_written(payload, account)


def test_what_stands_there_again_is_not_walked_through_again() -> None:
    counted = 0

    class Counting(str):
        def __len__(self) -> int:
            nonlocal counted
            counted += 1
            return 100

    assert written_work(doubled([[Counting()] * 10], 12), 10**9) > 2**12 * 10
    assert counted == 10


def test_long_bytes_in_what_stands_there_again_count_eight_times_all_the_same() -> None:
    once = written_work([["x" * 10_000]], 10**9)
    both = [["x" * 10_000]]
    assert written_work([both, both, both], 10**9) >= 17 * (once - 3)
