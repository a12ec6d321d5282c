"""Lines are put together from pieces of any size, and what has begun has a bound."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.transports.webtransport.lines import Lines


def fed(longest: int, *pieces: bytes) -> tuple[list[bytes], bool, int]:
    """The lines of pieces, whether one was too long, and how much of the last one is there."""
    lines, got = Lines(longest), []
    for piece in pieces:
        whole, wrong = lines.feed(piece)
        got += whole
        if wrong is not None:
            return got, True, lines.unfinished
    return got, False, lines.unfinished


@given(st.lists(st.binary(max_size=8)), st.lists(st.integers(0, 60)))
def test_wherever_they_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    data = b"\n".join(parts)
    at = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(at)]
    *whole, rest = data.split(b"\n")
    assert fed(1000, *pieces) == ([line for line in whole if line], False, len(rest))


def test_a_line_may_be_as_long_as_the_bound_and_no_longer() -> None:
    assert fed(5, b"12345\n") == ([b"12345"], False, 0)
    assert fed(5, b"1\n123456\n1\n") == ([b"1"], True, 0)


def test_one_that_has_not_ended_is_refused_once_it_is_too_long_and_not_kept() -> None:
    assert fed(5, b"123", b"45") == ([], False, 5)
    assert fed(5, b"123", b"45", b"6") == ([], True, 0)
