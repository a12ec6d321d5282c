"""Annotations as they are written, to what they mean.

Rule: they are evaluated as Python would, but for two things: a generic pydantic model may be given what pydantic cannot
check, such as an interface; and what is in quotes behind a name of another module belongs to that module.
"""

from __future__ import annotations

import ast
import typing
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Annotated, Any, ForwardRef, Literal

from pydantic import PydanticSchemaGenerationError, TypeAdapter
from pydantic_core import SchemaError

from capnweb_gen.frontends.python.aliases import declared, namespace_of, quoted, tied
from capnweb_gen.frontends.python.source import AttributeSource, ClassSource
from capnweb_gen.ir import Position
from capnweb_runtime.schema import BY_REFERENCE

_SUBSCRIPT = "__capnweb_subscript__"
_TIED = "__capnweb_tied_{}__"
_Place = tuple[str, str]  # a module, and a name in it


def evaluate(text: str, namespace: Mapping[str, Any]) -> object:
    """What an annotation means where names mean what `namespace` says.

    Raises:
        Exception: whatever evaluating it raises.
    """
    return _evaluate(text, namespace, frozenset())


def _evaluate(text: str, namespace: Mapping[str, Any], within: frozenset[_Place]) -> object:
    """The same, within the expressions that are assigned to these names."""
    names = _Names(namespace, within)
    tree = ast.fix_missing_locations(names.visit(ast.parse(text.strip(), "<string>", "eval")))
    # The module was just executed; its annotations are as trusted as the rest of it.
    return eval(compile(tree, "<string>", "eval"), {**namespace, **names.tied, _SUBSCRIPT: subscript})


class _Names(ast.NodeTransformer):
    """Turns `Room[UserApi]` into a call of `subscript`, and names of types with quotes in them into tied ones."""

    def __init__(self, namespace: Mapping[str, Any], within: frozenset[_Place]) -> None:
        self.tied: dict[str, object] = {}
        self.texts: list[str] = []  # what is in quotes itself
        self._namespace = namespace
        self._within = within

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """See above."""
        meant = self._meant(node.value)
        if meant is Annotated and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            node.slice.elts[0] = self.visit(node.slice.elts[0])
        elif meant is not Literal:
            self.generic_visit(node)
        function = ast.Name(id=_SUBSCRIPT, ctx=ast.Load())
        return ast.copy_location(ast.Call(func=function, args=[node.value, node.slice], keywords=[]), node)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """See above."""
        self.texts += [node.value] if isinstance(node.value, str) else []
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """See above."""
        return self._known(node, self._namespace.get("__name__"), node.id)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """See above."""
        owner = self._meant(node.value)
        if isinstance(owner, type):
            return self._replaced(node, self._meant(node), owner.__module__)
        return self._known(node, owner.__name__ if isinstance(owner, ModuleType) else None, node.attr)

    def _known(self, node: ast.expr, module: object, name: str) -> ast.expr:
        """A name, in the words of the module that assigns it."""
        meant = self._meant(node)
        if not isinstance(module, str) or not any(quoted(meant)) or (module, name) in self._within:
            return node
        home, expression = declared(module, name, meant)
        if expression is not None and not _calls(expression):  # in it there may be names of a third module
            meant = _evaluate(expression, namespace_of(home), self._within | {(module, name), (home, name)})
        return self._replaced(node, meant, home)

    def _replaced(self, node: ast.expr, meant: object, home: str) -> ast.expr:
        if home != self._namespace.get("__name__"):
            meant = tied(meant, home)
        spelled = _TIED.format(len(self.tied))
        self.tied[spelled] = meant
        return ast.copy_location(ast.Name(id=spelled, ctx=ast.Load()), node)

    def _meant(self, node: ast.expr) -> Any:
        """What a name stands for; None if that is not known without evaluating anything."""
        match node:
            case ast.Name(id=name):
                return self._namespace.get(name)
            case ast.Attribute(value=value, attr=name):
                owner = self._meant(value)
                return getattr(owner, name, None) if isinstance(owner, ModuleType | type) else None
            case _:
                return None


def _calls(expression: str) -> bool:
    """Whether evaluating an expression once more might give something else."""
    return any(isinstance(node, ast.Call) for node in ast.walk(ast.parse(expression, mode="eval")))


def misread(source: ClassSource | None, namespace: Mapping[str, Any]) -> Iterator[tuple[Position, str, str]]:
    """The fields of a class whose types Python and pydantic would take for others than those that are written.

    They look for what is in quotes in the module of the class, although it may stand behind a name of another module.

    Args:
        source: the class as it is written, if that is known.
        namespace: what names mean in its module.

    Returns:
        Of each such field, where its type stands, what is wrong, and a hint.
    """
    for entry in source.body if source else ():
        if isinstance(entry, AttributeSource) and entry.annotation is not None:
            for module, text in _foreign(entry.annotation.text, namespace):
                if _meaning(text, namespace_of(module)) != _meaning(text, namespace):
                    written = entry.annotation.text
                    message = f"`{written}` has {text!r} in quotes, which is another type in {module} than here"
                    yield entry.annotation.position, message, "write that without quotes, or the whole type here"


def _foreign(text: str, namespace: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is in quotes in a type and belongs to another module, which comes first."""
    names = _Names(namespace, frozenset())
    try:
        names.visit(ast.parse(text.strip(), "<string>", "eval"))
    except Exception:  # which is told when the class is read
        return
    for inner in names.texts:
        yield from _foreign(inner, namespace)
    for name in (name for meant in names.tied.values() for name in quoted(meant)):
        module = name.__forward_module__ if isinstance(name, ForwardRef) else None
        if isinstance(name, ForwardRef) and module is not None and module != namespace.get("__name__"):
            yield module, name.__forward_arg__


def _meaning(text: str, namespace: Mapping[str, Any]) -> object:
    """What an annotation means; None if it means nothing, which is told elsewhere."""
    try:
        return evaluate(text, namespace)
    except Exception:
        return None


def subscript(generic: Any, arguments: Any) -> object:
    """A generic with type arguments, of which a pydantic model may be given what pydantic cannot check.

    Raises:
        Exception: whatever giving them raises.
    """
    try:
        return generic[arguments]
    except (PydanticSchemaGenerationError, SchemaError):
        several = typing.cast("tuple[object, ...]", arguments if isinstance(arguments, tuple) else (arguments,))
        return generic[tuple(map(_marked, several))]


def _marked(argument: Any) -> Any:
    """A type argument; one that pydantic cannot check, with the word that it need not."""
    try:
        TypeAdapter(argument)
    except PydanticSchemaGenerationError:
        marked: Any = Annotated
        return marked[argument, BY_REFERENCE]
    return argument
