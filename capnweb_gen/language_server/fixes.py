"""What to write where a hint of the compiler says it in so many words.

Rule: only what needs no decision. A fix is offered where the source is written as usual, and then mends the fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from capnweb_gen import ir
from capnweb_gen.frontends.python.source import AttributeSource, ClassSource, FunctionSource, ModuleSource
from capnweb_gen.language_server.marking import MODULE, importing, marked
from capnweb_gen.language_server.messages import Fault
from capnweb_gen.language_server.text import Edit, Place, Span, Text


@dataclass(frozen=True)
class Fix:
    """What an editor offers: in words, and as edits of the schema."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class _Case:
    """A fault, and the source around it."""

    fault: Fault
    hint: re.Match[str]
    span: Span
    text: Text
    source: ModuleSource

    @property
    def line(self) -> str:
        return self.text.line(self.fault.line)

    @property
    def written(self) -> str:
        return self.line[self.span.start.column - 1 : self.span.end.column - 1]

    def insert(self, column: int, text: str) -> Edit:
        """Something more in the line of the fault."""
        return Edit(Span.of(self.fault.line, column, 0), text)

    def entry(self) -> FunctionSource | AttributeSource | None:
        """The member of a class that stands where the fault is."""
        for declared in _classes(self.source):
            for entry in declared.body:
                if entry.position == ir.Position(line=self.fault.line, column=self.fault.column):
                    return entry if isinstance(entry, FunctionSource | AttributeSource) else None
        return None


def fixes(fault: Fault, span: Span, text: Text, source: ModuleSource) -> list[Fix]:
    """What would mend a fault.

    Args:
        fault: the fault.
        span: where it is shown.
        text: the schema.
        source: what stands in it.
    """
    found: list[Fix] = []
    for pattern, make in _FIXES:
        hint = pattern.match(fault.hint)
        if hint is not None:
            found.extend(fix for fix in make(_Case(fault, hint, span, text, source)) if fix.edits)
    return found


def _classes(source: ModuleSource) -> Iterator[ClassSource]:
    yield from source.classes.values()
    for several in source.alternatives.values():
        yield from several


def _take_self(case: _Case) -> Iterator[Fix]:
    head = re.compile(r"\s*\(\s*(\)?)").match(case.line, case.span.end.column - 1)
    if head is not None:
        text = "self" if head[1] else "self, "
        yield Fix("Take self", (case.insert(head.end() + 1 - len(head[1]), text),))


def _return_none(case: _Case) -> Iterator[Fix]:
    head = re.fullmatch(r"(\s*(?:async\s+)?def\s.*\))(\s*:.*)", case.line)
    if head is not None:
        yield Fix("Return nothing: -> None", (case.insert(len(head[1]) + 1, " -> None"),))


def _plain_def(case: _Case) -> Iterator[Fix]:
    head = re.match(r"(\s*)async\s+(?=def\s)", case.line)
    if head is not None:
        yield Fix(
            "Write def",
            (Edit(Span(Place(case.fault.line, len(head[1]) + 1), Place(case.fault.line, head.end() + 1)), ""),),
        )


def _or_none(case: _Case) -> Iterator[Fix]:
    position = ir.Position(line=case.fault.line, column=case.fault.column)
    for declared in _classes(case.source):
        for entry in (one for one in declared.body if isinstance(one, FunctionSource)):
            for parameter in entry.parameters:
                written, default = parameter.annotation, parameter.default
                if written and default and default.position == position and "\n" not in written.text:
                    at = Span.of(written.position.line, written.position.column + len(written.text), 0)
                    yield Fix("Write | None after the type", (Edit(at, " | None"),))


def _without_decorator(case: _Case) -> Iterator[Fix]:
    if case.line[: case.fault.column - 1].strip() == "@" or case.line.lstrip().startswith("@"):
        line = Span(Place(case.fault.line, 1), Place(case.fault.line + 1, 1))
        yield Fix(f"Leave out {case.line.strip()}", (Edit(line, ""),))


def _as_property(case: _Case) -> Iterator[Fix]:
    entry = case.entry()
    written = entry.annotation if isinstance(entry, AttributeSource) else None
    if isinstance(entry, AttributeSource) and written and case.line.strip() == f"{entry.name}: {written.text}":
        indent = case.line[: case.fault.column - 1]
        method = f"def {entry.name}(self) -> {written.text}: ..."
        line = Span.of(case.fault.line, case.fault.column, len(case.line.strip()))
        yield Fix("Declare a read-only property", (Edit(line, f"@property{case.text.newline}{indent}{method}"),))


def _with_base(case: _Case) -> Iterator[Fix]:
    name, base = case.hint["name"], case.hint["base"]
    head = re.match(rf"\s*class\s+{re.escape(name)}(\s*\(\s*\))?(?=\s*:)", case.line)
    if head is not None:
        module = "typing" if base == "Protocol" else MODULE
        local, imported = importing(case.text, case.source, module, base)
        start = head.end() + 1 - len(head[1] or "")
        edit = Edit(Span.of(case.fault.line, start, len(head[1] or "")), f"({local})")
        yield Fix(f"Declare an interface: class {name}({base})", (edit, *sorted(imported)))


def _list_protocol(case: _Case) -> Iterator[Fix]:
    head = re.match(r"\s*class\s+\w+\s*\([^()]*[^\s,(](?=\s*,?\s*\)\s*:)", case.line)
    if head is not None:
        local, imported = importing(case.text, case.source, "typing", "Protocol")
        yield Fix("List Protocol among its bases", (case.insert(head.end() + 1, f", {local}"), *sorted(imported)))


def _capability(case: _Case) -> Iterator[Fix]:
    inside = case.hint["inside"]
    local, imported = importing(case.text, case.source, MODULE, "Capability")
    if case.written == inside:
        yield Fix(f"Write Capability[{inside}]", (Edit(case.span, f"{local}[{inside}]"), *sorted(imported)))


def _under_another_name(case: _Case) -> Iterator[Fix]:
    entry = case.entry()
    if isinstance(entry, FunctionSource) and case.written == entry.name:
        edits = marked(entry, case.hint["wire"], case.text, case.source)
        renamed = Edit(case.span, case.hint["name"])
        yield Fix(f"Call it {case.hint['name']}, and still {case.hint['wire']} on the wire", (*sorted(edits), renamed))


def _same_wire_name(case: _Case) -> Iterator[Fix]:
    entry = case.entry()
    if entry is not None and "wire_name" not in str(entry):
        edits = marked(entry, case.hint["wire"], case.text, case.source)
        yield Fix(f'Write @wire_name("{case.hint["wire"]}") here too', tuple(sorted(edits)))


_FIXES: tuple[tuple[re.Pattern[str], Callable[[_Case], Iterator[Fix]]], ...] = (
    (re.compile(r"make self the first parameter$"), _take_self),
    (re.compile(r"write -> and the type, or -> None$"), _return_none),
    (re.compile(r"write `def`: a property"), _plain_def),
    (re.compile(r"write \| None after the type$"), _or_none),
    (re.compile(r"leave out idempotent: it is for methods$"), _without_decorator),
    (re.compile(r"decorate the class that implements the interface$"), _without_decorator),
    (re.compile(r"leave @wire_name out"), _without_decorator),
    (re.compile(r"declare a read-only property: @property, "), _as_property),
    (re.compile(r"write class (?P<name>\w+)\((?P<base>Protocol|InterfaceModel)\), or "), _with_base),
    (re.compile(r"list Protocol among its bases, or "), _list_protocol),
    (re.compile(r"write Capability\[(?P<inside>[^\]]+)\], with Capability from "), _capability),
    (re.compile(r'write @wire_name\("(?P<wire>\w+)"\) above `def (?P<name>\w+)`'), _under_another_name),
    (re.compile(r'write @wire_name\("(?P<wire>\w+)"\) here too'), _same_wire_name),
)
