"""The hints for types that people may well write and that cannot travel."""

from __future__ import annotations

from capnweb_gen.frontends.python.refusals import INSTEAD, lookup


def test_every_hint_says_what_to_do() -> None:
    assert all(hint.split()[0] in {"write", "say", "declare", "name", "leave", "classes"} for hint in INSTEAD.values())


def test_what_cannot_be_hashed_has_no_entry() -> None:
    unhashable: object = []
    assert lookup(INSTEAD, unhashable) is None
    assert lookup(INSTEAD, complex) == "declare a model with two floats"
