"""Unions: which of their constants belong together, and what tells their objects apart."""

from __future__ import annotations

from collections.abc import Sequence

from capnweb_gen import ir
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.evaluate import Types, View
from capnweb_gen.frontends.typescript.files import Group
from capnweb_gen.frontends.typescript.names import part_name
from capnweb_gen.frontends.typescript.scope import Builtin, Closure, Declared, RefusedTypeError


def with_constants_together(kept: list[tuple[str, ir.TypeShape]]) -> list[tuple[str, ir.TypeShape]]:
    """Constants as one type, and so the members of each enum, where the first of them stands."""
    found: dict[object, tuple[str, ir.TypeShape]] = {}
    for name, shape in kept:
        key: object = shape
        if isinstance(shape, ir.LiteralShape):
            key = "literal"
            earlier = found.get(key)
            values = earlier[1].values if earlier and isinstance(earlier[1], ir.LiteralShape) else ()
            merged = dict.fromkeys((type(value), value) for value in (*values, *shape.values))
            shape = ir.LiteralShape(values=tuple(value for _, value in merged))
        elif isinstance(shape, ir.EnumShape) and shape.partial:
            key = ("enum", shape.enum)
            earlier = found.get(key)
            members = earlier[1].members if earlier and isinstance(earlier[1], ir.EnumShape) else ()
            shape = shape.model_copy(update={"members": tuple(dict.fromkeys((*members, *shape.members)))})
        found[key] = (found[key][0] if key in found else name, shape)
    together = list(found.values())
    literal = next((shape for _, shape in together if isinstance(shape, ir.LiteralShape)), None)
    if literal is not None and {True, False} <= {value for value in literal.values if isinstance(value, bool)}:
        together = _with_booleans(together, literal)
    return together


def _with_booleans(kept: list[tuple[str, ir.TypeShape]], literal: ir.LiteralShape) -> list[tuple[str, ir.TypeShape]]:
    """`true | false` is boolean."""
    others = tuple(value for value in literal.values if not isinstance(value, bool))
    made: list[tuple[str, ir.TypeShape]] = []
    for name, shape in kept:
        if shape is literal:
            made += [(name, ir.LiteralShape(values=others))] if others else []
            made.append(("boolean", ir.Scalar(name="bool")))
        else:
            made.append((name, shape))
    return made


def tag_of(views: Sequence[View], types: Types) -> str | None:
    """The member whose constant is another in each of several objects."""
    if len(views) < 2:
        return None
    for name in views[0].slots:
        constants = [constant_of(view, name, types) for view in views]
        if None not in constants and len(set(map(repr, constants))) == len(constants):
            return name
    return None


def constant_of(view: View, name: str, types: Types) -> nodes.TypeValue | None:
    slot = view.slots.get(name)
    closure = slot.closure if slot is not None else None
    if closure is None:
        return None
    try:
        head = types.head(closure)
    except RefusedTypeError:
        return None
    return head.node.value if isinstance(head, Closure) and isinstance(head.node, nodes.Constant) else None


def tag_name(tag: str, constant: nodes.TypeValue) -> str:
    if isinstance(constant, bool):
        return part_name(tag) if constant else f"Not{part_name(tag)}"
    return part_name(str(constant))


_PLAIN = frozenset({"string", "number", "boolean", "null"})


def is_json(types: Types, declared: Declared) -> bool:
    """Whether an alias is that of any value of JSON: of its scalars, and of arrays and objects of itself."""
    body = declared.body
    if body is None or not isinstance(body.node, nodes.UnionType):
        return False
    found: set[str] = set()
    for member in body.node.members:
        try:
            kind = _json_kind(types, body.at(member), declared.group)
        except RefusedTypeError:
            return False
        if kind is None:
            return False
        found.add(kind)
    return _PLAIN | {"array", "object"} <= found


def _json_kind(types: Types, closure: Closure, group: Group) -> str | None:
    """Which kind of JSON a type is, if what is in it is of the alias again."""
    head = types.head(closure)
    if isinstance(head, Closure) and isinstance(head.node, nodes.Keyword):
        return head.node.name if head.node.name in _PLAIN else None
    if isinstance(head, Closure) and isinstance(head.node, nodes.ArrayType):
        return "array" if _is_again(types, head.at(head.node.item), group) else None
    if isinstance(head, Builtin) and head.name in {"Array", "ReadonlyArray"}:
        return "array" if _is_again(types, head.argument(), group) else None
    view = types.view(closure)
    if view is None or view.slots or view.calls or view.index is None:
        return None
    return "object" if _is_again(types, view.index, group) else None


def _is_again(types: Types, closure: Closure, group: Group) -> bool:
    """Whether a type is an alias once more, or that and undefined."""
    node = closure.node
    members = [closure.at(member) for member in node.members] if isinstance(node, nodes.UnionType) else [closure]
    meanings = [types.step(member) for member in members]
    return any(isinstance(one, Declared) and one.group is group for one in meanings) and len(meanings) <= 2
