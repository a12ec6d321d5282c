"""Annotations as they are written, to what they mean.

Rule: they are evaluated as Python would, but for one thing: a generic pydantic model may be given what pydantic
cannot check, such as an interface.
"""

from __future__ import annotations

import ast
import typing
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter
from pydantic_core import SchemaError

from capnweb_runtime.schema import BY_REFERENCE

_SUBSCRIPT = "__capnweb_subscript__"


def evaluate(text: str, namespace: Mapping[str, Any]) -> object:
    """What an annotation means where names mean what `namespace` says.

    Raises:
        Exception: whatever evaluating it raises.
    """
    tree = ast.fix_missing_locations(_Subscripts().visit(ast.parse(text.strip(), "<string>", "eval")))
    # The module was just executed; its annotations are as trusted as the rest of it.
    return eval(compile(tree, "<string>", "eval"), {**namespace, _SUBSCRIPT: subscript})


class _Subscripts(ast.NodeTransformer):
    """Turns `Room[UserApi]` into a call of `subscript`."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """See above."""
        self.generic_visit(node)
        function = ast.Name(id=_SUBSCRIPT, ctx=ast.Load())
        return ast.copy_location(ast.Call(func=function, args=[node.value, node.slice], keywords=[]), node)


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
