"""The names of a user's file: what each of them stands for there, and what something that is to be written into it is
called.

Rule: a name keeps the meaning that it has in the file. What is not imported yet is imported under its own name if that
is free, or else with an underscore.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst
from typing_extensions import override

from capnweb_gen.backends.scaffold.skeleton import Imports, Method, Skeleton

Origin = tuple[str, str]  # (module, name); ("", module) for a module itself


@dataclass(frozen=True)
class Base:
    """A base of a class.

    Attributes:
        text: as it is written, without type arguments.
        module: where it comes from; None if the file does not say.
        name: what it is called there.
    """

    text: str
    module: str | None
    name: str


@dataclass(frozen=True)
class Spelled:
    """The text of a method for one file, and what is imported there besides: local names by origin."""

    text: str
    imports: dict[Origin, str]


class Names:
    """The names at the top level of one file.

    Args:
        module: the file.
    """

    def __init__(self, module: cst.Module) -> None:
        self._origins: dict[str, Origin | None] = {}  # None: it is the file's own
        for name, origin in _bindings(module):
            known = self._origins.get(name, origin)
            self._origins[name] = origin if known == origin else None
        self._origins.update({name: self._origin(value) for name, value in _renamings(module) if self._origin(value)})
        at_once = (statement for statement in module.body if isinstance(statement, cst.SimpleStatementLine))
        self._imported = {name for statement in at_once for name, origin in _bindings(statement) if origin}
        self._added: dict[Origin, str] = {}
        self._reserved: set[str] = set()

    @property
    def added(self) -> Imports:
        """What has to be imported for the names that were asked for, as import statements write it."""
        return frozenset(
            (module, name if name == local else f"{name} as {local}") for (module, name), local in self._added.items()
        )

    def is_bound(self, name: str) -> bool:
        """Whether the file has something of this name."""
        return name in self._origins

    def reserve(self, name: str) -> str:
        """A name for something of its own that is added to the file: this one, if it is free."""
        free = self._free(name, self._added)
        self._reserved.add(free)
        return free

    def bases(self, node: cst.ClassDef) -> list[Base]:
        """The bases of a class."""
        found: list[Base] = []
        for base in node.bases:
            text = code(base.value.value if isinstance(base.value, cst.Subscript) else base.value)
            module, name = self._origin(text) or (None, text.rpartition(".")[2])
            found.append(Base(text, module, name))
        return found

    def target(self, skeleton: Skeleton) -> str:
        """What the class that a skeleton derives from is called in this file; it is imported if it was not."""
        return self._local(skeleton.module, skeleton.target, self._added)

    def method(self, method: Method) -> Spelled:
        """A method with its types as they are called in this file. What that needs is imported once it is used."""
        renamed: dict[str, str] = {}
        added = dict(self._added)
        for module, written in sorted(method.imports):
            name, local = written.rpartition(" as ")[2], self._local(module, written, added)
            if local != name:
                renamed[name] = local
        text = cst.parse_module(method.text).visit(_Renaming(renamed)).code if renamed else method.text
        return Spelled(text, added)

    def use(self, spelled: Spelled) -> str:
        """Import what a method needs, and give its text."""
        self._added.update(spelled.imports)
        return spelled.text

    def _local(self, module: str, written: str, added: dict[Origin, str]) -> str:
        """What something is called in this file; what has to be imported for it goes into `added`.

        Args:
            module: where it comes from.
            written: its name, or `name as other` where that name would mean something else inside a class.
            added: what is imported besides.
        """
        name, _, other = written.partition(" as ")
        for local, origin in self._origins.items():
            if origin and local in self._imported and not (other and local == name) and _same(origin, (module, name)):
                return local
        if (module, name) not in added:
            wanted = other or name
            again = self._origins.get(wanted)  # what only type checkers import is imported once more
            is_that = again is not None and _same(again, (module, name))
            added[module, name] = wanted if is_that else self._free(wanted, added)
        return added[module, name]

    def _origin(self, text: str) -> Origin | None:
        """What a dotted name stands for, if the file imports it."""
        first, _, rest = text.partition(".")
        origin = self._origins.get(first)
        if origin is None or not rest:
            return origin
        module, _, name = ".".join(part for part in (*origin, rest) if part).rpartition(".")
        return module, name

    def _free(self, name: str, added: Mapping[Origin, str]) -> str:
        taken = {*self._origins, *added.values(), *self._reserved}
        while name in taken:
            name += "_"
        return name


class _Renaming(cst.CSTTransformer):
    """Gives the types in the signature of a method other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names

    @override
    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self._names.get(original_node.value, original_node.value))

    @override
    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        return updated_node.with_changes(name=original_node.name)

    @override
    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    @override
    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        return updated_node.with_changes(name=original_node.name, body=original_node.body)


def bound(statement: cst.CSTNode) -> Iterator[str]:
    """The names that a statement gives to something, wherever in it that happens."""
    yield from (name for name, _ in _bindings(statement))


def code(node: cst.CSTNode) -> str:
    """The text of a node."""
    return cst.Module([]).code_for_node(node)


def _bindings(node: cst.CSTNode) -> Iterator[tuple[str, Origin | None]]:
    match node:
        case cst.FunctionDef(name=cst.Name(value=name)) | cst.ClassDef(name=cst.Name(value=name)):
            yield name, None
        case cst.Import() | cst.ImportFrom():
            yield from _imports(node)
        case cst.Assign(targets=targets):
            yield from ((name, None) for target in targets for name in _assigned(target.target))
        case cst.AnnAssign(target=target) | cst.For(target=target):
            yield from ((name, None) for name in _assigned(target))
            yield from _inside(node)
        case cst.AsName(name=target):
            yield from ((name, None) for name in _assigned(target))
        case cst.BaseExpression():
            return
        case _:
            yield from _inside(node)


def _renamings(module: cst.Module) -> Iterator[tuple[str, str]]:
    """Assignments such as `Base = api.ApiTarget`: the name, and what it is given to."""
    for statement in module.body:
        match statement:
            case cst.SimpleStatementLine(
                body=[cst.Assign(targets=[target], value=(cst.Name() | cst.Attribute()) as value)]
            ):
                yield from ((name, code(value)) for name in _assigned(target.target))
            case _:
                pass


def _inside(node: cst.CSTNode) -> Iterator[tuple[str, Origin | None]]:
    yield from (found for child in node.children for found in _bindings(child))


def _imports(node: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, Origin | None]]:
    """What an import statement gives names to. The dots of a relative one are left out."""
    (statement,) = ast.parse(code(node)).body
    match statement:
        case ast.Import(names=aliases):
            for alias in aliases:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, ("", whole)
        case ast.ImportFrom(module=module, names=aliases):
            for alias in aliases:
                if alias.name != "*":
                    yield alias.asname or alias.name, (module or "", alias.name)
        case _:
            return


def _assigned(target: cst.CSTNode) -> Iterator[str]:
    match target:
        case cst.Name(value=name):
            yield name
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from _assigned(element.value)
        case _:
            return


def _same(written: Origin, meant: Origin) -> bool:
    """Whether an import of the file is of what is meant; a relative one says only the end of the module's name."""
    (module, name), (wanted, wanted_name) = written, meant
    return name == wanted_name and (module == wanted or (bool(module) and wanted.endswith(f".{module}")))


def comes_from(base: Base, skeleton: Skeleton, others: frozenset[str]) -> bool:
    """Whether a base is the class that a skeleton derives from. `others` are modules that have such classes too."""
    if base.name != skeleton.target:
        return False
    if base.module is None or _same((base.module, base.name), (skeleton.module, skeleton.target)):
        return True
    return base.module not in others  # it may be imported through another module
