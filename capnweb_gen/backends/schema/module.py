"""The module of a schema: its classes in the order of their source, and names behind what they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.python import layout
from capnweb_gen.backends.schema.lowering import Lowering
from capnweb_gen.backends.schema.names import Names
from capnweb_gen.backends.schema.render import joined, render_blocks, render_head
from capnweb_gen.backends.schema.spelling import Spelling
from capnweb_gen.backends.schema.views import Block, ModuleView
from capnweb_gen.naming import Case

S = TypeVar("S", bound=ir.Node)
_Placed = tuple[tuple[int, int, int], Block]
_Waiting = tuple[str, ir.TypeShape, Block]


@dataclass(frozen=True)
class Sayings:
    """What a schema says to those who read it, beside what is in the IR.

    Attributes:
        aliases: names of types that are no classes.
        enums: all members of each enum that it declares, and its docstring.
        case: how names are spelled on the wire; None if the names tell.
        errors: the exceptions that it declares, whoever raises them.
    """

    aliases: Mapping[str, ir.TypeShape] = field(default_factory=dict[str, ir.TypeShape])
    enums: Mapping[str, tuple[ir.EnumShape, str | None]] = field(
        default_factory=dict[str, "tuple[ir.EnumShape, str | None]"]
    )
    case: Case | None = None
    errors: tuple[ir.Error, ...] = ()


@dataclass(frozen=True)
class Printed:
    """A module in parts: what stands above, and blocks by the name that each declares."""

    head: str
    blocks: tuple[tuple[str, str], ...]
    text: str


def print_schema(schema: ir.Schema, peers: graph.Peers, header: str, sayings: Sayings | None = None) -> Printed:
    """The module that says what a schema says.

    Args:
        schema: what to say. Generic types in it are written as what they were made into.
        peers: all schemas of the run, by module.
        header: the comment in the first line.
        sayings: names that the IR does not have.
    """
    said = sayings or Sayings()
    enums = {**_enums(schema), **said.enums}
    new_types = {
        shape.new_type.name: shape for shape in _inside(schema, ir.NewTypeShape) if _is_own(shape.new_type, schema)
    }
    declared = [*(one.name for one in schema.models), *(one.name for one in schema.interfaces)]
    declared += [one.name for one in schema.callbacks]
    errors = dict.fromkeys((*said.errors, *(error for error in schema.errors if error.module == schema.module)))
    declared += [error.name for error in errors]
    names = Names([*declared, *enums, *new_types, *said.aliases])
    by_shape: dict[ir.TypeShape, str] = {}
    for name, shape in said.aliases.items():
        by_shape.setdefault(shape, name)
    case = said.case or case_of(schema)
    lowering = Lowering(Spelling(schema, peers, names, by_shape), case)
    blocks: list[Block] = [lowering.enum(shape, doc) for shape, doc in enums.values()]
    blocks += [lowering.error(error) for error in errors]  # decorators need them when interfaces are read
    waiting: list[_Waiting] = [(name, shape, lowering.new_type(shape)) for name, shape in new_types.items()]
    waiting += [(name, shape, lowering.alias(name, shape)) for name, shape in said.aliases.items()]
    blocks += _with_names(_classes(schema, lowering), waiting, schema)
    doc = layout.docstring(schema.doc, indent="") if schema.doc is not None else None
    view = ModuleView(header, doc, tuple(names.blocks()), case if case != "as-written" else None, tuple(blocks))
    head, rendered = render_head(view), list(render_blocks(view))
    return Printed(head, tuple(rendered), joined(head, rendered, view))


def case_of(schema: ir.Schema) -> Case:
    """How most names of a schema are spelled on the wire: in camel case if one is that no other spelling gives, and
    no key of a typed dictionary contradicts.
    """
    found = list(_wire_names(schema))
    camel = any(
        naming.wire_name(name, "camel") == wire != naming.wire_name(name, "as-written") for name, wire, _ in found
    )
    against = any(is_key and naming.wire_name(name, "camel") != wire for name, wire, is_key in found)
    return "camel" if camel and not against else "as-written"


def _wire_names(schema: ir.Schema) -> Iterator[tuple[str, str, bool]]:
    """The names in Python and on the wire, and whether nothing but the case can tell one from the other."""
    for interface in schema.interfaces:
        for member in interface.members:
            yield member.name, member.wire, False
            for parameter in member.parameters if isinstance(member, ir.Method) else ():
                yield parameter.name, parameter.wire, parameter.passing == "keyword"
    for callback in schema.callbacks:
        for parameter in callback.call.parameters:
            yield parameter.name, parameter.wire, parameter.passing == "keyword"
    for model in schema.models:
        for item in model.fields:
            is_key = model.form != "pydantic" and naming.is_name(item.accepts) and not item.accepts.startswith("_")
            yield item.accepts if is_key else item.name, item.wire, is_key
    for error in schema.errors:
        yield from ((attribute.name, attribute.wire, True) for attribute in error.fields)


def _enums(schema: ir.Schema) -> dict[str, tuple[ir.EnumShape, str | None]]:
    """The enums that types of a schema name, with the members that are known of them."""
    found: dict[str, tuple[ir.EnumShape, str | None]] = {}
    for shape in _inside(schema, ir.EnumShape):
        if _is_own(shape.enum, schema):
            known = found[shape.enum.name][0].members if shape.enum.name in found else ()
            members = shape.members if not shape.partial else tuple(dict.fromkeys((*known, *shape.members)))
            found[shape.enum.name] = shape.model_copy(update={"members": members, "partial": False}), None
    return found


def _is_own(reference: ir.Reference, schema: ir.Schema) -> bool:
    return reference.module == schema.module


def _inside(schema: ir.Schema, kind: type[S]) -> Iterator[S]:
    for written in ir.schema_types(schema):
        yield from (shape for shape in ir.walk(written) if isinstance(shape, kind))


def _classes(schema: ir.Schema, lowering: Lowering) -> list[tuple[Block, frozenset[str]]]:
    """The classes in the order of their source, each with the name that it declares."""
    order: dict[str, int] = {}

    def place(path: str | None, position: ir.Position) -> tuple[int, int, int]:
        return order.setdefault(path or schema.path, len(order)), position.line, position.column

    placed: list[_Placed] = [(place(one.path, one.position), lowering.model(one)) for one in schema.models]
    bases_first = graph.bases_first(schema)
    placed += [(place(one.path, one.position), lowering.interface(one)) for one in bases_first]
    placed += [(place(one.path, one.position), lowering.callback(one)) for one in schema.callbacks]
    placed.sort(key=lambda one: one[0])
    return [(block, frozenset({block.name})) for block in _bases_first([block for _, block in placed], schema)]


def _bases_first(blocks: Sequence[Block], schema: ir.Schema) -> Iterator[Block]:
    """The same order, except that what a class inherits comes before it."""
    bases = {one.name: [base.name for base in one.bases] for one in schema.interfaces}
    by_name = {block.name: block for block in blocks}
    done: set[str] = set()

    def add(name: str) -> Iterator[Block]:
        if name in done or name not in by_name:
            return
        done.add(name)
        for base in bases.get(name, ()):
            yield from add(base)
        yield by_name[name]

    for block in blocks:
        yield from add(block.name)


def _with_names(
    classes: Sequence[tuple[Block, frozenset[str]]],
    waiting: Sequence[_Waiting],
    schema: ir.Schema,
) -> Iterator[Block]:
    """The classes, and names for types, each as soon as everything that it names is there."""
    left = list(waiting)
    known = {name for _, names in classes for name in names} | {name for name, _, _ in waiting}
    there: set[str] = set()

    def ready() -> Iterator[Block]:
        moved = True
        while moved:
            moved = False
            for one in list(left):
                name, shape, block = one
                if _named(shape, schema) & known - {name} <= there:
                    left.remove(one)
                    there.add(name)
                    moved = True
                    yield block

    yield from ready()
    for block, names in classes:
        yield block
        there |= names
        yield from ready()
    yield from (block for _, _, block in left)


def _named(shape: ir.TypeShape, schema: ir.Schema) -> set[str]:
    """What a type names in its own module."""
    found: set[str] = set()
    for inner in ir.walk(shape):
        match inner:
            case ir.ModelShape(model=named) | ir.InterfaceShape(interface=named) | ir.CallbackShape(callback=named):
                found.add(named.name)
            case ir.NewTypeShape(new_type=named) | ir.SturdyRefShape(interface=named):
                found.add(named.name)
            case _:
                pass
    return found


__all__ = ["Printed", "Sayings", "case_of", "print_schema"]
