"""Names in Python for what TypeScript names, and for what it does not.

Rule: pure functions, except that a module remembers which names it has given away. A name on the wire is never changed
by the one that it has in Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import BaseModel

from capnweb_gen import ir, naming
from capnweb_gen.frontends.typescript.nodes import Doc
from capnweb_gen.naming import Case

_SCALAR_PARTS: dict[str, str] = {
    "none": "None",
    "any": "Any",
    "uuid": "UUID",
    "json": "JsonValue",
    "timedelta": "Timedelta",
}
_RESERVED = naming.PROMISE_NAMES | {"rpc"}  # what stubs have themselves, and what generated modules call the runtime


@dataclass(frozen=True)
class Hint:
    """What something without a name may be called: the short name, or if that is taken, the long one."""

    short: str
    long: str

    def inside(self, part: str) -> Hint:
        """The name of something in it."""
        return Hint(self.short + part, self.long + part)


@dataclass
class Module:
    """A module that is to be written: its dotted name, how names are spelled on the wire, and the names it has."""

    name: str
    stem: str
    case: Case
    taken: set[str] = field(default_factory=set[str])

    def take(self, *wanted: str) -> str:
        """A name that nothing else in the module has: the first that is free, or else the last with a number."""
        for name in wanted:
            if name not in self.taken:
                break
        else:
            number = 2
            while f"{wanted[-1]}{number}" in self.taken:
                number += 1
            name = f"{wanted[-1]}{number}"
        self.taken.add(name)
        return name


def class_name(written: str) -> str:
    """`proof` → `Proof`, `Api.User` → `ApiUser`, `$Thing` → `Thing`."""
    name = "".join(naming.pascal(naming.as_name(part)) for part in written.split("."))
    return name if naming.is_name(name) else f"{name}_"


def part_name(written: str) -> str:
    """A name of a member, or a constant, as part of a longer name: `fileRow` → `FileRow`, `not-found` → `NotFound`."""
    return naming.pascal(naming.as_name(naming.snake(written)).strip("_"))


def shape_name(shape: ir.TypeShape) -> str:
    """A type as part of the name of what has it as its type argument, as `PageStr` of `Page<string>`."""
    match shape:
        case ir.Scalar(name=name):
            return _SCALAR_PARTS.get(name) or naming.pascal(name)
        case ir.ListShape(item=item):
            return f"List{shape_name(item)}"
        case ir.OptionalShape(item=item):
            return f"Optional{shape_name(item)}"
        case ir.DictShape(value=value):
            return f"Dict{shape_name(value)}"
        case ir.CollectionShape(container=container, item=item):
            return f"{container.capitalize()}{shape_name(item)}"
        case ir.TupleShape(items=items) | ir.UnionShape(members=items):
            return "".join(["Tuple" if isinstance(shape, ir.TupleShape) else "Union", *map(shape_name, items)])
        case ir.LiteralShape(values=values):
            return "".join(part_name(str(value)) for value in values[:3])
        case ir.ModelShape(model=found) | ir.InterfaceShape(interface=found) | ir.CallbackShape(callback=found):
            return found.name
        case ir.EnumShape(enum=found) | ir.NewTypeShape(new_type=found):
            return found.name
        case ir.StreamShape(item=item) | ir.WritableShape(item=item):
            return shape_name(item)
        case ir.ConstrainedShape(item=item) | ir.OpenShape(item=item):
            return shape_name(item)
        case ir.StubShape():
            return "Stub"
        case _:
            return "Value"


def said_name(doc: Doc) -> str | None:
    """The name in Python that a comment gives with `@capnweb name ...`."""
    found = (mark.removeprefix("name ").strip() for mark in doc.marks() if mark.startswith("name "))
    return next((name for name in found if naming.is_name(name) and not name.startswith("_")), None)


def member_name(wire: str, others: Iterable[str] = (), *, said: str | None = None) -> str:
    """The name of a method or property in Python."""
    name = said or _snake(wire)
    if name in _RESERVED:
        name = f"{name}_"
    return _free(name, others)


def field_name(wire: str, others: Iterable[str] = (), *, said: str | None = None) -> str:
    """The name of a field of a pydantic model in Python."""
    name = said or _snake(wire)
    if hasattr(BaseModel, name):
        name = f"{name}_"
    return _free(name, others)


def key_name(wire: str, case: Case) -> str:
    """The key of a typed dictionary: what a class can say and stands for the name on the wire, or else that name."""
    key = _snake(wire)
    return key if naming.is_name(key) and key == key.lower() and _wire(key, case) == wire else wire


def is_attribute(key: str) -> bool:
    """Whether a key can be written in the body of a class."""
    return naming.is_name(key) and not key.startswith("_")


def parameter_name(written: str, others: Iterable[str] = ()) -> str:
    """The name of a parameter in Python."""
    name = _snake(written) if written else "value"
    return _free(f"{name}_" if name == "self" else name, others)


def implied(name: str, case: Case) -> str:
    """The name on the wire that a name in Python has where nothing else is said."""
    return naming.wire_name(name, case)


def _wire(key: str, case: Case) -> str:
    return naming.wire_name(key, case)


def _snake(wire: str) -> str:
    return naming.as_name(naming.snake(wire))


def _free(name: str, others: Iterable[str]) -> str:
    taken = set(others)
    if name not in taken:
        return name
    number = 2
    while f"{name.rstrip('_')}_{number}" in taken:
        number += 1
    return f"{name.rstrip('_')}_{number}"
