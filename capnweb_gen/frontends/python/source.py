"""What only the source of a module knows: positions, docstrings, and how annotations and defaults are written.

Rule: nothing is evaluated here. Classes are described as they stand in the text; what their names mean is found out
by importing the module, elsewhere.
"""

from __future__ import annotations

import ast
import inspect
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import EllipsisType
from typing import Literal, TypeAlias

from capnweb_gen.ir import Position

TOP = Position(line=1, column=1)
"""Where a fault is told that concerns a file as a whole."""

Passing: TypeAlias = Literal["positional_only", "positional", "keyword", "star", "double_star"]
_NAME = re.compile(r"(?:\s*(?:async|def|class)\b)*\s*(?!async\b|def\b|class\b)([^\W\d]\w*)")


@dataclass(frozen=True)
class Expression:
    """An expression as written, and where it starts."""

    text: str
    position: Position


@dataclass(frozen=True)
class DecoratorSource(Expression):
    """A decorator, and what it is called with."""

    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class ParameterSource:
    """A parameter; `passing` also names the two kinds that take any number of arguments."""

    name: str
    passing: Passing
    annotation: Expression | None
    default: Expression | None
    position: Position


@dataclass(frozen=True)
class FunctionSource:
    """A function in the body of a class. `is_declaration` tells that its body is `...` or a docstring."""

    name: str
    doc: str | None
    decorators: tuple[DecoratorSource, ...]
    is_async: bool
    parameters: tuple[ParameterSource, ...]
    returns: Expression | None
    position: Position
    type_parameters: Position | None = None
    is_declaration: bool = False


@dataclass(frozen=True)
class AttributeSource:
    """An assignment or an annotated name in the body of a class, with the string that follows it."""

    name: str
    annotation: Expression | None
    position: Position
    doc: str | None = None


@dataclass(frozen=True)
class OtherSource:
    """Any other statement in the body of a class."""

    what: str
    position: Position


@dataclass(frozen=True)
class ClassSource:
    """A class at the top level of a module."""

    name: str
    doc: str | None
    body: tuple[FunctionSource | AttributeSource | OtherSource, ...]
    position: Position
    bases: tuple[Expression, ...] = ()
    decorators: tuple[DecoratorSource, ...] = ()


@dataclass(frozen=True)
class ModuleSource:
    """A module: its classes by name, in order, the statements that only type checkers execute, the values that names
    are assigned, and where its text begins.
    """

    doc: str | None
    classes: dict[str, ClassSource] = field(default_factory=dict[str, ClassSource])
    checking: tuple[ast.stmt, ...] = ()
    values: dict[str, Expression] = field(default_factory=dict[str, Expression])
    position: Position = TOP


class SourceError(Exception):
    """The text is not Python."""

    def __init__(self, message: str, position: Position) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def read_source(path: Path) -> ModuleSource:
    """Read a file.

    Raises:
        SourceError: it is not valid Python, or not text.
    """
    source = path.read_bytes()
    try:
        tree = ast.parse(source, str(path))
        compile(tree, str(path), "exec", dont_inherit=True)  # finds what parsing alone does not
    except SyntaxError as error:
        raise SourceError(error.msg, Position(line=error.lineno or 1, column=max(error.offset or 1, 1))) from error
    except ValueError as error:  # null bytes
        raise SourceError(str(error), TOP) from error
    with tokenize.open(path) as file:
        return _Reader(file.read().split("\n")).module(tree)


class _Reader:
    """Describes the nodes of one module.

    Args:
        lines: the lines of its text.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def module(self, tree: ast.Module) -> ModuleSource:
        classes: dict[str, ClassSource] = {}
        checking: list[ast.stmt] = []
        values: dict[str, Expression] = {}
        for statement in tree.body:
            values.update(self._values(statement))
            if isinstance(statement, ast.ClassDef):
                classes[statement.name] = self._class(statement)
            elif isinstance(statement, ast.If) and self._is_type_checking(statement.test):
                checking.extend(statement.body)
        position = self._position(tree.body[0]) if tree.body else TOP
        return ModuleSource(ast.get_docstring(tree), classes, tuple(checking), values, position)

    def _values(self, statement: ast.stmt) -> Iterator[tuple[str, Expression]]:
        match statement:
            case ast.Assign(targets=targets, value=value):
                yield from ((self._code(target), self._expression(value)) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield self._code(target), self._expression(value)
            case _:
                pass

    def _is_type_checking(self, test: ast.expr) -> bool:
        return self._code(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}

    def _class(self, node: ast.ClassDef) -> ClassSource:
        body: list[FunctionSource | AttributeSource | OtherSource] = []
        for statement in node.body:
            doc = _string(statement)
            if doc is not None and body and isinstance(body[-1], AttributeSource):
                body[-1] = replace(body[-1], doc=body[-1].doc or doc)
            body.extend(self._statement(statement))
        return ClassSource(
            name=node.name,
            doc=ast.get_docstring(node),
            body=tuple(body),
            position=self._name_position(node),
            bases=tuple(map(self._expression, node.bases)),
            decorators=tuple(map(self._decorator, node.decorator_list)),
        )

    def _statement(self, node: ast.stmt) -> Iterator[FunctionSource | AttributeSource | OtherSource]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield self._function(node)
            case ast.AnnAssign(target=target, annotation=annotation):
                yield AttributeSource(self._code(target), self._expression(annotation), self._position(target))
            case ast.Assign(targets=targets):
                for assigned in targets:
                    yield AttributeSource(self._code(assigned), None, self._position(assigned))
            case ast.Pass() | ast.Expr(value=ast.Constant(value=str() | bytes() | EllipsisType())):
                return
            case ast.ClassDef():
                yield OtherSource("a nested class", self._name_position(node))
            case _:
                yield OtherSource("this statement", self._position(node))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> FunctionSource:
        own: list[ast.expr] = getattr(node, "type_params", [])  # which Python 3.11 does not have
        return FunctionSource(
            name=node.name,
            doc=ast.get_docstring(node),
            decorators=tuple(map(self._decorator, node.decorator_list)),
            is_async=isinstance(node, ast.AsyncFunctionDef),
            parameters=tuple(self._parameters(node.args)),
            returns=self._annotation(node.returns),
            position=self._name_position(node),
            type_parameters=self._position(own[0]) if own else None,
            is_declaration=all(map(_does_nothing, node.body)),
        )

    def _decorator(self, node: ast.expr) -> DecoratorSource:
        arguments: list[ast.expr] = []
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        return DecoratorSource(self._code(node), self._position(node), tuple(map(self._expression, arguments)))

    def _parameters(self, node: ast.arguments) -> Iterator[ParameterSource]:
        named = [*node.posonlyargs, *node.args]
        defaults = [*[None] * (len(named) - len(node.defaults)), *node.defaults]
        for index, (argument, default) in enumerate(zip(named, defaults, strict=True)):
            yield self._parameter(
                argument, "positional_only" if index < len(node.posonlyargs) else "positional", default
            )
        if node.vararg is not None:
            yield self._parameter(node.vararg, "star")
        for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            yield self._parameter(argument, "keyword", default)
        if node.kwarg is not None:
            yield self._parameter(node.kwarg, "double_star")

    def _parameter(self, node: ast.arg, passing: Passing, default: ast.expr | None = None) -> ParameterSource:
        return ParameterSource(
            name=node.arg,
            passing=passing,
            annotation=self._annotation(node.annotation),
            default=None if default is None else self._expression(default),
            position=self._position(node),
        )

    def _annotation(self, node: ast.expr | None) -> Expression | None:
        return None if node is None else self._expression(node)

    def _expression(self, node: ast.expr) -> Expression:
        return Expression(self._code(node), self._position(node))

    def _code(self, node: ast.expr) -> str:
        """The text of a node, in parentheses if it takes them to be read by itself."""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        start = self._column(first, node.col_offset)
        end = self._column(last, node.end_col_offset or 0)
        if first == last:
            return self._lines[first][start:end]
        text = "\n".join([self._lines[first][start:], *self._lines[first + 1 : last], self._lines[last][:end]])
        return text if _stands_alone(text) else f"({text})"

    def _position(self, node: ast.expr | ast.stmt | ast.arg) -> Position:
        return Position(line=node.lineno, column=self._column(node.lineno - 1, node.col_offset) + 1)

    def _name_position(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Position:
        """Where the name stands that a class or function is given: in the tree it is a mere string."""
        line, column = node.lineno - 1, self._column(node.lineno - 1, node.col_offset)
        while not (found := _NAME.match(self._lines[line], column)):  # a backslash stands before the name
            line, column = line + 1, 0
        return Position(line=line + 1, column=found.start(1) + 1)

    def _column(self, line: int, offset: int) -> int:
        """The tree counts in bytes of UTF-8."""
        text = self._lines[line]
        return offset if text.isascii() else len(text.encode()[:offset].decode())


def _does_nothing(statement: ast.stmt) -> bool:
    """Whether it is `...` or a docstring."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str() | EllipsisType())):
            return True
        case _:
            return False


def _stands_alone(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _string(statement: ast.stmt) -> str | None:
    """The text of a statement that is a string and nothing else."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return inspect.cleandoc(text)
        case _:
            return None
