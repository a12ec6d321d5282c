"""Types and constants as a schema writes them.

Rule: what the compiler reads of what is written here is what it was made of. In a pydantic model, what travels by
reference stands in `Capability[...]`, because pydantic cannot check it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from capnweb_gen import graph, ir
from capnweb_gen.backends.python import layout
from capnweb_gen.backends.schema.names import Names

_SCALARS: dict[str, tuple[str, str]] = {
    "bool": ("builtins", "bool"),
    "int": ("builtins", "int"),
    "float": ("builtins", "float"),
    "str": ("builtins", "str"),
    "bytes": ("builtins", "bytes"),
    "bytearray": ("builtins", "bytearray"),
    "datetime": ("datetime", "datetime"),
    "local_datetime": ("pydantic", "NaiveDatetime"),
    "date": ("datetime", "date"),
    "time": ("datetime", "time"),
    "timedelta": ("datetime", "timedelta"),
    "decimal": ("decimal", "Decimal"),
    "uuid": ("uuid", "UUID"),
    "blob": ("capnweb_runtime.schema", "Blob"),
    "url": ("capnweb_runtime.schema", "Url"),
    "headers": ("capnweb_runtime.schema", "Headers"),
    "request": ("capnweb_runtime.schema", "Request"),
    "response": ("capnweb_runtime.schema", "Response"),
    "json": ("pydantic", "JsonValue"),
    "any": ("typing", "Any"),
}
_SCHEMA = "capnweb_runtime.schema"
WEB = frozenset({"blob", "url", "headers", "request", "response"})
"""Values that pydantic takes only where a model says that it may hold anything."""
_LIMITS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")
_WHEN = {("past", "date"): "PastDate", ("future", "date"): "FutureDate"}


@dataclass(frozen=True)
class Spelling:
    """Writes types of one schema.

    Attributes:
        schema: the schema.
        peers: all schemas of the run.
        names: collects what is imported.
        aliases: names of types that are no classes.
        pydantic: whether a pydantic model is what the types are written in.
        defining: the alias that is being defined, which does not stand for itself.
    """

    schema: ir.Schema
    peers: graph.Peers
    names: Names
    aliases: Mapping[ir.TypeShape, str] = field(default_factory=dict[ir.TypeShape, str])
    pydantic: bool = False
    defining: ir.TypeShape | None = None

    def inside(self, *, pydantic: bool) -> Spelling:
        """The same for the types in a pydantic model, or for others."""
        return replace(self, pydantic=pydantic)

    def of(self, shape: ir.TypeShape) -> str:
        """A type."""
        alias = self.aliases.get(shape)
        if alias is not None and shape != self.defining and not (self.pydantic and self._held(shape)):
            return alias
        if self.pydantic and self._needs_mark(shape):
            return f"{self._use('Capability')}[{replace(self, pydantic=False).of(shape)}]"
        match shape:
            case ir.Scalar():
                return self._scalar(shape)
            case ir.LiteralShape() | ir.EnumShape():
                return self._constants(shape)
            case ir.OptionalShape(item=item):
                return f"{self.of(item)} | None"
            case ir.UnionShape(members=members):
                return " | ".join(self.of(member) for member in members)
            case ir.ConstrainedShape():
                return self._constrained(shape)
            case ir.CallableShape(parameters=parameters, result=result):
                plain = replace(self, pydantic=False)
                taken = ", ".join(plain.of(parameter) for parameter in parameters)
                return f"{self.names.use('collections.abc', 'Callable')}[[{taken}], {plain.of(result)}]"
            case ir.ListShape() | ir.CollectionShape() | ir.DictShape() | ir.TupleShape():
                return self._container(shape)
            case _:
                return self._named(shape)

    def _named(self, shape: ir.TypeShape) -> str:
        match shape:
            case ir.ModelShape(model=found) | ir.InterfaceShape(interface=found) | ir.CallbackShape(callback=found):
                return self.reference(found)
            case ir.TextShape(type=found) | ir.NewTypeShape(new_type=found):
                return self.reference(found)
            case ir.OpenShape(item=item):
                return f"{self._use('Open')}[{self.of(item)}]"
            case ir.SturdyRefShape(interface=found):
                return f"{self._use('SturdyRef')}[{self.reference(found)}]"
            case ir.StubShape():
                return self._use("Stub")
            case ir.StreamShape(item=item):
                return f"{self.names.use('collections.abc', 'AsyncIterator')}[{self.of(item)}]"
            case ir.WritableShape(item=item):
                return f"{self._use('Writable')}[{self.of(item)}]"
            case _:
                raise AssertionError(f"{shape.kind} is no type that can be written")

    def reference(self, found: ir.Reference) -> str:
        """A class by its name, which is imported if it is declared elsewhere."""
        return found.name if found.module == self.schema.module else self.names.use(found.module, found.name)

    def _use(self, name: str) -> str:
        return self.names.use(_SCHEMA, name)

    # ---- types without parts

    def _scalar(self, shape: ir.Scalar) -> str:
        if shape.name == "none":
            return "None"
        if shape.name == "exact_datetime":
            moment = self.names.use("datetime", "datetime")
            return f'{self.names.use("typing", "Annotated")}[{moment}, {self._use("Microseconds")}("keep")]'
        return self.names.use(*_SCALARS[shape.name])

    def _constants(self, shape: ir.LiteralShape | ir.EnumShape) -> str:
        if isinstance(shape, ir.EnumShape):
            name = self.reference(shape.enum)
            if not shape.partial:
                return name
            constants = [f"{name}.{member.name}" for member in shape.members]
        else:
            constants = [constant(value) for value in shape.values]
        return f"{self.names.use('typing', 'Literal')}[{', '.join(constants)}]"

    def _container(self, shape: ir.ListShape | ir.CollectionShape | ir.DictShape | ir.TupleShape) -> str:
        match shape:
            case ir.ListShape(item=item):
                return f"{self.names.use('builtins', 'list')}[{self.of(item)}]"
            case ir.CollectionShape(container="tuple", item=item):
                return f"{self.names.use('builtins', 'tuple')}[{self.of(item)}, ...]"
            case ir.CollectionShape(container=container, item=item):
                return f"{self.names.use('builtins', container)}[{self.of(item)}]"
            case ir.DictShape(key=key, value=value):
                return f"{self.names.use('builtins', 'dict')}[{self.of(key)}, {self.of(value)}]"
            case ir.TupleShape(items=items):
                return f"{self.names.use('builtins', 'tuple')}[{', '.join(self.of(item) for item in items)}]"

    def _constrained(self, shape: ir.ConstrainedShape) -> str:
        marks: list[str] = []
        limits = [(name, value) for name in _LIMITS if (value := getattr(shape, name)) is not None]
        if limits:
            written = ", ".join(f"{name}={_limit(value)}" for name, value in limits)
            marks.append(f"{self.names.use('pydantic', 'Field')}({written})")
        if shape.microseconds is not None:
            marks.append(f"{self._use('Microseconds')}({layout.string(shape.microseconds)})")
        item = self.of(shape.item)
        if shape.when is not None:
            kind = shape.item.name if isinstance(shape.item, ir.Scalar) else "datetime"
            default = "PastDatetime" if shape.when == "past" else "FutureDatetime"
            item = self.names.use("pydantic", _WHEN.get((shape.when, kind), default))
        if not marks:
            return item
        return f"{self.names.use('typing', 'Annotated')}[{', '.join([item, *marks])}]"

    # ---- what pydantic cannot check

    def _needs_mark(self, shape: ir.TypeShape) -> bool:
        """Whether something stands in Capability[...] in a pydantic model."""
        if isinstance(shape, ir.InterfaceShape | ir.CallbackShape | ir.StreamShape):
            return True
        if isinstance(shape, ir.Scalar):
            return shape.name in {"request", "response"}
        if not isinstance(shape, ir.ModelShape):
            return False
        model = graph.find_model(shape.model, self.schema, self.peers)
        return model is not None and model.form not in {"pydantic", "root"} and self._held(shape)

    def _held(self, shape: ir.TypeShape) -> bool:
        """Whether something in a type, at any depth, is nothing that pydantic knows."""
        seen: set[ir.Reference] = set()
        waiting = [shape]
        while waiting:
            for inner in ir.walk(waiting.pop()):
                if ir.by_reference(inner) or (isinstance(inner, ir.Scalar) and inner.name in WEB):
                    return True
                if isinstance(inner, ir.ModelShape) and inner.model not in seen:
                    seen.add(inner.model)
                    model = graph.find_model(inner.model, self.schema, self.peers)
                    waiting += [field.type for field in model.fields] if model is not None else []
        return False


def _limit(value: ir.DefaultValue) -> str:
    """A limit; a pattern is easier to read raw."""
    if isinstance(value, str) and "\\" in value and value.isprintable() and '"' not in value:
        return f'r"{value}"' if not value.endswith("\\") else constant(value)
    return constant(value)


def constant(value: ir.DefaultValue) -> str:
    """A constant as Python writes it."""
    if isinstance(value, str):
        return layout.string(value)
    if isinstance(value, ir.SpecialFloat):
        return f'float("{value.float}")'
    return repr(value)
