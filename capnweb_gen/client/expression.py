"""What can be typed: a chain of calls, attributes and items, with literals and further chains as arguments.

Rule: Python's grammar, of which nodes on a list are taken and all others refused; nothing is ever evaluated. Every node
knows where it stands, so that each fault can be underlined.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

LONGEST = 100_000
"""Characters that are read: Python's parser takes long for longer ones."""


@dataclass(frozen=True)
class Span:
    """A part of what was typed: characters, counted from 0."""

    start: int
    end: int


class ExpressionError(Exception):
    """What was typed cannot be asked for.

    Attributes:
        message: why.
        span: the part that is meant.
        hint: what to do; empty if there is nothing to say.
    """

    def __init__(self, message: str, span: Span, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint


@dataclass(frozen=True)
class Constant:
    """A literal without parts."""

    value: bool | int | float | str | bytes | None
    span: Span


@dataclass(frozen=True)
class Sequence:
    """A list or a tuple."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True)
class Mapping:
    """A dict; its keys are strings, or integers."""

    entries: tuple[tuple[Constant, Node], ...]
    span: Span


@dataclass(frozen=True)
class Attribute:
    """`.name`."""

    name: str
    span: Span  # of the name


@dataclass(frozen=True)
class Item:
    """`[key]`."""

    key: str | int
    span: Span  # of the key


@dataclass(frozen=True)
class Call:
    """`(arguments)`."""

    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Span, Node], ...]
    span: Span  # of all that is called, up to the closing parenthesis


@dataclass(frozen=True)
class Chain:
    """A name and what is asked of it, one after the other."""

    name: str
    named: Span
    steps: tuple[Attribute | Item | Call, ...]
    span: Span


Node = Constant | Sequence | Mapping | Chain


@dataclass(frozen=True)
class Line:
    """One line of a dialogue: what is asked for, and the name that is to stand for it."""

    node: Node
    name: str | None = None


def parse(text: str) -> Node:
    """Reads an expression.

    Raises:
        ExpressionError: it is none of those that can be asked for.
    """
    line = parse_line(text)
    if line.name is not None:
        raise ExpressionError("a name is given to something", Span(0, len(text)), "names are for capnweb-gen repl")
    return line.node


def parse_line(text: str) -> Line:
    """Reads an expression, or `name = expression`; see `parse`."""
    if len(text) > LONGEST:
        raise ExpressionError(f"this is longer than {LONGEST:,} characters", Span(0, 1))
    source = text.replace("\r", " ").rstrip()
    start = len(source) - len(source.lstrip())
    if not source:
        raise ExpressionError("nothing is asked for", Span(0, 1), _EXAMPLE)
    return _Reader(source[start:], start).line()


_EXAMPLE = "write calls, attributes and items, such as: authenticate('secret').friends()[0]"
_ONE = "write one expression, or name = expression"
_REFUSED: dict[type[ast.expr], str] = {
    ast.JoinedStr: "an f-string",
    ast.BinOp: "arithmetic",
    ast.BoolOp: "`and` and `or`",
    ast.Compare: "a comparison",
    ast.UnaryOp: "an operator",
    ast.Lambda: "a function",
    ast.IfExp: "a condition",
    ast.Await: "await",
    ast.NamedExpr: "`:=`",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Set: "a set",
    ast.Slice: "a slice",
    ast.Starred: "`*`",
}
"""What people try, and what it is called."""
_HINTS: dict[type[ast.expr], str] = {
    ast.Lambda: "callbacks cannot be passed on the command line: write a client for that",
    ast.Await: "leave it out: the result is waited for",
    ast.Set: "write a list",
    ast.Slice: "ask for one item, such as [0]",
}


class _Reader:
    """Reads what was typed.

    Args:
        text: the expression, which begins at its first character.
        start: how many characters of what was typed stand before it.
    """

    def __init__(self, text: str, start: int) -> None:
        self._lines = text.split("\n")
        self._begins = [start]
        for line in self._lines:
            self._begins.append(self._begins[-1] + len(line) + 1)
        self._end = start + len(text)
        self._tree = self._parsed(text)

    def line(self) -> Line:
        """All of it."""
        match self._tree.body:
            case [ast.Expr(value=value)]:
                return Line(self._node(value))
            case [ast.Assign(targets=[ast.Name(id=name)], value=value)]:
                return Line(self._node(value), name)
            case [ast.Assign(targets=[target, *_])]:
                raise ExpressionError("a result is kept under one name alone", self._span(target), _ONE)
            case [first, second, *_] if isinstance(first, ast.Expr | ast.Assign):
                raise ExpressionError("one thing is asked at a time", self._span(second), _ONE)
            case [statement, *_]:
                raise ExpressionError("this is a statement", self._span(statement), _ONE)
            case _:
                raise ExpressionError("nothing is asked for", Span(self._begins[0], self._end), _EXAMPLE)

    def _parsed(self, text: str) -> ast.Module:
        whole = Span(self._begins[0], self._end)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes that mean nothing
                return ast.parse(text)
        except SyntaxError as error:
            raise ExpressionError(_said(error), self._fault(error)) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise ExpressionError(f"this cannot be read: {error}", whole) from None

    def _fault(self, error: SyntaxError) -> Span:
        """Where Python stopped to understand; its columns are characters, from 1."""
        row = min(max(error.lineno or 1, 1), len(self._lines)) - 1
        start = min(self._begins[row] + max((error.offset or 1) - 1, 0), max(self._end - 1, self._begins[0]))
        length = (error.end_offset or 0) - (error.offset or 0) if error.end_lineno == error.lineno else 1
        return Span(start, min(start + max(length, 1), self._end))

    def _node(self, node: ast.expr) -> Node:
        match node:
            case ast.Constant(value=None | bool() | int() | float() | str() | bytes() as value):
                return Constant(value, self._span(node))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
                return Constant(-number if isinstance(sign, ast.USub) else +number, self._span(node))
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return Sequence(tuple(map(self._node, items)), self._span(node))
            case ast.Dict(keys=keys, values=values):
                entries = [(self._key(key, node), self._node(value)) for key, value in zip(keys, values, strict=True)]
                return Mapping(tuple(entries), self._span(node))
            case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call():
                return self._chain(node)
            case _:
                raise self._refusal(node)

    def _chain(self, node: ast.expr) -> Chain:
        """A chain, from its end: parts are nested in Python's tree, and there may be more than one could descend."""
        whole = node
        steps: list[Attribute | Item | Call] = []
        while not isinstance(node, ast.Name):
            match node:
                case ast.Attribute(value=inner, attr=name):
                    end = self._span(node).end
                    steps.append(Attribute(name, Span(end - len(name), end)))
                case ast.Subscript(value=inner, slice=key):
                    steps.append(Item(self._item(key), self._span(key)))
                case ast.Call(func=inner, args=given, keywords=named):
                    steps.append(self._call(node, given, named))
                case ast.Constant() | ast.List() | ast.Tuple() | ast.Dict():
                    raise ExpressionError("a literal has nothing to ask for", self._span(node), _EXAMPLE)
                case _:
                    raise self._refusal(node)
            node = inner
        return Chain(node.id, self._span(node), tuple(reversed(steps)), self._span(whole))

    def _call(self, node: ast.expr, given: list[ast.expr], named: list[ast.keyword]) -> Call:
        keywords: list[tuple[str, Span, Node]] = []
        for keyword in named:
            if keyword.arg is None:
                raise ExpressionError("`**` cannot be used here", self._span(keyword), "write the arguments one by one")
            start = self._span(keyword).start
            keywords.append((keyword.arg, Span(start, start + len(keyword.arg)), self._node(keyword.value)))
        return Call(tuple(map(self._node, given)), tuple(keywords), self._span(node))

    def _item(self, key: ast.expr) -> str | int:
        match self._node(key) if not isinstance(key, ast.Slice) else None:
            case Constant(value=bool()) | None:
                pass
            case Constant(value=str() | int() as value):
                if isinstance(value, int) and value < 0:
                    raise ExpressionError("items are counted from 0", self._span(key), "ask for the list, and look")
                return value
            case _:
                pass
        if isinstance(key, ast.Slice):
            raise self._refusal(key)
        raise ExpressionError("an item is asked for by a number or a string", self._span(key), _EXAMPLE)

    def _key(self, key: ast.expr | None, node: ast.expr) -> Constant:
        if key is None:
            raise ExpressionError("`**` cannot be used here", self._span(node), "write the entries one by one")
        found = self._node(key)
        if not isinstance(found, Constant) or isinstance(found.value, bool) or not isinstance(found.value, str | int):
            raise ExpressionError("keys are strings or integers", self._span(key))
        return found

    def _refusal(self, node: ast.expr) -> ExpressionError:
        what = _REFUSED.get(type(node), "this")
        hint = _HINTS.get(type(node), "literals, calls, attributes and items are all there is")
        return ExpressionError(f"{what} cannot be used here", self._span(node), hint)

    def _span(self, node: ast.expr | ast.stmt | ast.keyword) -> Span:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return Span(self._at(node.lineno, node.col_offset), self._at(end_line, end_column))

    def _at(self, row: int, column: int) -> int:
        """A place as Python's trees have it: its line from 1, and bytes of UTF-8 before it."""
        line = self._lines[row - 1]
        before = column if line.isascii() else len(line.encode(errors="replace")[:column].decode(errors="replace"))
        return self._begins[row - 1] + before


def _said(error: SyntaxError) -> str:
    """What Python says, without advice that does not help here."""
    message = error.msg.partition(". Perhaps you forgot a comma")[0].partition(". Maybe you meant")[0]
    message = message.partition(" (detected at line")[0]
    return message[:1].lower() + message[1:]
