"""What there is to implement: the target classes of generated modules, as methods to fill in.

Rule: types are taken from the generated text, so that a scaffold fits the class that it derives from whatever that
class looks like.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from capnweb_gen import graph, ir
from capnweb_gen.backends.python import layout

Imports = frozenset[tuple[str, str]]  # (module, name)
_RUNTIME = "capnweb_runtime"


@dataclass(frozen=True)
class Method:
    """A method or property to fill in: its source, and what that needs."""

    name: str
    text: str
    imports: Imports


@dataclass(frozen=True)
class Skeleton:
    """A class that implements one interface: it derives from `target`, which the generated `module` has."""

    name: str
    module: str
    target: str
    doc: str | None
    methods: tuple[Method, ...]


def skeletons(schema: ir.Schema, peers: graph.Peers, texts: Mapping[str, str], package: str) -> list[Skeleton]:
    """Classes for all interfaces of one schema, inherited members included.

    Args:
        schema: what to implement.
        peers: all schemas of the run, by module.
        texts: the generated modules, by path relative to the output folder.
        package: the dotted name of the output folder, or nothing if it is no package.
    """
    modules = {peer.module: _Module(_dotted(package, peer.output), texts[peer.output]) for peer in peers.values()}
    own = modules[schema.module]
    made: list[Skeleton] = []
    for interface in schema.interfaces:
        methods: dict[str, Method] = {}
        homes = [(interface, own), *((base, _home(base, peers, modules)) for base in graph.bases(interface, peers))]
        for declared, module in homes:
            for method in module.methods(declared.name):
                methods.setdefault(method.name, method)
        target = f"{interface.name}Target"
        made.append(Skeleton(interface.name, own.name, target, interface.doc, tuple(methods.values())))
    return made


def _dotted(package: str, output: str) -> str:
    module = output.removesuffix(".py").replace("/", ".")
    return f"{package}.{module}" if package else module


def _home(interface: ir.Interface, peers: graph.Peers, modules: Mapping[str, _Module]) -> _Module:
    return next(modules[peer.module] for peer in peers.values() if interface in peer.interfaces)


class _Module:
    """One generated module, and where its names come from."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._classes: dict[str, ast.ClassDef] = {}
        self._origins: dict[str, tuple[str, str]] = {}
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                self._classes[node.name] = node
                self._origins[node.name] = (name, node.name)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    bound = alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"
                    self._origins[alias.asname or alias.name] = (self._absolute(node), bound)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    self._origins[alias.asname or alias.name] = ("", alias.name)

    def methods(self, interface: str) -> Iterator[Method]:
        """What a target of an interface has to define itself."""
        for node in self._classes[f"{interface}Target"].body:
            if isinstance(node, ast.FunctionDef):
                yield self._method(node)

    def _method(self, node: ast.FunctionDef) -> Method:
        is_property = any(ast.unparse(item).endswith("property") for item in node.decorator_list)
        imports: set[tuple[str, str]] = set()
        names = _Names(self._origins, imports)
        result = self._without_awaitable(node.returns or ast.Constant(None))
        doc = ast.get_docstring(node)
        lines = ["@property"] if is_property else []
        head = f"def {node.name}" if is_property else f"async def {node.name}"
        items = list(_items(node.args, names))
        lines += layout.call(head, items, f" -> {names.written(result)}:", indent=layout.STEP).split("\n")
        text = "\n".join([lines[0], *(line.removeprefix(layout.STEP) for line in lines[1:])])
        body = [*([layout.docstring(doc, indent=layout.STEP)] if doc else []), "raise NotImplementedError"]
        text += "".join(f"\n{layout.STEP}{statement}" for statement in body)
        return Method(node.name, f"{text}\n", frozenset(imports))

    def _without_awaitable(self, result: ast.expr) -> ast.expr:
        """`T | Awaitable[T]` → `T`, wherever it stands: what is written with `async def` says what is awaited."""
        for member in _members(result):
            match member:
                case ast.Subscript(value=ast.Name(id=name), slice=inner):
                    if self._origins.get(name, ("", ""))[1].startswith("Awaitable"):
                        return inner
                case _:
                    pass
        return result

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parent = self.name.split(".")[: -node.level]
        return ".".join([*parent, *([node.module] if node.module else [])])


class _Names(ast.NodeTransformer):
    """Writes the types of a generated module for another one, and notes what has to be imported there."""

    def __init__(self, origins: Mapping[str, tuple[str, str]], imports: set[tuple[str, str]]) -> None:
        self._origins = origins
        self._imports = imports

    def written(self, node: ast.expr) -> str:
        """The text of a type or a default."""
        return ast.unparse(cast("ast.expr", self.visit(node)))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """What generated modules take from `rpc`, users import by its name."""
        if isinstance(node.value, ast.Name) and node.value.id == "rpc":
            self._imports.add((_RUNTIME, node.attr))
            return ast.Name(node.attr)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name that is not built in has to be imported."""
        if node.id in self._origins:
            self._imports.add(self._origins[node.id])
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Strings come in double quotes."""
        return ast.Name(layout.string(node.value)) if isinstance(node.value, str) else node


def _members(union: ast.expr) -> Iterator[ast.expr]:
    if isinstance(union, ast.BinOp) and isinstance(union.op, ast.BitOr):
        yield from _members(union.left)
        yield from _members(union.right)
    else:
        yield union


def _items(arguments: ast.arguments, names: _Names) -> Iterator[str]:
    """The parameters as they are written, with the markers between the ways of passing them."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    for index, (argument, default) in enumerate(zip(positional, defaults, strict=True), 1):
        yield _item(argument, default, names)
        if index == len(arguments.posonlyargs):
            yield "/"
    if arguments.vararg:
        yield f"*{_item(arguments.vararg, None, names)}"
    elif arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _item(argument, default, names)


def _item(argument: ast.arg, default: ast.expr | None, names: _Names) -> str:
    annotation = f": {names.written(argument.annotation)}" if argument.annotation else ""
    return f"{argument.arg}{annotation}{f' = {names.written(default)}' if default else ''}"
