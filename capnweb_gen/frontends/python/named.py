"""Types that are constants, and types that are names: literals, enums, NewTypes.

Rule: generated code imports what has a name, so that a name has to be found where the type says that it is declared.
"""

from __future__ import annotations

import enum
import sys
from typing import NewType

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.type_names import constant


def literal(values: tuple[object, ...]) -> ir.TypeShape:
    """The shape of `Literal[...]` with these arguments."""
    constants: list[ir.LiteralValue] = []
    for value in values:
        if isinstance(value, bool | int | str) and not isinstance(value, enum.Enum):
            constants.append(value)
        elif value is not None:
            raise UnsupportedTypeError(
                f"the literal {constant(value)} cannot travel", "use strings, integers, True, False and None"
            )
    if not constants:
        return ir.Scalar(name="none")
    literal = ir.LiteralShape(values=tuple(constants))
    return ir.OptionalShape(item=literal) if None in values else literal


def enum_shape(declared: type[enum.Enum]) -> ir.EnumShape:
    """The shape of an enum. Its values have to be plain, because they are what travels."""
    fault = nested(declared)
    if fault is not None:
        raise UnsupportedTypeError(*fault)
    name = declared.__qualname__
    flag = issubclass(declared, enum.Flag)
    members: list[ir.EnumMember] = []
    for member in declared:
        value: object = member.value
        if type(value) not in {bool, int, str}:
            reason = f"{name}.{member.name} is {constant(value)}, which cannot travel"
            raise UnsupportedTypeError(reason, "give each member a string or an integer as its value")
        members.append(ir.EnumMember.model_validate({"name": member.name, "value": value}))
    if not members and not flag:
        raise UnsupportedTypeError(f"{name} has no members", "give it members")
    return ir.EnumShape(enum=ir.Reference(module=declared.__module__, name=name), members=tuple(members), flag=flag)


def new_type(declared: NewType, item: ir.TypeShape) -> ir.NewTypeShape:
    """The shape of a NewType, `item` being that of what it is made of."""
    name, module = declared.__name__, declared.__module__
    if any(isinstance(part, _BY_REFERENCE) for part in ir.walk(item)):
        raise UnsupportedTypeError(f"{name} is another name for a capability", "declare an interface of its own")
    if getattr(sys.modules.get(module), name, None) is not declared:
        hint = f"assign it at the top level of its module: {name} = NewType(...)"
        raise UnsupportedTypeError(f"the NewType {name} cannot be imported from {module}", hint)
    if name.startswith("_"):
        raise UnsupportedTypeError(f"{name} is private to its module", "name it without the underscore")
    return ir.NewTypeShape(new_type=ir.Reference(module=module, name=name), item=item)


_BY_REFERENCE = (ir.InterfaceShape, ir.CallableShape, ir.StubShape, ir.StreamShape, ir.WritableShape)


def nested(declared: type) -> tuple[str, str] | None:
    """Why a class cannot be imported by its name from the module that declares it, with a hint."""
    name = declared.__qualname__
    if "." in name:
        return f"{name} is not declared at the top level of its module", "move it to the top level"
    if name.startswith("_"):
        return f"{name} is private to its module", "name it without the underscore"
    return None
