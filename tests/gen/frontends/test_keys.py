"""Which types the keys of dictionaries may have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from capnweb_gen import ir
from capnweb_gen.frontends.keys import can_be_key, hint

INT, STR = ir.Scalar(name="int"), ir.Scalar(name="str")
NAME = ir.Reference(module="m", name="X")


def members(*values: ir.LiteralValue) -> ir.EnumShape:
    named = (ir.EnumMember(name=f"M{index}", value=value) for index, value in enumerate(values))
    return ir.EnumShape(enum=NAME, members=tuple(named))


@pytest.mark.parametrize(
    "shape",
    [
        STR,
        INT,
        ir.Scalar(name="uuid"),
        ir.Scalar(name="date"),
        ir.Scalar(name="exact_datetime"),
        ir.TextShape(type=NAME, format="ipv4"),
        ir.NewTypeShape(new_type=NAME, item=INT),
        ir.ConstrainedShape(item=STR, max_length=3),
        ir.LiteralShape(values=("a", "b")),
        ir.LiteralShape(values=(1,)),
        members("a"),
        members(1, 2),
    ],
)
def test_strings_and_integers_can_be_keys(shape: ir.TypeShape) -> None:
    assert can_be_key(shape)


@pytest.mark.parametrize(
    "shape",
    [
        ir.Scalar(name="bool"),
        ir.Scalar(name="float"),
        ir.Scalar(name="datetime"),
        ir.Scalar(name="any"),
        ir.Scalar(name="json"),
        ir.OptionalShape(item=STR),
        ir.UnionShape(members=(INT, STR)),
        ir.ListShape(item=STR),
        ir.LiteralShape(values=("a", 1)),
        members("a", 1),
        members(True),
        ir.ModelShape(model=NAME),
    ],
)
def test_what_has_no_one_spelling_cannot(shape: ir.TypeShape) -> None:
    assert not can_be_key(shape)


@pytest.mark.parametrize("wrap", [lambda shape: shape, lambda shape: ir.NewTypeShape(new_type=NAME, item=shape)])
def test_no_secret_can(wrap: Callable[[ir.TypeShape], ir.TypeShape]) -> None:
    """Errors name the key of what they are about."""
    secret = wrap(ir.SturdyRefShape(interface=NAME))
    assert not can_be_key(secret)
    assert "send a list of pairs" in hint(secret)
    assert "dict[str" not in hint(secret)
    assert "dict[str" in hint(wrap(ir.Scalar(name="float")))
