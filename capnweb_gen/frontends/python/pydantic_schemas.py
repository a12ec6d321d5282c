"""What pydantic does with the value of a field beyond checking it, read from pydantic's own schema of the class.

Rule: annotations are not asked, because a serializer or a converting validator may come from a mark of one's own, from
an alias, from the config, or from a type. What has a sign in the annotation itself is refused there, see `markers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias, cast

from pydantic import BaseModel
from pydantic.dataclasses import is_pydantic_dataclass

from capnweb_gen import ir
from capnweb_gen.frontends.python.markers import JSON, SERIALIZER_HINT
from capnweb_gen.frontends.python.type_names import constant

Node = Mapping[str, Any]
Settings: TypeAlias = Mapping[str, object]

_INSIDE = (
    *("schema", "items_schema", "keys_schema", "values_schema", "choices", "steps", "python_schema", "strict_schema"),
    *("fields", "definitions"),
)
_WRAPPERS = frozenset({"default", "nullable", "function-before", "function-after", "function-wrap"})
# What sending does with such a value, and what of the config would say the same.
_AS_JSON: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "timedelta": (
        "a timedelta travels as a number of seconds",
        {"ser_json_timedelta": "float", "ser_json_temporal": "seconds"},
    ),
    "datetime": ("a datetime travels as a Date", {"ser_json_temporal": ""}),
    "date": ("a date travels as text in ISO 8601", {"ser_json_temporal": "iso8601"}),
    "time": ("a time travels as text in ISO 8601", {"ser_json_temporal": "iso8601"}),
    "bytes": ("bytes travel as bytes", {"ser_json_bytes": ""}),
    "float": ("inf and nan travel as what they are", {"ser_json_inf_nan": "constants"}),
}
# The schemas that a type has, where it is known what can be taken for it. Others are not judged.
_OF_SCALARS: Mapping[str, frozenset[str]] = {
    "bool": frozenset({"bool"}),
    "int": frozenset({"int"}),
    "float": frozenset({"float"}),
    "str": frozenset({"str", "url", "multi-host-url"}),
    "bytes": frozenset({"bytes"}),
    "datetime": frozenset({"datetime"}),
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "timedelta": frozenset({"timedelta"}),
    "decimal": frozenset({"decimal"}),
    "uuid": frozenset({"uuid"}),
}
_JUDGED = frozenset[str]().union(
    *_OF_SCALARS.values(), {"list", "dict", "set", "frozenset", "tuple", "model", "enum", "literal", "complex", "json"}
)


@dataclass(frozen=True)
class FieldSchema:
    """Pydantic's schema of one field, and the schemas that it refers to."""

    node: Node
    known: Mapping[str, Node]

    def inside(self, node: Node) -> FieldSchema:
        """A part of it."""
        return FieldSchema(node, self.known)

    def walk(self) -> Iterator[Node]:
        """It and its parts, other pydantic classes not entered."""
        waiting, seen = [self.node], set[int]()
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            if _pydantic_class(node) is None:
                referred = self.known.get(node.get("schema_ref", ""))
                waiting.extend([referred] if referred is not None else _inside(node))

    def value(self) -> Node:
        """What it demands of a value, without what is done before and after."""
        node = self.node
        for _ in range(50):  # an alias may contain itself
            if "schema_ref" in node:
                node = self.known.get(node["schema_ref"], {})
            elif node.get("type") in _WRAPPERS:
                node = node["schema"]
            elif "python_schema" in node or "strict_schema" in node:
                node = node.get("python_schema") or node["strict_schema"]
            elif "steps" in node:
                node = node["steps"][0]
            else:
                return node
        return {}


def field_schemas(declared: type[object]) -> Mapping[str, FieldSchema]:
    """The schemas of the fields of a complete pydantic class, of computed ones, and of what a root model holds."""
    whole = _class_schema(declared)
    if whole is None:
        return {}
    node: Node = whole.node["schema"]
    if whole.node.get("root_model"):
        return {"root": whole.inside(node)}
    node = _fields_in(node)
    computed = {one["property_name"]: whole.inside(one["return_schema"]) for one in node.get("computed_fields", ())}
    return {name: whole.inside(field["schema"]) for name, field in _fields_of(node)} | computed


def generated_aliases(declared: type[object]) -> Mapping[str, tuple[Any, str | None]]:
    """For each field of a complete pydantic class, under what validation looks for it, in pydantic's own words: a key,
    or a list of paths; and the key that it is serialized by.
    """
    whole = _class_schema(declared)
    fields = _fields_of(_fields_in(whole.node["schema"])) if whole is not None else ()
    return {name: (field.get("validation_alias"), field.get("serialization_alias")) for name, field in fields}


def extra_schema(declared: type[object]) -> FieldSchema | None:
    """The schema of what a complete pydantic class takes beyond its fields, if it says what that has to be."""
    whole = _class_schema(declared)
    extra: Any = _fields_in(whole.node["schema"]).get("extras_schema") if whole is not None else None
    return whole.inside(extra) if whole is not None and extra is not None else None


def _class_schema(declared: type[object]) -> FieldSchema | None:
    """That of the class itself, without what is done before and after."""
    whole = _node(getattr(declared, "__pydantic_core_schema__", None))
    if whole is None:
        return None
    known = {node["ref"]: node for node in _all_nodes(whole) if "ref" in node}
    node: Node = whole
    while node["type"] not in ("model", "dataclass"):
        inner = known.get(node.get("schema_ref", "")) or node.get("schema")
        if inner is None:
            return None
        node = inner
    return FieldSchema(node, known)


def _fields_in(node: Node) -> Node:
    """The schema that has the fields: validators of the whole stand around it."""
    while "fields" not in node and "schema" in node:
        node = node["schema"]
    return node


def unheard(schema: FieldSchema, shape: ir.TypeShape, settings: Settings) -> tuple[str, str] | None:
    """Why sending a field, or taking it, would not be what its class says: a reason and a hint. None if it is.

    Args:
        schema: what pydantic does with it.
        shape: how it travels.
        settings: the config of the class.
    """
    for node in schema.walk():
        if node["type"] == "json":
            return JSON
        fault = _serializing(node, settings) or _keeping_values(node) or _writing_json(node, settings)
        if fault is not None:
            return fault
    return _disagreeing(schema, shape)


def _serializing(node: Node, settings: Settings) -> tuple[str, str] | None:
    serialization: Node = node.get("serialization") or {}
    function: object = serialization.get("function")
    declared = _pydantic_class(node)
    own = _class_schema(declared) if declared is not None else None
    if serialization.get("is_field_serializer") or (own is not None and own.node.get("serialization") == serialization):
        return None  # told where it is declared
    if serialization.get("type") == "any":
        return "it is serialized as any value, but travels as the type that is declared", "write the type that travels"
    if function is None or _module(function).startswith(("pydantic.", "capnweb_runtime.")):
        return None  # what sending does, too
    if settings.get("json_encoders"):
        return "json_encoders are not asked when it is sent", SERIALIZER_HINT
    return "its type brings a serializer, which sending does not call", SERIALIZER_HINT


def _keeping_values(node: Node) -> tuple[str, str] | None:
    """Whether pydantic puts the value of an enum member in its place."""
    inner: Node = node.get("schema", {})
    if node["type"] != "function-after" or inner.get("type") not in ("enum", "literal"):
        return None
    function: object = node["function"]["function"]
    if not isinstance(function, attrgetter) and not _module(function).startswith("pydantic._int"):
        return None
    members = inner.get("members") or inner["expected"]
    written = ", ".join(constant(getattr(member, "value", member)) for member in members)
    return (
        "use_enum_values keeps the values of an enum, but its members are what travels",
        f"leave use_enum_values out, or write Literal[{written}]",
    )


def _writing_json(node: Node, settings: Settings) -> tuple[str, str] | None:
    """Whether the config asks for another form on the wire."""
    told, same = _AS_JSON.get(node["type"], ("", dict[str, str]()))
    for setting, value in same.items():
        if setting in settings and settings[setting] != value:
            return f"{setting}={constant(settings[setting])} is not followed: {told}", f"leave {setting} out"
    return None


def _disagreeing(schema: FieldSchema, shape: ir.TypeShape) -> tuple[str, str] | None:
    """Whether pydantic takes another type than the one that travels."""
    node = schema.value()
    while isinstance(shape, ir.OptionalShape | ir.NewTypeShape | ir.ConstrainedShape):
        shape = shape.item
    kind = node.get("type", "any")
    expected = _kinds(shape)
    if expected is not None and kind in _JUDGED and kind not in expected:
        return f"pydantic takes {kind} here, which is not the type that is declared", "declare the type that travels"
    inner = shape.item if isinstance(shape, ir.ListShape) else shape.value if isinstance(shape, ir.DictShape) else None
    part = _node(node.get("items_schema")) or _node(node.get("values_schema"))
    return _disagreeing(schema.inside(part), inner) if inner is not None and part is not None else None


def _kinds(shape: ir.TypeShape) -> frozenset[str] | None:
    match shape:
        case ir.Scalar(name=name):
            return _OF_SCALARS.get(name)
        case ir.ListShape():
            return frozenset({"list"})
        case ir.DictShape():
            return frozenset({"dict"})
        case ir.EnumShape(partial=partial):
            return frozenset({"literal" if partial else "enum"})
        case ir.ModelShape():
            return frozenset({"model", "dataclass", "typed-dict", "call"})
        case _:
            return None


def _fields_of(node: Node) -> Iterable[tuple[str, Node]]:
    """The fields in a schema: a model has them by name, a dataclass in order."""
    fields: Any = node.get("fields", {})
    named = _node(fields)
    return [(field["name"], field) for field in fields] if named is None else named.items()


def _all_nodes(whole: Node) -> Iterator[Node]:
    waiting, seen = [whole], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting.extend(_inside(node))


def _inside(node: Node) -> Iterator[Node]:
    return (part for key in _INSIDE for part in _parts(node.get(key)))


def _parts(value: Any) -> Iterator[Node]:
    """The schemas in an entry of a schema: it is one, or holds several, in a list or by name, some beside a label."""
    node = _node(value)
    if node is not None and isinstance(node.get("type"), str):
        yield node
        return
    entries: Iterable[Any] = value or () if node is None else node.values()
    for entry in entries:
        part = _node(entry[0] if isinstance(entry, tuple) else entry)
        if part is not None:
            yield part


def _node(value: Any) -> Node | None:
    return cast("Node", value) if isinstance(value, Mapping) else None


def _pydantic_class(node: Node) -> type[object] | None:
    """The class that a schema is of, if that is described by itself."""
    declared: Any = node.get("cls")
    if node.get("type") not in ("model", "dataclass"):
        return None
    return declared if issubclass(declared, BaseModel) or is_pydantic_dataclass(declared) else None


def _module(function: object) -> str:
    return str(getattr(function, "__module__", ""))
