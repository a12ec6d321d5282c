"""Capsules are read wherever they are cut, unknown ones are skipped, and ill-formed ones refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.transports.webtransport.capsules import (
    REASON_BYTES,
    CapsuleError,
    Capsules,
    Closed,
    Draining,
    close_session,
    drain_session,
)

GREASE = bytes.fromhex("5f9703010203")  # as Chromium sends one behind its request
BYE = bytes.fromhex("68430700000007627965")


def read(*pieces: bytes) -> list[Closed | Draining]:
    capsules = Capsules()
    return [capsule for piece in pieces for capsule in capsules.feed(piece)]


def test_as_a_browser_writes_them() -> None:
    assert read(GREASE + BYE) == [Closed(7, "bye")]
    assert close_session(7, "bye") == BYE


@given(st.lists(st.sampled_from([GREASE, BYE, drain_session(), close_session(3000, "ä" * 40)]), max_size=6), st.data())
def test_wherever_they_are_cut(capsules: list[bytes], data: st.DataObject) -> None:
    text = b"".join(capsules)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)})
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    assert read(*pieces) == [got for capsule in capsules for got in read(capsule)]


def test_an_unknown_one_of_any_length_is_not_kept() -> None:
    capsules = Capsules()
    list(capsules.feed(bytes.fromhex("5f97c000000000ffffff")))
    for _ in range(100):
        assert list(capsules.feed(b"x" * 1000)) == []
        assert not capsules._data


def test_a_reason_is_cut_between_characters() -> None:
    [closed] = read(close_session(1, "ä" * REASON_BYTES))
    assert closed == Closed(1, "ä" * (REASON_BYTES // 2))


@pytest.mark.parametrize(
    "capsule",
    ["684303000000", "68434405" + "00" * 1029, "68430600000007ff00", "6843bfffffff"],
    ids=["too short", "too long", "no UTF-8", "far too long"],
)
def test_one_that_is_not_well_formed_is_refused_before_it_is_kept(capsule: str) -> None:
    with pytest.raises(CapsuleError):
        read(bytes.fromhex(capsule))
