"""Names of what JavaScript has no type for, and the tags by which a reader knows them."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from capnweb_gen import ir
from capnweb_gen.backends.typescript import aliases

TEXT = ir.Scalar(name="str")


def test_every_scalar_has_a_spelling() -> None:
    names = set(get_args(ir.ScalarName))
    assert aliases.SCALARS.keys() | aliases.PLAIN.keys() == names
    assert not aliases.SCALARS.keys() & aliases.PLAIN.keys()


@pytest.mark.parametrize("name", sorted(aliases.SCALARS))
def test_an_alias_ends_with_the_name_of_its_scalar(name: ir.ScalarName) -> None:
    assert aliases.SCALARS[name].doc[-1].endswith(f". @capnweb {name}")


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"ge": 0, "lt": 10}, "IntGe0Lt10"),
        ({"gt": -1.5}, "IntGtMinus1_5"),
        ({"min_length": 1, "max_length": 3}, "IntMinLength1MaxLength3"),
        ({"pattern": "^a$"}, "IntPattern"),
        ({"when": "past"}, "IntPast"),
        ({"microseconds": "refuse"}, "IntWholeMilliseconds"),
        ({"ge": 10**50}, "IntGe1000000000000000000000000000000000000"[:40]),
    ],
)
def test_limits_are_in_the_name_and_in_the_tag(limits: dict[str, object], name: str) -> None:
    shape = ir.ConstrainedShape.model_validate({"item": TEXT, **limits})
    alias = aliases.constrained(shape, "Int", "Int")
    assert alias.name == name
    tag, _, written = alias.doc[-1].partition(" constrained ")
    assert tag == "@capnweb"
    assert json.loads(written) == limits


def test_a_pattern_ends_no_comment() -> None:
    shape = ir.ConstrainedShape(item=TEXT, pattern="^(a*/|`@x`)$")
    sentence, tag = aliases.constrained(shape, "String", "string").doc
    assert sentence == "Matching ^(a*\\/|`@x`)$."
    assert "*/" not in tag
    assert json.loads(tag.partition(" constrained ")[2]) == {"pattern": "^(a*/|`@x`)$"}


def test_a_text_says_which_class_reads_it() -> None:
    shape = ir.TextShape(type=ir.Reference(module="ipaddress", name="IPv4Address"), format="ipv4")
    alias = aliases.formatted(shape)
    assert (alias.name, alias.spelled) == ("IPv4Address", "string")
    assert alias.doc == ("Text of the format ipv4. @capnweb text ipaddress.IPv4Address ipv4",)
