"""What only the source of a module knows: positions, docstrings, and how annotations and defaults are written.

Rule: nothing is evaluated here. Classes are described as they stand in the text; what their names mean is found out
by importing the module, elsewhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from capnweb_gen.ir import Position

TOP = Position(line=1, column=1)
"""Where a fault is told that concerns a file as a whole."""


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
    passing: Literal["positional_only", "positional", "keyword", "star", "double_star"]
    annotation: Expression | None
    default: Expression | None
    position: Position


@dataclass(frozen=True)
class FunctionSource:
    """A function in the body of a class."""

    name: str
    doc: str | None
    decorators: tuple[DecoratorSource, ...]
    is_async: bool
    parameters: tuple[ParameterSource, ...]
    returns: Expression | None
    position: Position
    type_parameters: Expression | None = None


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
    checking: tuple[Expression, ...] = ()
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
    text = path.read_bytes()
    try:
        # Python's own parser first: it says more about what is wrong, and it is the one that has to accept the file.
        compile(text, str(path), "exec", dont_inherit=True)
        return _Reader(MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)).module()
    except SyntaxError as error:
        raise SourceError(error.msg, Position(line=error.lineno or 1, column=max(error.offset or 1, 1))) from error
    except cst.ParserSyntaxError as error:
        raise SourceError(error.message, Position(line=error.editor_line, column=error.editor_column)) from error
    except ValueError as error:  # null bytes
        raise SourceError(str(error), TOP) from error


class _Reader:
    """Describes the nodes of one module."""

    def __init__(self, wrapper: MetadataWrapper) -> None:
        self._module = wrapper.module
        self._positions = wrapper.resolve(PositionProvider)

    def module(self) -> ModuleSource:
        classes: dict[str, ClassSource] = {}
        checking: list[Expression] = []
        values: dict[str, Expression] = {}
        for statement in self._module.body:
            if isinstance(statement, cst.SimpleStatementLine):
                values.update(self._values(statement))
            elif isinstance(statement, cst.ClassDef):
                classes[statement.name.value] = self._class(statement)
            elif isinstance(statement, cst.If) and self._is_type_checking(statement.test):
                checking.extend(self._expression(inner) for inner in statement.body.body)
        position = self._position(self._module.body[0]) if self._module.body else TOP
        return ModuleSource(self._module.get_docstring(), classes, tuple(checking), values, position)

    def _values(self, node: cst.SimpleStatementLine) -> Iterator[tuple[str, Expression]]:
        for statement in node.body:
            match statement:
                case cst.Assign(targets=targets, value=value):
                    yield from ((self._code(assigned.target), self._expression(value)) for assigned in targets)
                case cst.AnnAssign(target=target, value=cst.BaseExpression() as value):
                    yield self._code(target), self._expression(value)
                case _:
                    pass

    def _is_type_checking(self, test: cst.BaseExpression) -> bool:
        return self._code(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}

    def _class(self, node: cst.ClassDef) -> ClassSource:
        body: list[FunctionSource | AttributeSource | OtherSource] = []
        for statement in node.body.body:
            doc = _string(statement)
            if doc is not None and body and isinstance(body[-1], AttributeSource):
                body[-1] = replace(body[-1], doc=body[-1].doc or doc)
            body.extend(self._statement(statement))
        return ClassSource(
            name=node.name.value,
            doc=node.get_docstring(),
            body=tuple(body),
            position=self._position(node.name),
            bases=tuple(self._expression(base.value) for base in node.bases),
            decorators=tuple(map(self._decorator, node.decorators)),
        )

    def _statement(
        self, node: cst.BaseStatement | cst.BaseSmallStatement
    ) -> Iterator[FunctionSource | AttributeSource | OtherSource]:
        match node:
            case cst.SimpleStatementLine(body=body):
                for small in body:
                    yield from self._statement(small)
            case cst.FunctionDef():
                yield self._function(node)
            case cst.AnnAssign(target=target, annotation=annotation):
                yield AttributeSource(self._code(target), self._annotation(annotation), self._position(target))
            case cst.Assign(targets=targets):
                for assigned in targets:
                    yield AttributeSource(self._code(assigned.target), None, self._position(assigned.target))
            case cst.Pass() | cst.Expr(value=cst.Ellipsis() | cst.SimpleString() | cst.ConcatenatedString()):
                return
            case cst.ClassDef(name=name):
                yield OtherSource("a nested class", self._position(name))
            case _:
                yield OtherSource("this statement", self._position(node))

    def _function(self, node: cst.FunctionDef) -> FunctionSource:
        return FunctionSource(
            name=node.name.value,
            doc=node.get_docstring(),
            decorators=tuple(map(self._decorator, node.decorators)),
            is_async=node.asynchronous is not None,
            parameters=tuple(self._parameters(node.params)),
            returns=self._annotation(node.returns),
            position=self._position(node.name),
            type_parameters=None if node.type_parameters is None else self._expression(node.type_parameters),
        )

    def _decorator(self, node: cst.Decorator) -> DecoratorSource:
        called = node.decorator
        arguments = called.args if isinstance(called, cst.Call) else ()
        given = tuple(self._expression(argument.value) for argument in arguments)
        return DecoratorSource(self._code(called), self._position(called), given)

    def _parameters(self, node: cst.Parameters) -> Iterator[ParameterSource]:
        groups: tuple[tuple[Sequence[cst.Param], Literal["positional_only", "positional"]], ...] = (
            (node.posonly_params, "positional_only"),
            (node.params, "positional"),
        )
        for parameters, passing in groups:
            yield from (self._parameter(parameter, passing) for parameter in parameters)
        if isinstance(node.star_arg, cst.Param):
            yield self._parameter(node.star_arg, "star")
        yield from (self._parameter(parameter, "keyword") for parameter in node.kwonly_params)
        if node.star_kwarg is not None:
            yield self._parameter(node.star_kwarg, "double_star")

    def _parameter(
        self,
        node: cst.Param,
        passing: Literal["positional_only", "positional", "keyword", "star", "double_star"],
    ) -> ParameterSource:
        return ParameterSource(
            name=node.name.value,
            passing=passing,
            annotation=self._annotation(node.annotation),
            default=None if node.default is None else self._expression(node.default),
            position=self._position(node.name),
        )

    def _annotation(self, node: cst.Annotation | None) -> Expression | None:
        return None if node is None else self._expression(node.annotation)

    def _expression(self, node: cst.CSTNode) -> Expression:
        return Expression(self._code(node), self._position(node))

    def _code(self, node: cst.CSTNode) -> str:
        return self._module.code_for_node(node)

    def _position(self, node: cst.CSTNode) -> Position:
        start = self._positions[node].start
        return Position(line=start.line, column=start.column + 1)


def _string(statement: cst.BaseStatement | cst.BaseSmallStatement) -> str | None:
    """The text of a statement that is a string and nothing else."""
    match statement:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString() as literal)]):
            text = literal.evaluated_value
            return inspect.cleandoc(text) if isinstance(text, str) else None
        case _:
            return None
