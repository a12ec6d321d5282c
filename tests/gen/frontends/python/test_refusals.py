"""How types are called in messages, and the hints for those that people may well write."""

from __future__ import annotations

import collections.abc
from typing import Any, NewType, TypeVar

import pytest

from capnweb_gen.frontends.python.refusals import INSTEAD, describe, lookup

UserId = NewType("UserId", int)
T = TypeVar("T")


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (None, "None"),
        (dict[str, int], "dict[str, int]"),
        (list[UserId], "list[UserId]"),
        (UserId, "UserId"),
        (T, "T"),
        (collections.abc.Iterable[int], "Iterable[int]"),
    ],
)
def test_types_are_called_what_people_call_them(annotation: Any, text: str) -> None:
    assert describe(annotation) == text


def test_every_hint_says_what_to_do() -> None:
    assert all(hint.split()[0] in {"write", "say", "declare", "name", "leave", "classes"} for hint in INSTEAD.values())


def test_what_cannot_be_hashed_has_no_entry() -> None:
    unhashable: object = []
    assert lookup(INSTEAD, unhashable) is None
    assert lookup(INSTEAD, complex) == "declare a model with two floats"
