"""Types as readers of a reference know them: as a schema writes them, with a link wherever one names something.

Rule: what is spelled is Markdown: code, and links between it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from capnweb_gen import graph, ir

_SPELLED: dict[ir.ScalarName, str] = {
    "none": "None",
    "exact_datetime": "datetime",
    "local_datetime": "NaiveDatetime",
    "decimal": "Decimal",
    "uuid": "UUID",
    "blob": "Blob",
    "url": "Url",
    "headers": "Headers",
    "request": "Request",
    "response": "Response",
    "json": "JsonValue",
    "any": "Any",
}


class Link(str):
    """The text of a type that is a link. `target` is where it leads."""

    __slots__ = ("target",)

    def __new__(cls, text: str, target: str) -> Link:
        made = super().__new__(cls, text)
        made.target = target
        return made

    target: str


def path_of(schema: ir.Schema) -> str:
    """The path of the page of a schema."""
    return PurePosixPath(schema.output).with_suffix(".md").as_posix()


def code(text: str) -> str:
    """A text as code, whatever it holds."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("\n", " ")


class Types:
    """Spells the types that one schema names, for its page.

    Args:
        schema: the schema.
        peers: all schemas of the run, by module.
    """

    def __init__(self, schema: ir.Schema, peers: graph.Peers) -> None:
        self._schema = schema
        self._peers = peers

    def spell(self, shape: ir.TypeShape) -> str:
        """A type."""
        return joined(self._parts(shape))

    def signature(self, name: str, method: ir.Method) -> str:
        """A method with its parameters and its result."""
        return joined(self._signature(name, method))

    def named(self, name: str, shape: ir.TypeShape) -> str:
        """A property with its type."""
        return joined([f"{name}: ", *self._parts(shape)])

    def plain(self, shape: ir.TypeShape) -> str:
        """A type without links."""
        return code("".join(self._parts(shape)))

    def plain_signature(self, name: str, method: ir.Method) -> str:
        """A method with its parameters and its result, as text without links."""
        return "".join(self._signature(name, method))

    def link(self, reference: ir.Reference) -> str:
        """An interface, model or callback."""
        return joined([self._link(reference)])

    def _signature(self, name: str, method: ir.Method) -> Iterator[str]:
        yield from [f"{name}(", *self._parameters(method.parameters), ") → ", *self._parts(method.result)]

    def _link(self, reference: ir.Reference) -> str:
        home = self._peers.get(reference.module, self._schema)
        named = [*(one.name for one in home.interfaces), *(one.name for one in home.models)]
        if reference.name not in [*named, *(one.name for one in home.callbacks)]:
            return reference.name
        here = path_of(self._schema)
        page = "" if home is self._schema else posixpath.relpath(path_of(home), posixpath.dirname(here) or ".")
        return Link(reference.name, f"{page}#{reference.name}")

    def _parameters(self, parameters: tuple[ir.Parameter, ...]) -> Iterator[str]:
        before: str | None = None
        for number, parameter in enumerate(parameters):
            yield ", " if number else ""
            if parameter.passing == "keyword" and before not in ("keyword", "variadic"):
                yield "*, "
            yield f"{'*' if parameter.passing == 'variadic' else ''}{parameter.name}: "
            yield from self._parts(parameter.type)
            yield default(parameter, " = ")
            before = parameter.passing
            after = parameters[number + 1].passing if number + 1 < len(parameters) else None
            if before == "positional_only" != after:
                yield ", /"

    def _parts(self, shape: ir.TypeShape) -> Iterator[str]:
        match shape:
            case ir.Scalar(name=name):
                yield _SPELLED.get(name, name)
            case ir.LiteralShape(values=values):
                yield " | ".join(map(repr, values))
            case ir.EnumShape(partial=True, members=members):
                yield " | ".join(repr(member.value) for member in members)
            case ir.EnumShape(enum=reference) | ir.NewTypeShape(new_type=reference):
                yield Link(reference.name, f"#{reference.name}")
            case ir.TextShape(type=reference):
                yield reference.name
            case ir.ModelShape(model=reference) | ir.InterfaceShape(interface=reference):
                yield self._link(reference)
            case ir.CallbackShape(callback=reference):
                yield self._link(reference)
            case ir.SturdyRefShape(interface=reference):
                yield from self._around("SturdyRef[", [[self._link(reference)]], "]")
            case ir.ConstrainedShape(item=item):
                yield from self._parts(item)
            case _:
                yield from self._composed(shape)

    def _composed(self, shape: ir.TypeShape) -> Iterator[str]:
        match shape:
            case ir.ListShape(item=item):
                yield from self._around("list[", [self._parts(item)], "]")
            case ir.CollectionShape(container=container, item=item):
                end = ", ...]" if container == "tuple" else "]"
                yield from self._around(f"{container}[", [self._parts(item)], end)
            case ir.DictShape(key=key, value=value):
                yield from self._around("dict[", [self._parts(key), self._parts(value)], "]")
            case ir.TupleShape(items=items):
                yield from self._around("tuple[", map(self._parts, items), "]")
            case ir.UnionShape(members=members):
                yield from self._around("", map(self._parts, members), "", " | ")
            case ir.OptionalShape(item=item):
                yield from [*self._parts(item), " | None"]
            case ir.OpenShape(item=item):
                yield from self._around("Open[", [self._parts(item)], "]")
            case ir.CallableShape(parameters=parameters, result=result):
                yield from self._around("Callable[[", map(self._parts, parameters), "], ")
                yield from [*self._parts(result), "]"]
            case ir.StreamShape(item=item):
                yield from self._around("AsyncIterator[", [self._parts(item)], "]")
            case ir.WritableShape(item=item):
                yield from self._around("Writable[", [self._parts(item)], "]")
            case ir.StubShape():
                yield "Stub"
            case _:
                raise TypeError(f"nothing is known of how a {shape.kind} is spelled")

    def _around(
        self, opening: str, items: Iterable[Iterable[str]], closing: str, separator: str = ", "
    ) -> Iterator[str]:
        yield opening
        for number, item in enumerate(items):
            yield separator if number else ""
            yield from item
        yield closing


def default(parameter: ir.Parameter, before: str) -> str:
    """The default of a parameter, after a text; nothing if it has none."""
    if parameter.default is None:
        return ""
    value = parameter.default.value
    for shape in (shape for shape in ir.walk(parameter.type) if isinstance(shape, ir.EnumShape)):
        for member in shape.members:
            if type(member.value) is type(value) and member.value == value:
                return f"{before}{shape.enum.name}.{member.name}"
    return f"{before}{value.float if isinstance(value, ir.SpecialFloat) else repr(value)}"


def joined(parts: Iterable[str]) -> str:
    """Texts as code, and links between them."""
    done: list[str] = []
    text = ""
    for part in parts:
        if isinstance(part, Link):
            done += [code(text)] if text else []
            done.append(f"[{code(part)}]({part.target})")
            text = ""
        else:
            text += part
    return "".join([*done, *([code(text)] if text else [])])
