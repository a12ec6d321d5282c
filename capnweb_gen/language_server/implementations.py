"""The classes that implement interfaces: those in the project's own files that derive from generated targets.

Rule: files are only read, a bounded number of them; each is taken apart again only when it has changed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import CodeRange, FunctionScope, MetadataWrapper, PositionProvider, ScopeProvider
from typing_extensions import override

from capnweb_gen import naming
from capnweb_gen.backends.scaffold.names import Base, Names
from capnweb_gen.language_server.documents import Documents
from capnweb_gen.language_server.text import Place, Span, Text

MOST_FILES = 5000
LARGEST_FILE = 1_000_000  # bytes

_PASSED_BY = frozenset({"node_modules", "__pycache__", "site-packages", "venv", "build", "dist"})


@dataclass(frozen=True)
class Target:
    """The class that implementations derive from: its name, and the generated module that has it."""

    module: str
    name: str


@dataclass(frozen=True)
class Method:
    """A method of an implementation, and where its name stands. `parameters` are those spans that are about each of its
    parameters, in its signature and its body, `names` all names in it.
    """

    name: str
    span: Span
    parameters: dict[str, tuple[Span, ...]]
    names: frozenset[str]


@dataclass(frozen=True)
class Implementation:
    """A class that implements an interface."""

    path: Path
    name: str
    span: Span
    lines: range
    targets: frozenset[str]  # the names of the classes that it derives from, of those that were asked for
    methods: tuple[Method, ...]


class Implementations:
    """Finds them, in the files below one folder.

    Args:
        folder: the project.
        documents: what is open.
    """

    def __init__(self, folder: Path, documents: Documents) -> None:
        self._folder = folder
        self._documents = documents
        self._parsed: dict[Path, tuple[str, _File]] = {}

    def find(self, targets: Collection[Target], generated: Sequence[Path]) -> list[Implementation]:
        """The classes that derive from some targets.

        Args:
            targets: what they derive from.
            generated: folders of generated modules, which are passed by.
        """
        names = {target.name for target in targets}
        return [one for path in self._files(generated) for one in self.in_file(path, targets, names)]

    def in_file(self, path: Path, targets: Collection[Target], names: Collection[str]) -> list[Implementation]:
        """Those in one file."""
        text = self._documents.text(path)
        if text is None or not any(name in text.text for name in names) or naming.is_generated(text.text):
            return []
        known = self._parsed.get(path)
        if known is None or known[0] != text.text:
            try:
                known = self._parsed[path] = (text.text, _File(path, text))
            except (cst.ParserSyntaxError, RecursionError):  # it is being written
                return []
        return known[1].deriving(targets)

    def _files(self, generated: Sequence[Path]) -> Iterator[Path]:
        count = 0
        for folder, folders, files in os.walk(self._folder):
            inside = Path(folder)
            folders[:] = [
                name
                for name in sorted(folders)
                if not name.startswith(".") and name not in _PASSED_BY and inside / name not in generated
            ]
            for name in sorted(files):
                path = inside / name
                if path.suffix == ".py" and _is_small(path):
                    count += 1
                    yield path
            if count >= MOST_FILES:
                return


def _is_small(path: Path) -> bool:
    try:
        return path.stat().st_size <= LARGEST_FILE
    except OSError:
        return False


class _File:
    """One file, taken apart."""

    def __init__(self, path: Path, text: Text) -> None:
        self._path = path
        wrapper = MetadataWrapper(cst.parse_module(text.text), unsafe_skip_copy=True)
        self._positions = wrapper.resolve(PositionProvider)
        self._scopes = wrapper.resolve(ScopeProvider)
        names = Names(wrapper.module)
        nodes = [node for node in wrapper.module.body if isinstance(node, cst.ClassDef)]
        self._classes = {node.name.value: (node, names.bases(node)) for node in nodes}

    def deriving(self, targets: Collection[Target]) -> list[Implementation]:
        """The classes that derive from some targets, directly or through others of this file."""
        found: list[Implementation] = []
        for name, (node, _) in self._classes.items():
            derived = frozenset(one.name for one in targets if self._derives(name, one, frozenset()))
            if derived:
                where: CodeRange = self._positions[node]
                lines = range(where.start.line, where.end.line + 1)
                methods = tuple(self._methods(node))
                found.append(Implementation(self._path, name, self._span(node.name), lines, derived, methods))
        return found

    def _derives(self, name: str, target: Target, seen: frozenset[str]) -> bool:
        for base in self._classes[name][1]:
            if _is(base, target):
                return True
            inside = base.text in self._classes and base.text not in seen
            if inside and self._derives(base.text, target, seen | {name}):
                return True
        return False

    def _methods(self, node: cst.ClassDef) -> Iterator[Method]:
        for statement in node.body.body:
            if isinstance(statement, cst.FunctionDef):
                scope = self._scopes.get(statement.body)
                parameters: dict[str, tuple[Span, ...]] = {}
                names: frozenset[str] = frozenset()
                if isinstance(scope, FunctionScope):
                    written = _Written()
                    statement.visit(written)
                    names = frozenset(written.names)
                    parameters = {one.name.value: self._uses(one, scope) for one in _parameters(statement.params)}
                yield Method(statement.name.value, self._span(statement.name), parameters, names)

    def _uses(self, parameter: cst.Param, scope: FunctionScope) -> tuple[Span, ...]:
        nodes: set[cst.CSTNode] = {parameter.name}
        for assignment in scope[parameter.name.value]:
            if assignment.scope is scope:
                nodes |= {access.node for access in assignment.references}
                nodes |= {node for node in [getattr(assignment, "node", None)] if isinstance(node, cst.Name)}
        return tuple(sorted(self._span(node) for node in nodes))

    def _span(self, node: cst.CSTNode) -> Span:
        where: CodeRange = self._positions[node]
        start, end = where.start, where.end
        return Span(Place(start.line, start.column + 1), Place(end.line, end.column + 1))


class _Written(cst.CSTVisitor):
    """Notes every name in a function."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    @override
    def visit_Name(self, node: cst.Name) -> None:
        self.names.add(node.value)


def _parameters(written: cst.Parameters) -> Iterator[cst.Param]:
    yield from (*written.posonly_params, *written.params, *written.kwonly_params)
    for one in (written.star_arg, written.star_kwarg):
        if isinstance(one, cst.Param):
            yield one


def _is(base: Base, target: Target) -> bool:
    """Whether a base is a target; where the file does not say where it comes from, its name decides."""
    if base.name != target.name:
        return False
    module = base.module
    return module is None or module == target.module or not module or target.module.endswith(f".{module}")
