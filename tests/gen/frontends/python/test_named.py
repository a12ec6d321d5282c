"""Constants and names: literals, enums, NewTypes. What is refused is also in the golden cases."""

from __future__ import annotations

import enum
import re
from typing import Any, NewType

import pytest

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python import named

INT = ir.Scalar(name="int")
UserId = NewType("UserId", int)
Renamed = NewType("Original", int)  # type: ignore[misc]  # what is tested
_Private = NewType("_Private", int)


class Colour(enum.Enum):
    RED = "red"
    CRIMSON = "red"  # noqa: PIE796  # an alias
    ONE = 1


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2
    BOTH = 3


class Rgb(enum.Enum):
    RED = (1, 0, 0)


def test_an_enum_has_each_value_once() -> None:
    members = (ir.EnumMember(name="RED", value="red"), ir.EnumMember(name="ONE", value=1))
    assert named.enum_shape(Colour) == ir.EnumShape(enum=ir.Reference(module=__name__, name="Colour"), members=members)


def test_a_flag_has_its_single_bits() -> None:
    shape = named.enum_shape(Access)
    assert shape.flag
    assert [member.name for member in shape.members] == ["READ", "WRITE"]


def test_a_new_type_keeps_its_name() -> None:
    reference = ir.Reference(module=__name__, name="UserId")
    declared: Any = UserId
    assert named.new_type(declared, INT) == ir.NewTypeShape(new_type=reference, item=INT)


@pytest.mark.parametrize(
    ("declared", "item", "reason"),
    [
        (Renamed, INT, "cannot be imported"),
        (_Private, INT, "private"),
        (UserId, ir.ListShape(item=ir.StubShape()), "another name for a capability"),
    ],
)
def test_a_new_type_that_generated_code_could_not_name_is_refused(
    declared: NewType, item: ir.TypeShape, reason: str
) -> None:
    with pytest.raises(UnsupportedTypeError, match=reason):
        named.new_type(declared, item)


def test_enums_whose_values_cannot_travel_are_refused() -> None:
    class Inner(enum.Enum):
        A = 1

    for declared, reason in ((Rgb, r"Rgb\.RED is \(1, 0, 0\)"), (Inner, "not declared at the top level")):
        with pytest.raises(UnsupportedTypeError, match=reason):
            named.enum_shape(declared)


def test_literals_of_members_are_some_of_an_enum() -> None:
    red, one = (ir.EnumMember(name=name, value=value) for name, value in (("RED", "red"), ("ONE", 1)))
    colour = ir.Reference(module=__name__, name="Colour")
    some = ir.EnumShape(enum=colour, members=(red,), partial=True)
    assert named.literal((Colour.CRIMSON,)) == some
    assert named.literal((Colour.ONE, None, Colour.RED)) == ir.OptionalShape(
        item=ir.EnumShape(enum=colour, members=(red, one), partial=True)
    )
    with_number = named.literal((Colour.RED, Access.READ))
    assert isinstance(with_number, ir.UnionShape)
    assert with_number.members[0] == some
    assert named.literal((Access.READ,)) == ir.EnumShape(
        enum=ir.Reference(module=__name__, name="Access"), members=(ir.EnumMember(name="READ", value=1),), partial=True
    )
    with pytest.raises(UnsupportedTypeError, match="not all of"):
        named.literal((Access.READ | Access.WRITE,))
    with pytest.raises(UnsupportedTypeError, match="constants with and without names are mixed"):
        named.literal((Colour.RED, "green"))


def test_literals() -> None:
    assert named.literal(("a", 1, True)) == ir.LiteralShape(values=("a", 1, True))
    assert named.literal((None,)) == ir.Scalar(name="none")
    assert isinstance(named.literal(("a", None)), ir.OptionalShape)
    with pytest.raises(UnsupportedTypeError, match="cannot travel"):
        named.literal((b"a",))


def _shadowed() -> type:
    """A class whose name another one has taken since."""
    return type("Colour", (), {"__module__": __name__, "__qualname__": "Colour"})


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (_shadowed(), "the class Colour cannot be imported from .*test_named, where something else has that name"),
        (type("Gone", (), {"__module__": __name__}), "where nothing has that name"),
        (type("Lost", (), {"__module__": "no.such.module"}), "cannot be imported from no.such.module"),
    ],
)
def test_a_class_that_its_module_does_not_have_by_its_name_is_refused(declared: type, reason: str) -> None:
    fault = named.class_fault(declared)
    assert fault is not None
    assert re.search(reason, fault[0])


def test_a_class_that_can_be_imported_is_not() -> None:
    assert named.class_fault(Colour) is None
