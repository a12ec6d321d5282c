"""Unions: the forms of types on the wire, and which types are never in one union."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.unions import forms, union

INT, FLOAT, STR, BOOL, UUID = (ir.Scalar(name=name) for name in ("int", "float", "str", "bool", "uuid"))
NONE, ANY, SECONDS = (ir.Scalar(name=name) for name in ("none", "any", "timedelta"))
LIST, DICT = ir.ListShape(item=INT), ir.DictShape(value=INT)
RED = ir.LiteralShape(values=("red",))
HERE = ir.Reference(module="a", name="B")
MODEL, OTHER = (ir.ModelShape(model=ir.Reference(module="a", name=name)) for name in "MN")
COLOUR = ir.EnumShape(enum=HERE, members=(ir.EnumMember(name="RED", value="red"),))
LEVEL = ir.EnumShape(enum=HERE, members=(ir.EnumMember(name="LOW", value=1), ir.EnumMember(name="ON", value=True)))
USER = ir.NewTypeShape(new_type=HERE, item=INT)
POSITIVE = ir.ConstrainedShape(item=INT, gt=0)


def united(*shapes: Any) -> ir.TypeShape:
    return union(["int"] * len(shapes), shapes)


@pytest.mark.parametrize(
    "shapes",
    [
        (INT, FLOAT),
        (BOOL, INT, STR, LIST, MODEL),
        (RED, STR),
        (RED, INT, DICT),
        (COLOUR, INT),
        (LEVEL, STR),
        (USER, STR),
        (POSITIVE, UUID),
        (MODEL, OTHER, STR),  # whether a tag tells the two apart is checked when they have been read
    ],
)
def test_what_has_different_forms_can_be_united(shapes: tuple[Any, ...]) -> None:
    assert united(*shapes) == ir.UnionShape(members=shapes)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ((STR, UUID), "two types travel as a string"),
        ((COLOUR, STR), "two types travel as a string"),
        ((ir.SturdyRefShape(interface=HERE), STR), "two types travel as a string"),
        ((LEVEL, BOOL), "two types travel as true or false"),
        ((LEVEL, FLOAT), "two types travel as a number"),
        ((SECONDS, FLOAT), "two types travel as a number"),
        ((USER, INT), "two types travel as an integer"),
        ((POSITIVE, INT), "two types travel as an integer"),
        ((LIST, ir.TupleShape(items=(INT,))), "two types travel as an array"),
        ((MODEL, DICT), "two types travel as an object"),
        ((COLOUR, RED), "constants with and without names are mixed"),
        ((INT, ANY), "is a union with"),
        ((INT, ir.StubShape()), "is a union with"),
        ((INT, ir.InterfaceShape(interface=HERE)), "is a union with"),
    ],
)
def test_what_looks_alike_is_refused(shapes: tuple[Any, ...], reason: str) -> None:
    for order in (shapes, shapes[::-1]):
        with pytest.raises(UnsupportedTypeError, match=reason):
            united(*order)


def test_unions_in_unions_become_one() -> None:
    inner = ir.OptionalShape(item=ir.UnionShape(members=(INT, STR)))
    assert united(inner, LIST, INT) == ir.OptionalShape(item=ir.UnionShape(members=(INT, STR, LIST)))
    assert united(NONE, INT) == ir.OptionalShape(item=INT)


def test_the_forms_of_an_enum_are_those_of_its_values() -> None:
    assert list(forms(LEVEL)) == ["an integer", "true or false"]
    assert list(forms(ir.StubShape())) == []
