"""Values for examples: one of each type, as Python and TypeScript write it and as it is on the wire.

Rule: the shortest value that is right. A type of which none is known, such as a text with a pattern that is hard to
meet, has no example, and neither has what needs one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from capnweb_gen import graph, ir, naming

_MOMENT = "2024-01-31T12:30:00"
_CAPABILITY = ["export", -1]
_PATTERN_TRIALS = ("a", "A", "1", "ab", "AB", "12", "abc", "ABC", "123", "abcd", "1234", "a1", "A1", "a-b", "ABC-123")


_RESERVED = frozenset(
    {
        *(
            "arguments",
            "await",
            "break",
            "case",
            "catch",
            "class",
            "const",
            "continue",
            "debugger",
            "default",
            "delete",
        ),
        *("do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements"),
        *("import", "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public"),
        *("return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "undefined", "var", "void"),
        *("while", "with", "yield"),
    }
)
"""What no variable can be called in TypeScript."""


@dataclass(frozen=True)
class Sample:
    """A value."""

    python: str
    typescript: str
    wire: Any


def variable(name: str) -> str:
    """The variable of TypeScript for what is called so in Python."""
    written = naming.camel(name)
    return f"{written}_" if written in _RESERVED else written


def _text(value: str, python: str = "{}") -> Sample:
    quoted = json.dumps(value, ensure_ascii=False)
    return Sample(python.format(quoted), quoted, value)


_SCALARS: dict[ir.ScalarName, Sample] = {
    "none": Sample("None", "null", None),
    "bool": Sample("True", "true", True),
    "int": Sample("1", "1", 1),
    "float": Sample("1.5", "1.5", 1.5),
    "str": _text("text"),
    "bytes": Sample('b"data"', 'new TextEncoder().encode("data")', ["bytes", "ZGF0YQ"]),
    "bytearray": Sample(
        'bytearray(b"data")', 'new TextEncoder().encode("data").buffer', ["bytes", "ZGF0YQ", "ArrayBuffer"]
    ),
    "datetime": Sample("datetime(2024, 1, 31, 12, 30, tzinfo=UTC)", f'new Date("{_MOMENT}Z")', ["date", 1706704200000]),
    "exact_datetime": _text(f"{_MOMENT}Z", "datetime(2024, 1, 31, 12, 30, tzinfo=UTC)"),
    "local_datetime": _text(_MOMENT, "datetime(2024, 1, 31, 12, 30)"),
    "date": _text("2024-01-31", "date(2024, 1, 31)"),
    "time": _text("12:30:00", "time(12, 30)"),
    "timedelta": Sample("timedelta(seconds=90)", "90", 90),
    "decimal": _text("19.90", "Decimal({})"),
    "uuid": _text("6f1c2a52-9c8e-4d11-8f0e-0a3b5c7d9e10", "UUID({})"),
    "blob": Sample('Blob(b"data")', 'new Blob(["data"])', ["blob", "", ["readable", 1]]),
    "url": Sample('Url("https://example.org/")', 'new URL("https://example.org/")', ["url", "https://example.org/"]),
    "headers": Sample(
        'Headers({"accept": "text/plain"})',
        'new Headers({ accept: "text/plain" })',
        ["headers", [["accept", "text/plain"]]],
    ),
    "request": Sample(
        'Request("https://example.org/")',
        'new Request("https://example.org/")',
        ["request", "https://example.org/", {}],
    ),
    "response": Sample('Response("text")', 'new Response("text")', ["response", "text", {}]),
    "json": Sample('{"a": 1}', "{ a: 1 }", {"a": 1}),
    "any": _text("text"),
}
_TEXTS = {
    "uri": "https://example.org/",
    "email": "ada@example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "ipv4interface": "192.0.2.1/24",
    "ipv6interface": "2001:db8::1/64",
    "ipv4network": "192.0.2.0/24",
    "ipv6network": "2001:db8::/32",
    "path": "reports/2024.csv",
}


class Samples:
    """Values of the types that one schema names.

    Args:
        namer: the schema.
        peers: all schemas of the run, by module.
    """

    def __init__(self, namer: ir.Schema, peers: graph.Peers) -> None:
        self._namer = namer
        self._peers = peers
        self._within: list[ir.Reference] = []

    def of(self, shape: ir.TypeShape, name: str = "value") -> Sample | None:
        """A value of a type; None if none is known. `name` is what a capability is called."""
        match shape:
            case ir.Scalar(name=scalar):
                return _SCALARS[scalar]
            case ir.LiteralShape(values=(first, *_)):
                return _constant(first, repr(first))
            case ir.EnumShape(enum=enum, members=(first, *_)):
                return _constant(first.value, f"{enum.name}.{first.name}")
            case ir.TextShape(type=cls, format=form):
                known = _TEXTS.get(form)
                written = "{}" if form == "email" else f"{cls.name}({{}})"
                return None if known is None else _text(known, written)
            case ir.SturdyRefShape():
                return _text("token", "SturdyRef({})")
            case ir.NewTypeShape(new_type=new_type, item=item):
                inner = self.of(item, name)
                return inner and Sample(f"{new_type.name}({inner.python})", inner.typescript, inner.wire)
            case ir.ConstrainedShape(item=item):
                return self._constrained(shape, item, name)
            case ir.ModelShape(model=reference):
                return self.model(reference)
            case _:
                return self._composed(shape, name)

    def _composed(self, shape: ir.TypeShape, name: str) -> Sample | None:
        match shape:
            case ir.OptionalShape(item=item):
                return self.of(item, name) or _SCALARS["none"]
            case ir.UnionShape(members=members):
                return next(filter(None, (self.of(member, name) for member in members)), None)
            case ir.ListShape(item=item):
                return _array([self.of(item, name)], "[", "]")
            case ir.CollectionShape(container=container, item=item):
                closing = ",)" if container == "tuple" else "})" if container == "frozenset" else "}"
                opening = {"tuple": "(", "set": "{", "frozenset": "frozenset({"}[container]
                empty = "()" if container == "tuple" else f"{container}()"
                return _array([self.of(item, name)], opening, closing, empty)
            case ir.TupleShape(items=items):
                found = [self.of(item, name) for item in items]
                return None if None in found else _array(found, "(", ",)" if len(found) == 1 else ")")
            case ir.DictShape(key=key, value=value):
                return self._mapping(key, value, name)
            case _:
                marker = {"stream": "readable", "writable": "writable"}.get(shape.kind)
                return Sample(name, variable(name), [marker, 1] if marker else _CAPABILITY)

    def _mapping(self, key: ir.TypeShape, value: ir.TypeShape, name: str) -> Sample:
        spelled, inner = self.of(key, name), self.of(value, name)
        if spelled is None or inner is None:
            return Sample("{}", "{}", {})
        wire: object = spelled.wire
        wire_key = str(cast("list[object]", wire)[1] if isinstance(wire, list) else wire)
        return Sample(
            f"{{{spelled.python}: {inner.python}}}",
            f"{{ {_key(wire_key)}: {inner.typescript} }}",
            {wire_key: inner.wire},
        )

    def model(self, reference: ir.Reference) -> Sample | None:
        """An instance of a model. In code, what may be left out is; on the wire it is there, as it always is."""
        home = self._peers.get(reference.module, self._namer)
        model = graph.find_model(reference, self._namer, self._peers)
        if model is None or reference in self._within:
            return None
        inside = Samples(home, self._peers)
        inside._within = [*self._within, reference]
        found = {field.wire: inside.of(field.type, field.name) for field in model.fields if not field.computed}
        needed = [(field, found[field.wire]) for field in model.fields if field.wire in found and field.required]
        values = [(field, value) for field, value in needed if value is not None]
        if len(values) < len(needed):
            return None
        if model.form == "root":
            (root,) = (value for _, value in values) if values else (found[model.fields[0].wire],)
            return root and Sample(f"{_class(model)}({root.python})", root.typescript, root.wire)
        wire = {name: value.wire for name, value in found.items() if value is not None}
        typescript = ", ".join(f"{_key(field.wire)}: {value.typescript}" for field, value in values)
        return Sample(_made(model, values), f"{{ {typescript} }}" if typescript else "{}", wire)

    def _constrained(self, shape: ir.ConstrainedShape, item: ir.TypeShape, name: str) -> Sample | None:
        inner = item.item if isinstance(item, ir.OptionalShape) else item
        plain, names = inner, list[str]()
        while isinstance(plain, ir.NewTypeShape):
            names.append(plain.new_type.name)
            plain = plain.item
        if isinstance(plain, ir.Scalar) and plain.name in ("int", "float"):
            return _named(_first(_numbers(plain.name, shape), lambda wire: _holds(shape, wire)), names)
        if isinstance(plain, ir.Scalar) and plain.name == "str":
            return _named(_first(_strings(shape), lambda wire: _fits(shape, wire)), names)
        found = self.of(item, name)
        says_more = shape.model_dump(exclude={"kind", "item", "microseconds"}, exclude_none=True)
        return None if says_more else found


def _named(sample: Sample | None, names: list[str]) -> Sample | None:
    """A value as one of NewTypes, the outermost first."""
    if sample is None:
        return None
    python = "".join(f"{name}(" for name in names) + sample.python + ")" * len(names)
    return Sample(python, sample.typescript, sample.wire)


def _made(model: ir.Model, values: list[tuple[ir.ModelField, Sample]]) -> str:
    if model.form == "typed_dict":
        return "{" + ", ".join(f"{json.dumps(field.accepts)}: {value.python}" for field, value in values) + "}"
    arguments = [(field.accepts if naming.is_name(field.accepts) else None, field, value) for field, value in values]
    if all(name for name, _, _ in arguments):
        return f"{_class(model)}({', '.join(f'{name}={value.python}' for name, _, value in arguments)})"
    pairs = ", ".join(f"{json.dumps(field.accepts)}: {value.python}" for field, value in values)
    return f"{_class(model)}(**{{{pairs}}})"


def _class(model: ir.Model) -> str:
    """The class of which an instance is made: of a generic model, the one without type arguments."""
    return model.generic.origin.name if model.generic else model.name


def _array(items: list[Sample | None], opening: str, closing: str, empty: str | None = None) -> Sample:
    there = [item for item in items if item is not None]
    if not there:
        return Sample(empty or opening + closing, "[]", [[]])
    return Sample(
        f"{opening}{', '.join(item.python for item in there)}{closing}",
        f"[{', '.join(item.typescript for item in there)}]",
        [[item.wire for item in there]],
    )


def _constant(value: ir.LiteralValue, python: str) -> Sample:
    big = isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53
    written = f"{value}n" if big else json.dumps(value, ensure_ascii=False)
    return Sample(python, written, ["bigint", str(value)] if big else value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII) else json.dumps(name, ensure_ascii=False)


def _numbers(name: str, shape: ir.ConstrainedShape) -> Iterable[Sample]:
    bounds = [bound for bound in (shape.ge, shape.gt, shape.le, shape.lt, shape.multiple_of) if bound is not None]
    tried = [1, 1.5, 0, *bounds, *(bound + step for bound in bounds for step in (1, -1, 0.5, -0.5))]
    for value in dict.fromkeys(tried):
        if name == "float" or float(value).is_integer():
            number = value if name == "float" else int(value)
            if abs(number) < 2**53:
                yield Sample(str(number), str(number), number)


def _strings(shape: ir.ConstrainedShape) -> Iterable[Sample]:
    least, most = shape.min_length or 0, shape.max_length
    usual = "text" * (least // 4 + 1)
    lengths = [len(usual) if most is None or len(usual) <= most else most, least]
    return map(_text, [*(usual[:length] for length in lengths), *_PATTERN_TRIALS])


def _first(samples: Iterable[Sample], holds: Callable[[Any], bool]) -> Sample | None:
    return next((sample for sample in samples if holds(sample.wire)), None)


def _holds(shape: ir.ConstrainedShape, value: float) -> bool:
    return (
        (shape.ge is None or value >= shape.ge)
        and (shape.gt is None or value > shape.gt)
        and (shape.le is None or value <= shape.le)
        and (shape.lt is None or value < shape.lt)
        and (not shape.multiple_of or value % shape.multiple_of == 0)
    )


def _fits(shape: ir.ConstrainedShape, value: str) -> bool:
    try:
        matches = shape.pattern is None or re.search(shape.pattern, value) is not None
    except re.error:  # in the words of another language
        matches = False
    least, most = shape.min_length or 0, shape.max_length
    return matches and least <= len(value) and (most is None or len(value) <= most)
