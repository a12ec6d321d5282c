"""From the IR to the classes of a schema: protocols, models, enums.

Rule: every decision about the text is made here. What the IR does not say is left to what the compiler takes for
granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from capnweb_gen import ir, naming
from capnweb_gen.backends.python import layout
from capnweb_gen.backends.schema.spelling import WEB, Spelling, constant
from capnweb_gen.backends.schema.views import AssignedView, Block, ClassView, Entry
from capnweb_gen.naming import Case

_STEP = layout.STEP
_NULLABLE = (ir.Scalar(name="any"), ir.Scalar(name="json"), ir.Scalar(name="none"))
_SCHEMA = "capnweb_runtime.schema"


class Lowering:
    """Makes the blocks of one schema.

    Args:
        spelling: writes types.
        case: how names are spelled on the wire.
    """

    def __init__(self, spelling: Spelling, case: Case) -> None:
        self._plain = spelling.inside(pydantic=False)
        self._pydantic = spelling.inside(pydantic=True)
        self._names = spelling.names
        self._case: Case = case

    # ---- interfaces

    def interface(self, interface: ir.Interface) -> ClassView:
        """A Protocol."""
        self._names.inside([member.name for member in interface.members])
        entries = [self._member(member) for member in interface.members]
        self._names.inside(())
        bases = [self._plain.reference(base) for base in interface.bases]
        head = layout.call(f"class {interface.name}", [*bases, self._names.use("typing", "Protocol")], ":")
        return self._class(interface.name, head, interface.doc, interface.deprecated, entries)

    def callback(self, callback: ir.Callback) -> ClassView:
        """A Protocol that is called."""
        self._names.inside(["__call__"])
        call = callback.call
        lines = [*self._decorators(call), self._signature("__call__", call, call.doc, keyword="def")]
        self._names.inside(())
        head = f"class {callback.name}({self._names.use('typing', 'Protocol')}):"
        entry = Entry("\n".join(f"{_STEP}{line}" for line in lines))
        return self._class(callback.name, head, callback.doc, callback.deprecated, [entry])

    def _class(
        self, name: str, head: str, doc: str | None, deprecated: ir.Deprecation | None, entries: Sequence[Entry]
    ) -> ClassView:
        decorators = (self._deprecated(deprecated),) if deprecated is not None else ()
        written = _docstring(doc)
        if not entries and written is None:
            entries = (Entry(f"{_STEP}pass"),)
        return ClassView(name, head, decorators, written, tuple(entries))

    def _member(self, member: ir.Method | ir.Property) -> Entry:
        lines: list[str] = ["@property"] if isinstance(member, ir.Property) else []
        if isinstance(member, ir.Property):
            lines[0] = f"@{self._names.use('builtins', 'property')}"
        if naming.wire_name(member.name, self._case) != member.wire:
            lines.append(f"@{self._names.use(_SCHEMA, 'wire_name')}({layout.string(member.wire)})")
        lines += self._decorators(member)
        if isinstance(member, ir.Method):
            lines.append(self._signature(member.name, member, member.doc, keyword="async def"))
        else:
            lines.append(self._getter(member))
        return Entry("\n".join(f"{_STEP}{line}" for line in lines), spaced=len(lines) > 1 or member.doc is not None)

    def _decorators(self, member: ir.Method | ir.Property) -> list[str]:
        lines: list[str] = []
        if isinstance(member, ir.Method):
            marks = [("idempotent", member.idempotent), ("cancellable", member.cancellable)]
            lines += [f"@{self._names.use(_SCHEMA, name)}" for name, said in marks if said]
        if member.cost != 1 or member.items is not None:
            said = [str(member.cost)] if member.cost != 1 else []
            said += [f"items={member.items}"] if member.items is not None else []
            lines.append(f"@{self._names.use(_SCHEMA, 'cost')}({', '.join(said)})")
        if member.deprecated is not None:
            lines.append(f"@{self._deprecated(member.deprecated)}")
        if member.raises:
            raised = ", ".join(self._plain.reference(error) for error in member.raises)
            lines.append(f"@{self._names.use(_SCHEMA, 'raises')}({raised})")
        return lines

    def _deprecated(self, deprecated: ir.Deprecation) -> str:
        said = [layout.string(deprecated.message)]
        if deprecated.category is None:
            said.append("category=None")
        elif deprecated.category != ir.Reference(module="builtins", name="DeprecationWarning"):
            said.append(f"category={self._plain.reference(deprecated.category)}")
        if deprecated.stacklevel != 1:
            said.append(f"stacklevel={deprecated.stacklevel}")
        return f"{self._names.use('typing_extensions', 'deprecated')}({', '.join(said)})"

    def _signature(self, name: str, method: ir.Method, doc: str | None, *, keyword: str) -> str:
        parameters = list(self._parameters(method.parameters))
        result = self._secret(method.result, secret=method.secret)
        body = _docstring(doc, indent=_STEP * 2)
        tail = " ..." if body is None else ""
        written = layout.signature(name, ["self", *parameters], result, tail, indent=_STEP, keyword=keyword)
        return written if body is None else f"{written}\n{_STEP * 2}{body}\n{_STEP * 2}..."

    def _getter(self, member: ir.Property) -> str:
        body = _docstring(member.doc, indent=_STEP * 2)
        result = self._secret(member.type, secret=member.secret)
        written = layout.signature(member.name, ["self"], result, " ..." if body is None else "", indent=_STEP)
        return written if body is None else f"{written}\n{_STEP * 2}{body}\n{_STEP * 2}..."

    def _parameters(self, parameters: Sequence[ir.Parameter]) -> Iterator[str]:
        star = any(parameter.passing == "variadic" for parameter in parameters)
        only = [parameter for parameter in parameters if parameter.passing == "positional_only"]
        for parameter in parameters:
            if parameter.passing == "keyword" and not star:
                star = True
                yield "*"
            name = f"*{parameter.name}" if parameter.passing == "variadic" else parameter.name
            written = f"{name}: {self._secret(parameter.type, secret=parameter.secret)}"
            default = parameter.default
            yield written if default is None else f"{written} = {self._default(default.value, parameter.type)}"
            if only and parameter is only[-1]:
                yield "/"

    def _default(self, value: ir.DefaultValue, shape: ir.TypeShape) -> str:
        """A default; of an enum, the member that has this value."""
        for inner in ir.walk(shape) if value is not None else ():
            if isinstance(inner, ir.EnumShape):
                found = [one.name for one in inner.members if one.value == value and type(one.value) is type(value)]
                if found:
                    return f"{self._plain.reference(inner.enum)}.{found[0]}"
        return constant(value)

    def _secret(self, shape: ir.TypeShape, *, secret: bool, pydantic: bool = False) -> str:
        written = (self._pydantic if pydantic else self._plain).of(shape)
        return f"{self._names.use(_SCHEMA, 'Secret')}[{written}]" if secret else written

    # ---- models

    def model(self, model: ir.Model) -> Block:
        """A class whose instances travel by value."""
        match model.form:
            case "typed_dict" if not all(_is_attribute(field.accepts) for field in model.fields):
                return self._typed_dict_call(model)
            case "typed_dict":
                return self._typed_dict(model)
            case "root":
                item = self._pydantic.of(model.fields[0].type)
                head = f"class {model.name}({self._names.use('pydantic', 'RootModel')}[{item}]):"
                return self._class(model.name, head, model.doc, None, ())
            case _:
                return self._record(model)

    def _record(self, model: ir.Model) -> ClassView:
        self._names.inside([field.name for field in model.fields])
        pydantic = model.form == "pydantic"
        config = list(_config(model)) if pydantic else []
        entries = [self._configured(config)] if config else []
        entries += [self._field(field, pydantic=pydantic) for field in model.fields]
        self._names.inside(())
        if model.form == "dataclass":
            view = self._class(model.name, f"class {model.name}:", model.doc, None, entries)
            return ClassView(
                view.name, view.head, (self._names.use("dataclasses", "dataclass"),), view.doc, view.entries
            )
        base = ("typing", "NamedTuple") if model.form == "named_tuple" else ("pydantic", "BaseModel")
        return self._class(model.name, f"class {model.name}({self._names.use(*base)}):", model.doc, None, entries)

    def _configured(self, arguments: Sequence[str]) -> Entry:
        config = self._names.use("pydantic", "ConfigDict")
        return Entry(f"{_STEP}model_config = {config}({', '.join(arguments)})", spaced=True)

    def _field(self, field: ir.ModelField, *, pydantic: bool) -> Entry:
        written = self._secret(field.type, secret=field.secret, pydantic=pydantic)
        if field.computed and pydantic:
            return self._computed(field, written)
        nullable = isinstance(field.type, ir.OptionalShape) or field.type in _NULLABLE
        if not field.required and not nullable and not _is_constant(field.type):
            written = f"{written} | None"
        said = dict(self._field_arguments(field)) if pydantic else {}
        default = None if field.required else self._field_default(field.type)
        text = layout.annotated(field.name, written, indent=_STEP)
        if said:
            given = ([f"default={default}"] if default is not None else []) + [f"{k}={v}" for k, v in said.items()]
            text = f"{text} = {layout.call(self._names.use('pydantic', 'Field'), given, indent=_STEP)}"
        elif default is not None:
            text = f"{text} = {default}"
        return self._described(text, field.doc)

    def _field_default(self, shape: ir.TypeShape) -> str:
        """None, or of a few constants the first."""
        if not _is_constant(shape):
            return "None"
        if isinstance(shape, ir.EnumShape):
            return f"{self._plain.reference(shape.enum)}.{shape.members[0].name}"
        return constant(shape.values[0]) if isinstance(shape, ir.LiteralShape) else "None"

    def _field_arguments(self, field: ir.ModelField) -> Iterator[tuple[str, str]]:
        if naming.wire_name(field.name, self._case) != field.wire:
            both = field.accepts == field.wire
            yield "alias" if both else "serialization_alias", layout.string(field.wire)
        if field.deprecated is not None:
            yield "deprecated", layout.string(field.deprecated.message)

    def _described(self, text: str, doc: str | None) -> Entry:
        body = _docstring(doc)
        written = f"{_STEP}{text}" + (f"\n{_STEP}{body}" if body is not None else "")
        return Entry(written, spaced=body is not None)

    def _computed(self, field: ir.ModelField, written: str) -> Entry:
        lines = [f"@{self._names.use('pydantic', 'computed_field')}", f"@{self._names.use('builtins', 'property')}"]
        lines.append(f"def {field.name}(self) -> {written}:")
        body = _docstring(field.doc, indent=_STEP * 2)
        lines += [f"{_STEP}{body}"] if body is not None else []
        lines.append(f"{_STEP}raise NotImplementedError")
        return Entry("\n".join(f"{_STEP}{line}" for line in lines), spaced=True)

    def _typed_dict(self, model: ir.Model) -> ClassView:
        self._names.inside([field.accepts for field in model.fields])
        total = not model.fields or any(field.required for field in model.fields)
        entries = [self._key(field, total=total) for field in model.fields]
        self._names.inside(())
        base = self._names.use("typing_extensions", "TypedDict")
        head = f"class {model.name}({base}{'' if total else ', total=False'}):"
        return self._class(model.name, head, model.doc, None, entries)

    def _key(self, field: ir.ModelField, *, total: bool) -> Entry:
        return self._described(layout.annotated(field.accepts, self._item(field, total=total), indent=_STEP), field.doc)

    def _item(self, field: ir.ModelField, *, total: bool) -> str:
        written = self._secret(field.type, secret=field.secret)
        if field.required or not total:
            return written
        return f"{self._names.use('typing', 'NotRequired')}[{written}]"

    def _typed_dict_call(self, model: ir.Model) -> AssignedView:
        """A typed dictionary whose keys are no names. Python evaluates its types early, so that they are quoted."""
        lines = [
            f"{self._names.use('typing_extensions', 'TypedDict')}(",
            f"{_STEP}{layout.string(model.name)},",
            f"{_STEP}{{",
        ]
        required = self._names.use("typing", "NotRequired")
        optional = [field for field in model.fields if not field.required]
        for field in model.fields:
            item = layout.string(self._secret(field.type, secret=field.secret))
            item = f"{required}[{item}]" if field in optional else item
            lines.append(f"{_STEP * 2}{layout.string(field.accepts)}: {item},")
        return AssignedView(model.name, f"{model.name} = " + "\n".join([*lines, f"{_STEP}}},", ")"]))

    # ---- exceptions

    def error(self, error: ir.Error) -> ClassView:
        """An exception: a dataclass, if it has attributes."""
        self._names.inside([field.name for field in error.fields])
        entries = [self._attribute(field) for field in error.fields]
        self._names.inside(())
        head = f"class {error.name}({self._names.use('builtins', 'Exception')}):"
        view = self._class(error.name, head, error.doc, None, entries)
        decorators: list[str] = []
        if error.wire != error.name:
            decorators.append(f"{self._names.use(_SCHEMA, 'wire_name')}({layout.string(error.wire)})")
        decorators += [self._names.use("dataclasses", "dataclass")] if error.fields else []
        return ClassView(view.name, view.head, tuple(decorators), view.doc, view.entries)

    def _attribute(self, field: ir.ModelField) -> Entry:
        written = self._secret(field.type, secret=field.secret)
        nullable = isinstance(field.type, ir.OptionalShape) or field.type in _NULLABLE
        if not field.required:
            written = f"{written} = None" if nullable else f"{written} | None = None"
        return Entry(f"{_STEP}{field.name}: {written}")

    # ---- enums and names

    def enum(self, shape: ir.EnumShape, doc: str | None) -> ClassView:
        """An enum."""
        kinds = {type(member.value) for member in shape.members}
        kind = "Flag" if shape.flag else "StrEnum" if kinds == {str} else "IntEnum" if kinds == {int} else "Enum"
        head = f"class {shape.enum.name}({self._names.use('enum', kind)}):"
        entries = [Entry(f"{_STEP}{member.name} = {constant(member.value)}") for member in shape.members]
        return self._class(shape.enum.name, head, doc, None, entries)

    def new_type(self, shape: ir.NewTypeShape) -> AssignedView:
        """A NewType."""
        name = shape.new_type.name
        made = f"{self._names.use('typing', 'NewType')}({layout.string(name)}, {self._plain.of(shape.item)})"
        return AssignedView(name, f"{name} = {made}")

    def alias(self, name: str, shape: ir.TypeShape) -> AssignedView:
        """Another name for a type."""
        defining = Spelling(self._plain.schema, self._plain.peers, self._names, self._plain.aliases, defining=shape)
        written = defining.of(shape)
        text = f"{name} = {written}"
        if len(text) > layout.WIDTH:
            text = layout.annotated(name, written, indent="").replace(f"{name}: ", f"{name} = ", 1)
        return AssignedView(name, text)


def _config(model: ir.Model) -> Iterator[str]:
    """What pydantic has to be told of a model as a whole."""
    if model.extra != "ignore":
        yield f"extra={layout.string(model.extra)}"
    scalars = [inner for item in model.fields for inner in ir.walk(item.type) if isinstance(inner, ir.Scalar)]
    if any(scalar.name in WEB for scalar in scalars):
        yield "arbitrary_types_allowed=True"


def _is_constant(shape: ir.TypeShape) -> bool:
    """Whether a type is one of a few constants, which may tell the models of a union apart."""
    return isinstance(shape, ir.LiteralShape) or (isinstance(shape, ir.EnumShape) and shape.partial)


def _docstring(doc: str | None, *, indent: str = _STEP) -> str | None:
    return layout.docstring(doc, indent=indent) if doc is not None else None


def _is_attribute(key: str) -> bool:
    return naming.is_name(key) and not key.startswith("_")


Aliases = Mapping[str, ir.TypeShape]
