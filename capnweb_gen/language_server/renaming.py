"""Giving a method, a property or a parameter of a schema another name: what has to be written where by hand.

Rule: what peers call it does not change. Where a name on the wire follows from the name in Python, it is written down
beside it. What is generated is generated again, and is no concern of this module; neither is code that calls stubs,
which type checkers know how to find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen import ir, naming
from capnweb_gen.frontends.python.source import AttributeSource, Expression, FunctionSource, ModuleSource
from capnweb_gen.language_server.family import Declaration, family
from capnweb_gen.language_server.implementations import Implementation
from capnweb_gen.language_server.marking import marked
from capnweb_gen.language_server.reading import Reading, Spot
from capnweb_gen.language_server.text import Edit, Span, Text

Edits = dict[Path, list[Edit]]


class RefusedError(Exception):
    """Something cannot be renamed; the text says why, and what to do instead."""


@dataclass(frozen=True)
class Renamed:
    """What is to get another name: all declarations of it, and the interfaces that have it."""

    old: str
    parameter: str | None
    declarations: tuple[Declaration, ...]
    having: tuple[tuple[ir.Schema, ir.Interface], ...]

    @property
    def what(self) -> str:
        """What it is called at present."""
        return self.parameter or self.old

    @property
    def targets(self) -> frozenset[str]:
        """The names of the classes that implementations of it derive from."""
        return frozenset(f"{interface.name}Target" for _, interface in self.having)


def find_renamed(spot: Spot, schema: ir.Schema, reading: Reading) -> Renamed | None:
    """What is meant by a place in a schema; None if it is nothing that can be renamed here.

    Raises:
        RefusedError: it must keep its name.
    """
    if spot.owner is None or spot.member is None:
        return None
    for interface, home in reading.interfaces(spot.owner, schema):
        if any(one.name == spot.member for one in interface.members):
            declarations, having = family(interface, home, spot.member, reading.schemas)
            renamed = Renamed(spot.member, spot.parameter, tuple(declarations), tuple(having))
            if spot.parameter is not None:
                _refuse_keyword(renamed, spot.parameter)
            return renamed
    return None


def _refuse_keyword(renamed: Renamed, parameter: str) -> None:
    for one in renamed.declarations:
        for found in one.member.parameters if isinstance(one.member, ir.Method) else ():
            if found.name == parameter and found.passing == "keyword":
                raise RefusedError(
                    f"{parameter} is passed by keyword, so that its name is on the wire as {found.wire!r}: renaming it "
                    "would break peers. Add a parameter, and keep this one until nobody passes it"
                )


def in_schemas(
    renamed: Renamed,
    new: str,
    texts: dict[Path, Text],
    sources: dict[Path, ModuleSource],
    reading: Reading,
    *,
    keep: bool,
) -> Edits:
    """What to write in schemas.

    Args:
        renamed: what is renamed.
        new: its new name.
        texts: the schemas.
        sources: what stands in them.
        reading: what was read of them.
        keep: whether the name on the wire stays.

    Raises:
        RefusedError: something stands in the way.
    """
    found: dict[Path, set[Edit]] = {}
    for one in renamed.declarations:
        there = reading.declared(one.member.position, one.member.name, one.schema, one.interface.path)
        if there is None or there.path not in texts:
            raise RefusedError(f"{one.interface.name} is declared in a file that cannot be read")
        edits, text = found.setdefault(there.path, set()), texts[there.path]
        if renamed.parameter is not None:
            edits |= _parameter(one, renamed.parameter, new)
            continue
        edits.add(Edit(there.span, new))
        if keep:
            edits |= _kept(one, text, sources[there.path])
    return {path: sorted(edits) for path, edits in found.items()}


def _parameter(declaration: Declaration, old: str, new: str) -> set[Edit]:
    member = declaration.member
    parameters = member.parameters if isinstance(member, ir.Method) else ()
    if any(one.name == new for one in parameters):
        raise RefusedError(f"{declaration.interface.name}.{member.name}() has a parameter {new} already")
    places = [one.position for one in parameters if one.name == old]
    return {Edit(Span.of(place.line, place.column, len(old)), new) for place in places}


def _kept(declaration: Declaration, text: Text, source: ModuleSource) -> set[Edit]:
    """What keeps the name on the wire: nothing, if that is written down already."""
    entry = entry_of(declaration.member.position, source)
    if entry is None or is_marked(entry):
        return set()
    return marked(entry, declaration.member.wire, text, source)


def entry_of(position: ir.Position, source: ModuleSource) -> FunctionSource | AttributeSource | None:
    """What stands at a place in the body of a class."""
    for declared in (*source.classes.values(), *(one for several in source.alternatives.values() for one in several)):
        for entry in declared.body:
            if entry.position == position and isinstance(entry, FunctionSource | AttributeSource):
                return entry
    return None


def is_marked(entry: FunctionSource | AttributeSource) -> bool:
    """Whether a member has its name on the wire written beside it."""
    if isinstance(entry, FunctionSource):
        return any(one.function.rpartition(".")[2] == "wire_name" for one in entry.decorators)
    written: Expression | None = entry.annotation
    return written is not None and "wire_name(" in written.text


def in_implementations(renamed: Renamed, new: str, found: Sequence[Implementation]) -> Edits:
    """What to write in classes that implement the interfaces.

    Raises:
        RefusedError: the new name means something else there.
    """
    edits: dict[Path, set[Edit]] = {}
    for one in found:
        for method in (method for method in one.methods if method.name == renamed.old):
            mine = edits.setdefault(one.path, set())
            if renamed.parameter is None:
                mine.add(Edit(method.span, new))
                continue
            spans = method.parameters.get(renamed.parameter, ())
            if spans and new in method.names:
                raise RefusedError(
                    f"{one.name}.{method.name}() in {one.path.name} uses the name {new} for something else"
                )
            mine |= {Edit(span, new) for span in spans}
    return {path: sorted(mine) for path, mine in edits.items() if mine}


def check_name(new: str) -> None:
    """Refuse what is no name.

    Raises:
        RefusedError: it says so.
    """
    if not naming.is_name(new):
        raise RefusedError(f"{new!r} is not a name that Python takes; {naming.as_name(new)!r} would be one")
