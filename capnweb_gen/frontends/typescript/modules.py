"""Which module each file becomes, and what can be told of files before their types are read.

Rule: files that need each other become one module, since Python modules cannot.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

from capnweb_gen import naming
from capnweb_gen.frontends.typescript import nodes
from capnweb_gen.frontends.typescript.files import File, module_stem
from capnweb_gen.frontends.typescript.names import Module
from capnweb_gen.naming import Case

_CAMEL = re.compile(r"[a-z0-9][A-Z]")


class Modules(dict[File, Module]):
    """The module of each file, which is made when it is first asked for.

    Args:
        package: the package that the modules are in; empty if they are in none.
        together: files that become one module, each list in order.
    """

    def __init__(self, package: str, together: Iterable[list[File]] = ()) -> None:
        super().__init__()
        self._package = package
        self._stems: set[str] = set()
        for files in together:
            module = self._make(files)
            for file in files:
                self[file] = module

    def __missing__(self, file: File) -> Module:
        self[file] = self._make([file])
        return self[file]

    def _make(self, files: list[File]) -> Module:
        stem = module_stem(files[0])
        if stem in self._stems:
            stem = naming.as_name(f"{naming.snake(files[0].path.parent.name)}_{stem}")
        while stem in self._stems:
            stem = f"{stem}_2"
        self._stems.add(stem)
        name = f"{self._package}.{stem}" if self._package else stem
        return Module(name, stem, case_of(files))


def case_of(files: Iterable[File]) -> Case:
    """How names in Python are spelled on the wire: in camel case where members are called so, unless one of them could
    not be called what it is then.
    """
    written = [name for file in files for name in _member_names(file)]
    if any("_" in name and naming.is_name(name) and naming.camel(name) != name for name in written):
        return "as-written"
    return "camel" if any(_CAMEL.search(name) for name in written) else "as-written"


def forced(file: File) -> set[str]:
    """The names that stand in RpcStub<...> in a file."""
    return {
        argument.name
        for node in _types(file)
        if isinstance(node, nodes.Named) and node.name.rpartition(".")[2] == "RpcStub"
        for argument in node.arguments
        if isinstance(argument, nodes.Named)
    }


def referenced(file: File) -> set[str]:
    """All names of types that stand in a file."""
    return {node.name for node in _types(file) if isinstance(node, nodes.Named)}


def depends(node: nodes.TypeNode, names: Container[str]) -> bool:
    """Whether a type names one of some type parameters."""
    return any(isinstance(one, nodes.Named) and one.name in names for one in _all([node]))


def _member_names(file: File) -> Iterator[str]:
    for declarations in file.syntax.declarations.values():
        for declaration in declarations:
            if isinstance(declaration, nodes.InterfaceDeclaration):
                yield from (member.name for member in declaration.members if member.name and _is_seen(member))
    for node in _types(file):
        if isinstance(node, nodes.ObjectType):
            yield from (member.name for member in node.members if member.name)


def _is_seen(member: nodes.Member) -> bool:
    """Whether peers see the name of a member. That of an Error is no name on the wire."""
    if member.name == "errorName":
        return False
    return member.access == "public" and not member.static and member.kind != "constructor"


def _types(file: File) -> Iterator[nodes.TypeNode]:
    """Every type in a file, and every type inside it."""
    waiting: list[nodes.TypeNode] = []
    for declarations in file.syntax.declarations.values():
        for declaration in declarations:
            match declaration:
                case nodes.InterfaceDeclaration(bases=bases, members=members):
                    waiting += bases
                    waiting += [one for member in members for one in _in_member(member)]
                case nodes.AliasDeclaration(type=declared):
                    waiting.append(declared)
                case nodes.ConstDeclaration(type=declared) if declared is not None:
                    waiting.append(declared)
                case _:
                    pass
    return _all(waiting)


def _all(types: Iterable[nodes.TypeNode]) -> Iterator[nodes.TypeNode]:
    waiting = list(types)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_inside(node))


def _inside(node: nodes.TypeNode) -> Iterator[nodes.TypeNode]:
    match node:
        case nodes.Named(arguments=parts) | nodes.UnionType(members=parts) | nodes.IntersectionType(members=parts):
            yield from parts
        case nodes.ArrayType(item=item) | nodes.KeyOf(item=item):
            yield item
        case nodes.Indexed(item=item, index=index):
            yield from (item, index)
        case nodes.MappedType(keys=keys, type=declared):
            yield from (keys, declared)
        case nodes.TupleType(items=items):
            yield from (element.type for element in items)
        case nodes.ObjectType(members=members):
            yield from (one for member in members for one in _in_member(member))
        case nodes.FunctionType(signature=signature):
            yield from _in_signature(signature)
        case nodes.Template(parts=parts):
            yield from (part for part in parts if not isinstance(part, str))
        case _:
            pass


def _in_member(member: nodes.Member) -> Iterator[nodes.TypeNode]:
    if member.access != "public" or member.static or member.kind == "constructor":
        return
    yield from (one for one in (member.type, member.key) if one is not None)
    yield from _in_signature(member.signature) if member.signature is not None else ()


def _in_signature(signature: nodes.Signature) -> Iterator[nodes.TypeNode]:
    yield from (parameter.type for parameter in signature.parameters if parameter.type is not None)
    if signature.result is not None:
        yield signature.result
