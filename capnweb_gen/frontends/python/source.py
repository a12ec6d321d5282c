"""What only the source of a module knows: positions, docstrings, and how annotations and defaults are written.

Rule: nothing is evaluated here. Classes are described as they stand in the text; what their names mean is found out
by importing the module, elsewhere.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import EllipsisType
from typing import Literal, TypeAlias, TypeGuard

from capnweb_gen.errors import column
from capnweb_gen.frontends.python import texts
from capnweb_gen.frontends.python.statements import Statements
from capnweb_gen.ir import Position

TOP = Position(line=1, column=1)
"""Where a fault is told that concerns a file as a whole."""

Passing: TypeAlias = Literal["positional_only", "positional", "keyword", "star", "double_star"]
# What makes a class when it is called: TypedDict("Mail", {"from": str}).
_FACTORIES = frozenset({"NamedTuple", "TypedDict", "create_model", "make_dataclass", "namedtuple"})
_NAME = re.compile(r"(?:\s*(?:async|def|class)\b)*\s*(?!async\b|def\b|class\b)([^\W\d]\w*)")


@dataclass(frozen=True)
class Expression:
    """An expression as written, and where it starts."""

    text: str
    position: Position


@dataclass(frozen=True)
class DecoratorSource(Expression):
    """A decorator: what it is, without the call, and what it is called with."""

    function: str = ""
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
    """A class at the top level of a module: `lines` are those that it takes, `conditional` that it is in a branch."""

    name: str
    doc: str | None
    body: tuple[FunctionSource | AttributeSource | OtherSource, ...]
    position: Position
    bases: tuple[Expression, ...] = ()
    decorators: tuple[DecoratorSource, ...] = ()
    lines: range = range(0)
    conditional: bool = False


@dataclass(frozen=True)
class ModuleSource:
    """A module, and where its text begins.

    `classes` are by name, in order; of several with one name, in different branches, the last, and all are among the
    `alternatives`. `checking` are the statements that only type checkers execute, and `unreal` the classes in them.
    `values` are what names are assigned; `imports` say of a name where it comes from and what it is called there, and
    `stars` are the modules of which all names are imported, both as they are written.
    """

    doc: str | None
    classes: dict[str, ClassSource] = field(default_factory=dict[str, ClassSource])
    checking: tuple[ast.stmt, ...] = ()
    values: dict[str, Expression] = field(default_factory=dict[str, Expression])
    position: Position = TOP
    alternatives: dict[str, tuple[ClassSource, ...]] = field(default_factory=dict[str, tuple[ClassSource, ...]])
    unreal: tuple[ClassSource, ...] = ()
    imports: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    stars: tuple[str, ...] = ()


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
        OSError: it cannot be read.
    """
    return parse_source(texts.content(path), str(path))


def parse_source(content: bytes, name: str) -> ModuleSource:
    """Read what is in a file of this name.

    Raises:
        SourceError: it is not valid Python, or not text.
    """
    text = _text(content)
    lines = text.split("\n")
    try:
        tree = ast.parse(text, name)
    except SyntaxError as error:
        raise SourceError(error.msg, Position(line=error.lineno or 1, column=max(error.offset or 1, 1))) from error
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes; what is nested too deeply
        raise SourceError(str(error) or "it is nested too deeply", TOP) from error
    try:
        compile(tree, name, "exec", dont_inherit=True)  # finds what parsing alone does not
    except SyntaxError as error:
        line, offset = error.lineno or 1, max(error.offset or 1, 1) - 1  # here, bytes are counted
        raise SourceError(error.msg, Position(line=line, column=column(lines[line - 1], offset))) from error
    except RecursionError as error:
        raise SourceError("it is nested too deeply", TOP) from error
    except UnicodeEncodeError as error:  # since Python 3.13, for a description
        text = error.object[error.start : error.end]
        raise SourceError(f"this description holds half a character, {text!r}", _place_of(text, tree, lines)) from error
    return _Reader(lines).module(tree)


def _place_of(text: str, tree: ast.Module, lines: Sequence[str]) -> Position:
    """Where a text is part of a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and text in node.value:
            return Position(line=node.lineno, column=column(lines[node.lineno - 1], node.col_offset))
    return TOP


def _text(source: bytes) -> str:
    """The text of a file, with line ends as Python reads them."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError as error:
        raise SourceError(error.msg, TOP) from error
    try:
        return io.IncrementalNewlineDecoder(None, translate=True).decode(source.decode(encoding), final=True)
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        raise SourceError(f"this is not text in {encoding}", Position(line=line, column=1)) from error


class _Reader:
    """Describes the nodes of one module.

    Args:
        lines: the lines of its text.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def module(self, tree: ast.Module) -> ModuleSource:
        statements = Statements(tree)
        found: dict[str, list[ClassSource]] = {}
        values: dict[str, Expression] = {}
        imports: dict[str, tuple[str, str]] = {}
        stars: list[str] = []
        for statement in statements.executed():
            node = statement.node
            values.update(self._values(node))
            if isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                imports.update({one.asname or one.name: (module, one.name) for one in node.names if one.name != "*"})
                stars += [module] if node.names[0].name == "*" else []
            declared = self._class(node) if isinstance(node, ast.ClassDef) else self._made(node, imports)
            if declared is not None:
                found.setdefault(declared.name, []).append(replace(declared, conditional=statement.conditional))
        return ModuleSource(
            doc=ast.get_docstring(tree),
            classes={name: classes[-1] for name, classes in found.items()},
            checking=statements.checking(),
            values=values,
            position=self._position(tree.body[0]) if tree.body else TOP,
            alternatives={name: tuple(classes) for name, classes in found.items() if len(classes) > 1},
            unreal=tuple(map(self._class, statements.declared_for_checkers())),
            imports=imports,
            stars=tuple(stars),
        )

    def _values(self, statement: ast.stmt) -> Iterator[tuple[str, Expression]]:
        match statement:
            case ast.Assign(targets=targets, value=value):
                yield from ((self._target(target), self._expression(value)) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield self._target(target), self._expression(value)
            case _:
                pass

    def _made(self, statement: ast.stmt, imports: Mapping[str, tuple[str, str]]) -> ClassSource | None:
        """A class that is made by a call and assigned to its name."""
        match statement:
            case ast.Assign(targets=[ast.Name(id=name) as target], value=ast.Call() as call):
                pass
            case ast.AnnAssign(target=ast.Name(id=name) as target, value=ast.Call() as call):
                pass
            case _:
                return None
        called = self._code(call.func).rpartition(".")[2]
        if imports.get(called, ("", called))[1] not in _FACTORIES:
            return None
        match call.args:
            case [ast.Constant(value=str(own)), *fields] if own == name:
                body = tuple(self._made_fields(fields, call.keywords))
                lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
                return ClassSource(name, None, body, self._position(target), lines=lines)
            case _:
                return None

    def _made_fields(self, fields: list[ast.expr], keywords: list[ast.keyword]) -> Iterator[AttributeSource]:
        match fields:
            case [ast.Dict(keys=keys, values=types), *_]:
                pairs: Iterable[tuple[ast.expr | None, ast.expr | None]] = zip(keys, types, strict=True)
            case [ast.List(elts=items) | ast.Tuple(elts=items), *_]:
                pairs = ((one.elts[0], one.elts[1]) if _is_pair(one) else (one, None) for one in items)
            case _:
                pairs = ()
        for key, written in pairs:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield AttributeSource(key.value, self._annotation(written), self._position(key))
        for keyword in keywords:
            if keyword.arg is not None:
                yield AttributeSource(keyword.arg, self._expression(keyword.value), self._position(keyword))

    def _class(self, node: ast.ClassDef) -> ClassSource:
        body: list[FunctionSource | AttributeSource | OtherSource] = []
        for statement in node.body:
            doc = _string(statement)
            if doc is not None and body and isinstance(body[-1], AttributeSource):
                body[-1] = replace(body[-1], doc=body[-1].doc or doc)
            body.extend(self._statement(statement))
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return ClassSource(
            name=node.name,
            doc=ast.get_docstring(node),
            body=tuple(body),
            position=self._name_position(node),
            bases=tuple(map(self._expression, node.bases)),
            decorators=tuple(map(self._decorator, node.decorator_list)),
            lines=range(first, (node.end_lineno or node.lineno) + 1),
        )

    def _statement(self, node: ast.stmt) -> Iterator[FunctionSource | AttributeSource | OtherSource]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield self._function(node)
            case ast.AnnAssign(target=target, annotation=annotation):
                yield AttributeSource(self._target(target), self._expression(annotation), self._position(target))
            case ast.Assign(targets=targets):
                for assigned in targets:
                    yield AttributeSource(self._target(assigned), None, self._position(assigned))
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
        function, arguments = node, list[ast.expr]()
        if isinstance(node, ast.Call):
            function, arguments = node.func, [*node.args, *(keyword.value for keyword in node.keywords)]
        written = tuple(map(self._expression, arguments))
        return DecoratorSource(self._code(node), self._position(node), self._code(function), written)

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

    def _target(self, node: ast.expr) -> str:
        """What is assigned to: a name, as Python keeps it, or the text of anything else."""
        return node.id if isinstance(node, ast.Name) else self._code(node)

    def _code(self, node: ast.expr) -> str:
        """The text of a node, in parentheses if it takes them to be read by itself."""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        start = self._column(first, node.col_offset)
        end = self._column(last, node.end_col_offset or 0)
        if first == last:
            return self._lines[first][start:end]
        text = "\n".join([self._lines[first][start:], *self._lines[first + 1 : last], self._lines[last][:end]])
        return text if _stands_alone(text) else f"({text})"

    def _position(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> Position:
        return Position(line=node.lineno, column=self._column(node.lineno - 1, node.col_offset) + 1)

    def _name_position(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Position:
        """Where the name stands that a class or function is given: in the tree it is a mere string."""
        line, column = node.lineno - 1, self._column(node.lineno - 1, node.col_offset)
        while not (found := _NAME.match(self._lines[line], column)):  # a backslash stands before the name
            line, column = line + 1, 0
        return Position(line=line + 1, column=found.start(1) + 1)

    def _column(self, line: int, offset: int) -> int:
        return column(self._lines[line], offset) - 1


def _is_pair(node: ast.expr) -> TypeGuard[ast.Tuple | ast.List]:
    return isinstance(node, ast.Tuple | ast.List) and len(node.elts) >= 2


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
