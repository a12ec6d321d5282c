"""From places in declaration files to places in the files that tsc has made them of.

Rule: a place is that of the member, or else of the declaration, in which it lies: lines differ, names do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.decisions import Decision
from capnweb_gen.frontends.typescript.statements import read_file
from capnweb_gen.frontends.typescript.syntax import parse
from capnweb_gen.ir import Position

_Key = tuple[str, str | None]


class Places:
    """Translates places.

    Args:
        made: what stands in the declaration files, by what messages call them.
        sources: the files that they were made of.
    """

    def __init__(self, made: Mapping[str, nodes.FileSyntax], sources: Mapping[Path, Path]) -> None:
        self._made = {name: _members(syntax) for name, syntax in made.items()}
        self._sources = {shown(source): source for path, source in sources.items() if path != source}
        self._read: dict[str, dict[_Key, Position]] = {}

    def fault(self, fault: Diagnostic) -> Diagnostic:
        """A fault where its source stands."""
        place = self._of(fault.file, fault.line, fault.column)
        return replace(fault, line=place.line, column=place.column)

    def decision(self, decision: Decision) -> Decision:
        """A decision where its source stands."""
        place = self._of(decision.file, decision.line, decision.column)
        return replace(decision, line=place.line, column=place.column)

    def _of(self, file: str, line: int, column: int) -> Position:
        here = Position(line=line, column=column)
        source = self._sources.get(file)
        if source is None:
            return here
        if file not in self._read:
            self._read[file] = _places(source)
        best: tuple[tuple[int, int], _Key] | None = None
        for key, place in self._made.get(file, {}).items():
            at = (place.line, place.column)
            if at <= (line, column) and (best is None or at >= best[0]) and key in self._read[file]:
                best = at, key
        return self._read[file][best[1]] if best is not None else Position(line=1, column=1)


def _places(path: Path) -> dict[_Key, Position]:
    try:
        source, _ = parse(path.read_bytes(), shown(path), tsx=path.suffix == ".tsx")
    except OSError:
        return {}
    return _members(read_file(source))


def _members(syntax: nodes.FileSyntax) -> dict[_Key, Position]:
    """Where declarations and their members stand."""
    found: dict[_Key, Position] = {}
    for name, declarations in syntax.declarations.items():
        for declaration in declarations:
            found.setdefault((name, None), declaration.position)
            for member in _named(declaration):
                found.setdefault((name, member.name), member.position)
    return found


def _named(declaration: nodes.Declaration) -> Iterator[nodes.Member | nodes.EnumMember]:
    match declaration:
        case nodes.InterfaceDeclaration(members=members) | nodes.EnumDeclaration(members=members):
            yield from members
        case nodes.AliasDeclaration(type=nodes.ObjectType(members=members)):
            yield from members
        case _:
            pass
