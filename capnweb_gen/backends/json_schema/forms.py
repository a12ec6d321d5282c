"""Types as schemas of JSON: what a value of each is on the wire.

Rule: a schema admits whatever generated code sends, and of other values as few as it can. What JSON Schema cannot say
stands beside it under a keyword of our own, which begins with `x-capnweb-`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from capnweb_gen import ir
from capnweb_gen.backends.json_schema.limits import limited

Json = dict[str, Any]

MAX_SAFE_INTEGER = 2**53 - 1
CAPABILITY: Json = {
    "type": "array",
    "prefixItems": [{"enum": ["export", "import", "promise", "pipeline"]}, {"type": "integer"}],
    "minItems": 2,
}
_SHARED: frozenset[ir.ScalarName] = frozenset(
    {"int", "float", "bytes", "bytearray", "datetime", "json", "blob", "url", "headers", "request", "response"}
)
"""Scalars whose form takes more than a line, so that documents define them once."""
NUMBER_AS_KEY = "^(0|-?[1-9][0-9]*)$"
_NOT_FINITE = ("nan", "inf", "-inf")
_DATE = r"^\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?"
_ZONE = r"(Z|[+-]\d\d:\d\d)"
_KNOWN_FORMATS = frozenset({"email", "ipv4", "ipv6", "uri"})
"""Those of the formats of a text that JSON Schema has, and that mean the same there."""


class Names(Protocol):
    """Refers to what is declared; see `definitions.Definitions`."""

    def of(self, shape: ir.TypeShape, namer: ir.Schema | None = None) -> Json: ...
    def model(self, reference: ir.Reference, namer: ir.Schema) -> Json: ...
    def new_type(self, shape: ir.NewTypeShape, namer: ir.Schema) -> Json: ...
    def enum(self, shape: ir.EnumShape) -> Json: ...
    def interface(self, reference: ir.Reference) -> str: ...
    def callback(self, reference: ir.Reference, namer: ir.Schema) -> Json: ...
    def scalar(self, name: ir.ScalarName) -> Json: ...


class Forms:
    """The schemas of the types that one schema names."""

    def __init__(self, names: Names, namer: ir.Schema) -> None:
        self._names = names
        self._namer = namer

    def of(self, shape: ir.TypeShape) -> Json:
        """What a value of a type is on the wire."""
        match shape:
            case ir.Scalar(name=name):
                return self._names.scalar(name) if name in _SHARED else scalar(name)
            case ir.LiteralShape(values=values):
                return {"enum": list(values)}
            case ir.EnumShape(partial=True):
                return constants(shape)
            case ir.EnumShape():
                return self._names.enum(shape)
            case ir.TextShape(format=form):
                return {"type": "string", **({"format": form} if form in _KNOWN_FORMATS else {})}
            case ir.SturdyRefShape(interface=reference):
                return {"type": "string", "minLength": 1, "x-capnweb-sturdy-ref": self._names.interface(reference)}
            case ir.NewTypeShape():
                return self._names.new_type(shape, self._namer)
            case ir.ConstrainedShape():
                return limited(shape, self.of, scalar)
            case ir.ModelShape(model=reference):
                return self._names.model(reference, self._namer)
            case _:
                return self._container(shape) or self._capability(shape)

    def _container(self, shape: ir.TypeShape) -> Json:
        match shape:
            case ir.ListShape(item=item) | ir.CollectionShape(item=item):
                return array({"items": self.of(item)})
            case ir.TupleShape(items=items):
                number = len(items)
                parts = [self.of(item) for item in items]
                return array({"prefixItems": parts, "minItems": number, "maxItems": number})
            case ir.DictShape(key=key, value=value):
                names = self._key(key)
                return {
                    "type": "object",
                    "additionalProperties": self.of(value),
                    **({"propertyNames": names} if names != {"type": "string"} else {}),
                }
            case ir.OptionalShape(item=item):
                return one_of([self.of(item), {"type": "null"}])
            case ir.UnionShape(members=members):
                return one_of(map(self.of, members))
            case _:
                return {}

    def _capability(self, shape: ir.TypeShape) -> Json:
        match shape:
            case ir.InterfaceShape(interface=reference):
                return {**CAPABILITY, "x-capnweb-interface": self._names.interface(reference)}
            case ir.CallableShape(parameters=parameters, result=result):
                taken = [{"schema": self.of(parameter)} for parameter in parameters]
                return {**CAPABILITY, "x-capnweb-function": {"parameters": taken, "result": self.of(result)}}
            case ir.CallbackShape(callback=reference):
                return self._names.callback(reference, self._namer)
            case ir.StreamShape(item=item):
                return {**_marked("readable", {"type": "integer"}), "x-capnweb-stream": self.of(item)}
            case ir.WritableShape(item=item):
                return {**_marked("writable", {"type": "integer"}), "x-capnweb-stream": self.of(item)}
            case _:  # a stub, of which nothing is said
                return {**CAPABILITY, "x-capnweb-stub": True}

    def _key(self, shape: ir.TypeShape) -> Json:
        """What a key of this type is, which JSON has as a string."""
        match shape:
            case ir.NewTypeShape(item=item):
                return self._key(item)
            case ir.ConstrainedShape(item=item) if self._key(item) == {"pattern": NUMBER_AS_KEY}:
                return self._key(item)
            case ir.Scalar(name="int"):
                return {"pattern": NUMBER_AS_KEY}
            case ir.LiteralShape(values=values):
                return {"enum": [str(value) for value in values]}
            case ir.EnumShape(flag=True):
                return {"pattern": NUMBER_AS_KEY}
            case ir.EnumShape(members=members):
                return {"enum": list(dict.fromkeys(str(member.value) for member in members))}
            case _:
                return self.of(shape)


def one_of(schemas: Iterable[Json]) -> Json:
    """Any of several schemas; `null` once, and what is already a choice as part of this one."""
    found: list[Json] = []
    for schema in schemas:
        parts = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
        found.extend(part for part in parts if part not in found)
    return {"anyOf": found} if len(found) > 1 else found[0]


def array(inner: Json) -> Json:
    """An array, which the wire has inside another one: one by itself begins with the name of what it stands for."""
    return {"type": "array", "prefixItems": [{"type": "array", **inner}], "minItems": 1, "maxItems": 1}


def constants(shape: ir.EnumShape) -> Json:
    """The values of an enum, or what the numbers of a flag may come to."""
    if shape.flag:
        return integer(minimum=0)
    return {"enum": [constant(member.value) for member in shape.members]}


def constant(value: ir.LiteralValue) -> Any:
    """A constant as it is sent: an integer that no double holds is a bigint."""
    is_big = isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_SAFE_INTEGER
    return ["bigint", str(value)] if is_big else value


def integer(minimum: int | None = None) -> Json:
    """An integer: a number where a double holds it, and else a bigint."""
    bounds = {"minimum": -MAX_SAFE_INTEGER if minimum is None else minimum, "maximum": MAX_SAFE_INTEGER}
    digits = {"type": "string", "pattern": "^-?[0-9]+$" if minimum is None else "^[0-9]+$"}
    return one_of([{"type": "integer", **bounds}, _marked("bigint", digits)])


def any_json(itself: Json) -> Json:
    """Any value of JSON, given what refers to this."""
    plain: list[Json] = [{"type": ["null", "boolean", "number", "string"]}]
    return {
        "title": "JSON",
        "description": "Any value of JSON.",
        **one_of(
            [
                *plain,
                _marked("bigint", {"type": "string", "pattern": "^-?[0-9]+$"}),
                array({"items": itself}),
                {"type": "object", "additionalProperties": itself},
            ]
        ),
    }


def _marked(marker: str, *parts: Json) -> Json:
    """`[marker, part, ...]`."""
    every: list[Json] = [{"const": marker}, *parts]
    return {"type": "array", "prefixItems": every, "minItems": len(every), "maxItems": len(every)}


def _number() -> Json:
    return one_of([{"type": "number"}, *({"const": [name]} for name in _NOT_FINITE)])


def _bytes(*container: str) -> Json:
    """Base64 without padding, and after it the container if that is not a Uint8Array."""
    return _marked("bytes", {"type": "string", "contentEncoding": "base64"}, *({"const": name} for name in container))


def _text(**said: Any) -> Callable[[], Json]:
    return lambda: {"type": "string", **said}


def _pairs() -> Json:
    pair = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
    return {"type": "array", "items": pair}


def _body() -> Json:
    """Of a request or response."""
    return one_of([{"type": ["null", "string"]}, _bytes(), _marked("readable", {"type": "integer"})])


def _request() -> Json:
    init = {"type": "object", "properties": {"method": {"type": "string"}, "headers": _pairs(), "body": _body()}}
    return _marked("request", {"type": "string"}, init)


def _response() -> Json:
    properties = {"status": {"type": "integer"}, "statusText": {"type": "string"}, "headers": _pairs()}
    return _marked("response", _body(), {"type": "object", "properties": properties})


def scalar(name: ir.ScalarName) -> Json:
    """What a value without parts is."""
    return _SCALARS[name]()


_SCALARS: dict[ir.ScalarName, Callable[[], Json]] = {
    "none": lambda: {"type": "null"},
    "bool": lambda: {"type": "boolean"},
    "int": integer,
    "float": _number,
    "str": _text(),
    "bytes": _bytes,
    "bytearray": lambda: _bytes("ArrayBuffer"),
    "datetime": lambda: _marked("date", {"type": "number", "description": "Milliseconds since 1970 in UTC."}),
    "exact_datetime": _text(pattern=f"{_DATE}T{_CLOCK}{_ZONE}$"),
    "local_datetime": _text(pattern=f"{_DATE}T{_CLOCK}$"),
    "date": _text(pattern=f"{_DATE}$", format="date"),
    "time": _text(pattern=f"^{_CLOCK}{_ZONE}?$"),
    "timedelta": lambda: {"type": "number", "description": "Seconds."},
    "decimal": _text(pattern=r"^([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-?Infinity|NaN)$"),
    "uuid": _text(format="uuid", pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"),
    "blob": lambda: _marked("blob", {"type": "string"}, _marked("readable", {"type": "integer"})),
    "url": lambda: _marked("url", {"type": "string"}),
    "headers": lambda: _marked("headers", _pairs()),
    "request": _request,
    "response": _response,
    "any": lambda: {"description": "Any value that can travel."},
}
