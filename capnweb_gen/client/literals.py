"""What is written, compared with a type and made into what travels.

Rule: what a server would refuse is refused before anything is sent, and underlined; a pattern alone is left to the
server, since languages differ in how they read it. A chain passes: its type is the server's to say.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from capnweb_gen import ir
from capnweb_gen.client.described import Described, Part
from capnweb_gen.client.expression import Chain, Constant, ExpressionError, Mapping, Node, Sequence
from capnweb_gen.client.spelled import type_text
from capnweb_runtime.values import Blob, Headers, Url

_MANY = 12
ByReference = Callable[[Chain], object]
"""Makes of a chain what stands for its result."""

_EXAMPLES: dict[ir.ScalarName, str] = {
    "bytes": "b'...'",
    "bytearray": "b'...'",
    "blob": "b'...'",
    "datetime": "'2024-01-31T12:30:00Z'",
    "exact_datetime": "'2024-01-31T12:30:00Z'",
    "local_datetime": "'2024-01-31T12:30:00'",
    "date": "'2024-01-31'",
    "time": "'12:30:00'",
    "timedelta": "a number of seconds",
    "decimal": "'19.90'",
    "uuid": "'7f2c...', of 36 characters",
    "headers": "{'name': 'value'}",
}


def plain(node: Node, chain: ByReference) -> object:
    """What is written, of which no schema says what it has to be."""
    match node:
        case Constant(value=value):
            return value
        case Sequence(items=items):
            return [plain(item, chain) for item in items]
        case Mapping(entries=entries):
            return {str(key.value): plain(value, chain) for key, value in entries}
        case Chain():
            return chain(node)


class Literals:
    """Compares with types.

    Args:
        described: what is said of models.
        chain: see `ByReference`.
    """

    def __init__(self, described: Described, chain: ByReference) -> None:
        self._described = described
        self._chain = chain

    def fit(self, node: Node, part: Part, what: str) -> object:
        """What travels of something written.

        Args:
            node: what is written.
            part: its type.
            what: what it is, for messages: the name of a parameter, and what is inside that.

        Raises:
            ExpressionError: it is no value of the type.
        """
        if isinstance(node, Chain):
            return self._chain(node)
        shape, schema = part.shape, part.schema
        match shape:
            case ir.OptionalShape(item=item):
                is_none = isinstance(node, Constant) and node.value is None
                return None if is_none else self.fit(node, Part(item, schema), what)
            case ir.NewTypeShape(item=item):
                return self.fit(node, Part(item, schema), what)
            case ir.ConstrainedShape(item=item):
                value = self.fit(node, Part(item, schema), what)
                _within(shape, value, node, what)
                return value
            case ir.OpenShape(item=item):
                return self._fit_or_keep(node, Part(item, schema), what)
            case ir.UnionShape(members=members):
                return self._one_of(node, shape, [Part(member, schema) for member in members], what)
            case ir.Scalar(name=name):
                return self._scalar(node, name, shape, what)
            case ir.LiteralShape(values=values):
                return _constant(node, list(values), {}, what)
            case ir.EnumShape(flag=False, members=members):
                return _constant(node, [one.value for one in members], {one.name: one.value for one in members}, what)
            case ir.TextShape() | ir.SturdyRefShape():
                return _text(node, shape, what)
            case ir.EnumShape():
                return self._scalar(node, "int", shape, what)
            case _:
                return self._composed(node, part, what)

    def _composed(self, node: Node, part: Part, what: str) -> object:
        shape, schema = part.shape, part.schema
        match shape, node:
            case ((ir.ListShape(item=item) | ir.CollectionShape(item=item)), Sequence(items=items)):
                return [self.fit(one, Part(item, schema), f"{what}[{index}]") for index, one in enumerate(items)]
            case ir.TupleShape(items=shapes), Sequence(items=items):
                if len(items) != len(shapes):
                    raise ExpressionError(f"{what} has to have {len(shapes)} items, and has {len(items)}", node.span)
                pairs = enumerate(zip(items, shapes, strict=True))
                return [self.fit(one, Part(item, schema), f"{what}[{index}]") for index, (one, item) in pairs]
            case ir.DictShape(key=key, value=item), Mapping(entries=entries):
                return {
                    self._key(name, Part(key, schema), what): self.fit(
                        one, Part(item, schema), f"{what}[{name.value!r}]"
                    )
                    for name, one in entries
                }
            case ir.ModelShape(), _:
                return self._model(node, part, what)
            case ((ir.ListShape() | ir.CollectionShape() | ir.TupleShape() | ir.DictShape()), _):
                raise _wrong(node, shape, what)
            case ((ir.CallableShape() | ir.CallbackShape()), _):
                hint = "write a client for that; docs/gallery.md shows how"
                raise ExpressionError("callbacks cannot be passed on the command line", node.span, hint)
            case ((ir.StreamShape() | ir.WritableShape()), _):
                raise ExpressionError(
                    "streams cannot be passed on the command line", node.span, "write a client for that"
                )
            case ir.StubShape(), _:
                raise _wrong(node, shape, what, "a capability", "pass a call that gives one")
            case _:
                raise _wrong(node, shape, what, hint="pass a call that gives one, or what one was named in a dialogue")

    def _model(self, node: Node, part: Part, what: str) -> object:
        model = self._described.model(part)
        if model is None:
            return plain(node, self._chain)
        home = self._described.home(part)
        if model.form == "root":
            return self.fit(node, Part(model.fields[0].type, home), what)
        if not isinstance(node, Mapping):
            raise _wrong(node, part.shape, what, hint=f"write its fields: {_example(model)}")
        fields = {field.name: field for field in model.fields if not field.computed}
        by_wire = {field.wire: field for field in fields.values()}
        given: dict[str, object] = {}
        for key, value in node.entries:
            field = fields.get(str(key.value)) or by_wire.get(str(key.value))
            if field is not None:
                given[field.wire] = self.fit(value, Part(field.type, home), f"{what}.{field.name}")
            elif model.extra == "allow":
                given[str(key.value)] = plain(value, self._chain)
            else:
                hint = meant(str(key.value), fields) or f"it has {listed(fields)}"
                raise ExpressionError(f"{model.name} has no field {str(key.value)!r}", key.span, hint)
        missing = [field.name for field in fields.values() if field.required and field.wire not in given]
        if missing:
            raise ExpressionError(f"{what} lacks {', '.join(missing)}", node.span, f"write {_example(model)}")
        return given

    def _key(self, node: Constant, part: Part, what: str) -> str:
        """The key of an object; integers are written in digits."""
        try:
            return str(self.fit(node, part, f"a key of {what}"))
        except ExpressionError:
            if isinstance(node.value, str) and node.value.lstrip("-").isdecimal():
                self.fit(Constant(int(node.value), node.span), part, f"a key of {what}")
                return node.value
            raise

    def _one_of(self, node: Node, shape: ir.TypeShape, parts: list[Part], what: str) -> object:
        faults: list[ExpressionError] = []
        for part in parts:
            try:
                return self.fit(node, part, what)
            except ExpressionError as fault:
                faults.append(fault)
        inside = [fault for fault in faults if fault.span != node.span]
        raise inside[0] if len(inside) == 1 else _wrong(node, shape, what)

    def _fit_or_keep(self, node: Node, part: Part, what: str) -> object:
        """What travels of a value of an open type; the server may know more of it than is known here."""
        try:
            return self.fit(node, part, what)
        except ExpressionError:
            return plain(node, self._chain)

    def _scalar(self, node: Node, name: ir.ScalarName, shape: ir.TypeShape, what: str) -> object:
        if name in ("any", "json"):
            return plain(node, self._chain)
        if name in ("request", "response"):
            raise ExpressionError(
                f"a {name} cannot be written on the command line", node.span, "write a client for that"
            )
        if name == "headers" and isinstance(node, Mapping):
            pairs = [
                (str(key.value), str(self._scalar(one, "str", ir.Scalar(name="str"), what)))
                for key, one in node.entries
            ]
            return _checked(lambda: Headers(pairs), node, shape, what, _EXAMPLES[name])
        if not isinstance(node, Constant):
            raise _wrong(node, shape, what, hint=f"write {_EXAMPLES[name]}" if name in _EXAMPLES else "")
        return _checked(lambda: _read(name, node.value), node, shape, what, _EXAMPLES.get(name, ""))


def _read(name: ir.ScalarName, value: bool | int | float | str | bytes | None) -> object:
    """A scalar, as it is to be sent. Raises ValueError, or what means the same, if it is none."""
    match name, value:
        case ("none", None) | ("bool", bool()) | ("str", str()) | ("bytes", bytes()):
            return value
        case "float" | "timedelta", int() | float() if not isinstance(value, bool):
            return value
        case "int", int() | float() if not isinstance(value, bool) and value == int(value):
            return int(value)
        case "bytearray", bytes():
            return bytearray(value)
        case "blob", bytes():
            return Blob(value)
        case "url", str():
            return Url(value)
        case "uuid", str() if len(value) == 36:
            return str(uuid.UUID(value))
        case "decimal", str():
            Decimal(value)
            return value
        case "decimal", int() if not isinstance(value, bool):
            return str(value)
        case (("datetime" | "exact_datetime" | "local_datetime" | "date" | "time"), str()):
            return _moment(name, value)
        case _:
            raise ValueError(name)


def _moment(name: ir.ScalarName, text: str) -> object:
    if name == "date":
        return date.fromisoformat(text).isoformat()
    if name == "time":
        return time.fromisoformat(text).isoformat()
    read = datetime.fromisoformat(text)
    if (read.utcoffset() is None) != (name == "local_datetime"):
        raise ValueError("the time zone is missing, or one too many")
    return read if name == "datetime" else read.isoformat()


def _checked(read: Callable[[], object], node: Node, shape: ir.TypeShape, what: str, example: str) -> object:
    try:
        return read()
    except (ValueError, OverflowError, InvalidOperation):
        raise _wrong(node, shape, what, hint=f"write {example}" if example else "") from None


def _text(node: Node, shape: ir.TypeShape, what: str) -> str:
    if isinstance(node, Constant) and isinstance(node.value, str):
        return node.value
    raise _wrong(node, shape, what, hint="write it as a string")


def _constant(node: Node, values: list[ir.LiteralValue], names: dict[str, ir.LiteralValue], what: str) -> object:
    """One of a few constants; members of an enum may be given by their names, too."""
    if isinstance(node, Constant):
        for value in values:
            if type(value) is type(node.value) and value == node.value:
                return value
        if isinstance(node.value, str) and node.value in names:
            return names[node.value]
    written = node.value if isinstance(node, Constant) and isinstance(node.value, str) else ""
    hint = meant(written, [str(value) for value in values])
    raise ExpressionError(f"{what} has to be one of {', '.join(map(repr, values))}", node.span, hint)


def _within(shape: ir.ConstrainedShape, value: object, node: Node, what: str) -> None:
    """Refuses what is out of bounds; what is no number and has no length is left to the server."""
    said: list[tuple[bool, str]] = []
    if isinstance(value, int | float) and not isinstance(value, bool):
        said = [
            (shape.ge is not None and not value >= shape.ge, f"at least {shape.ge}"),
            (shape.gt is not None and not value > shape.gt, f"greater than {shape.gt}"),
            (shape.le is not None and not value <= shape.le, f"at most {shape.le}"),
            (shape.lt is not None and not value < shape.lt, f"less than {shape.lt}"),
        ]
    elif isinstance(value, str | bytes | list | dict):
        length = len(value)  # pyright: ignore[reportUnknownArgumentType]  # of whatever is in it
        said = [
            (shape.min_length is not None and length < shape.min_length, f"of length {shape.min_length} or more"),
            (shape.max_length is not None and length > shape.max_length, f"of length {shape.max_length} or less"),
        ]
    for wrong, bound in said:
        if wrong:
            raise ExpressionError(f"{what} has to be {bound}", node.span)


def _wrong(node: Node, shape: ir.TypeShape, what: str, expected: str = "", hint: str = "") -> ExpressionError:
    return ExpressionError(f"{what} has to be {expected or type_text(shape)}, and is {_kind(node)}", node.span, hint)


def _kind(node: Node) -> str:
    match node:
        case Constant(value=None):
            return "None"
        case Constant(value=value):
            return f"{type(value).__name__} {value!r}" if len(repr(value)) <= 40 else type(value).__name__
        case Sequence():
            return "a list"
        case Mapping():
            return "a dict"
        case Chain():
            return "a call"


def _example(model: ir.Model) -> str:
    fields = [field for field in model.fields if field.required and not field.computed]
    return "{" + ", ".join(f"{field.name!r}: {type_text(field.type)}" for field in fields) + "}"


def listed(names: Iterable[str]) -> str:
    """Names for a hint, of which there may be many."""
    known = list(names)
    more = f" and {len(known) - _MANY} more" if len(known) > _MANY else ""
    return ", ".join(known[:_MANY]) + more


def meant(written: str, names: Iterable[str]) -> str:
    """A hint for a name that is nearly one of some names; empty if there is none."""
    close = get_close_matches(written, list(names), 1)
    return f"did you mean {close[0]}?" if close else ""
