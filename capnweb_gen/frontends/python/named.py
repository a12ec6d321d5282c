"""Types that are constants, and types that are names: literals, enums, NewTypes.

Rule: generated code imports what has a name, so that a name has to be found where the type says that it is declared.
"""

from __future__ import annotations

import enum
import sys
from typing import NewType

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends import unions
from capnweb_gen.frontends.python.type_names import constant


def literal(values: tuple[object, ...]) -> ir.TypeShape:
    """The shape of `Literal[...]` with these arguments."""
    constants: list[ir.LiteralValue] = []
    members: dict[type[enum.Enum], list[str]] = {}
    for value in values:
        if isinstance(value, enum.Enum):
            members.setdefault(type(value), []).append(value.name)
        elif isinstance(value, bool | int | str):
            constants.append(value)
        elif value is not None:
            hint = "use strings, integers, True, False, None and members of an enum"
            raise UnsupportedTypeError(f"the literal {constant(value)} cannot travel", hint)
    shapes: list[ir.TypeShape] = [_some(declared, names) for declared, names in members.items()]
    if constants:
        shapes.append(ir.LiteralShape(values=tuple(constants)))
    if not shapes:
        return ir.Scalar(name="none")
    written = [f"Literal[{declared.__name__}.{names[0]}]" for declared, names in members.items()]
    written += [f"Literal[{', '.join(map(repr, constants))}]"] if constants else []
    literal = unions.union(written, shapes)
    return ir.OptionalShape(item=literal) if None in values else literal


def _some(declared: type[enum.Enum], names: list[str]) -> ir.EnumShape:
    """Some members of an enum. One without a name, a combination of flags, is none of them."""
    whole = enum_shape(declared)
    found = tuple(member for member in whole.members if member.name in names)
    if len(found) < len(set(names)):
        reason = f"not all of {', '.join(map(str, names))} are members of {declared.__qualname__}"
        raise UnsupportedTypeError(reason, "name its members one by one")
    return ir.EnumShape(enum=whole.enum, members=found, partial=True)


def enum_shape(declared: type[enum.Enum]) -> ir.EnumShape:
    """The shape of an enum. Its values have to be plain, because they are what travels."""
    fault = class_fault(declared)
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
    if not members and (not flag or declared.__module__ == "enum"):  # one of no flags is a flag all the same: 0
        raise UnsupportedTypeError(f"{name} has no members", "give it members")
    return ir.EnumShape(enum=ir.Reference(module=declared.__module__, name=name), members=tuple(members), flag=flag)


def new_type(declared: NewType, item: ir.TypeShape) -> ir.NewTypeShape:
    """The shape of a NewType, `item` being that of what it is made of."""
    name, module = declared.__name__, declared.__module__
    if any(map(ir.by_reference, ir.walk(item))):
        raise UnsupportedTypeError(f"{name} is another name for a capability", "declare an interface of its own")
    if getattr(sys.modules.get(module), name, None) is not declared:
        hint = f"assign it at the top level of its module: {name} = NewType(...)"
        raise UnsupportedTypeError(f"the NewType {name} cannot be imported from {module}", hint)
    if name.startswith("_"):
        raise UnsupportedTypeError(f"{name} is private to its module", "name it without the underscore")
    return ir.NewTypeShape(new_type=ir.Reference(module=module, name=name), item=item)


_BY_REFERENCE = (
    ir.InterfaceShape,
    ir.CallableShape,
    ir.CallbackShape,
    ir.StubShape,
    ir.StreamShape,
    ir.WritableShape,
)


def class_fault(declared: type) -> tuple[str, str] | None:
    """Why a class cannot be imported by its name from the module that declares it, with a hint."""
    name = declared.__qualname__
    if "." in name:
        return f"{name} is not declared at the top level of its module", "move it to the top level"
    if name.startswith("_"):
        return f"{name} is private to its module", "name it without the underscore"
    module = declared.__module__
    there: object = getattr(sys.modules.get(module), name, None)
    if there is not declared:
        what = "nothing" if there is None else "something else"
        hint = "declare it at the top level of its module, under a name that nothing else there has"
        return f"the class {name} cannot be imported from {module}, where {what} has that name", hint
    return None
