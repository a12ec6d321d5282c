"""Lines are put together from pieces of any size, and what has begun has a bound."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.errors import LimitExceeded, ProtocolError
from capnweb_runtime.transports.webtransport.lines import AttachingLines, Lines, written


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


class TestWithByteStrings:
    @given(
        st.lists(st.tuples(st.lists(st.binary(max_size=9), max_size=3), st.binary(min_size=1, max_size=8))),
        st.lists(st.integers(0, 300)),
    )
    def test_wherever_they_are_cut(self, made: list[tuple[list[bytes], bytes]], cuts: list[int]) -> None:
        texts = [(b"[" + text.replace(b"\n", b" "), attachments) for attachments, text in made]
        messages = [(text, *attachments) if attachments else text for text, attachments in texts]
        data = written(messages)
        at = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        lines, got = AttachingLines(1000), []
        for start, end in pairwise(at):
            whole, wrong = lines.feed(data[start:end])
            assert wrong is None
            got += whole
        assert got == messages
        assert lines.unfinished == 0

    def test_what_has_come_of_a_message_is_counted_and_what_was_announced_is_not(self) -> None:
        lines = AttachingLines(1000)
        assert lines.feed(b"#500\nabc") == ([], None)
        assert lines.unfinished == 64 + 3
        lines.feed(b"x" * 497 + b"#0\n[1")
        assert lines.unfinished == 64 + 500 + 64 + 2
        assert lines.feed(b"]\n\n[2]\n") == ([(b"[1]", b"abc" + b"x" * 497, b""), b"[2]"], None)
        assert lines.unfinished == 0

    def test_byte_strings_of_a_message_have_the_bound_of_one_together(self) -> None:
        lines = AttachingLines(200)
        assert lines.feed(b"#136\n" + b"x" * 136)[1] is None
        messages, wrong = lines.feed(b"#0\n")
        assert (messages, type(wrong), lines.unfinished) == ([], LimitExceeded, 0)
        assert str(wrong) == "Incoming attachments exceed maximum message size of 200 bytes."

    def test_a_line_is_bounded_as_it_arrives_also_behind_good_ones(self) -> None:
        lines = AttachingLines(5)
        messages, wrong = lines.feed(b"[1]\n123456")
        assert (messages, str(wrong)) == ([b"[1]"], "Incoming message exceeds maximum size of 5 bytes.")

    @pytest.mark.parametrize("line", [b"#", b"#x", b"#-1", b"#1 ", b"#" + b"9" * 16, "#\u0661".encode()])
    def test_one_that_does_not_say_how_many_bytes_breaks_the_protocol(self, line: bytes) -> None:
        messages, wrong = AttachingLines(1000).feed(b"[1]\n" + line + b"\n")
        assert (messages, type(wrong)) == ([b"[1]"], ProtocolError)
