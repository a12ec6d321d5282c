"""The statements of a module, in whatever branch they stand, and those that only type checkers execute.

Rule: conditions are read, never evaluated. Of a condition that is more than TYPE_CHECKING, the rest stays in what is
given here, for whoever executes it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

_FLAG = "TYPE_CHECKING"
_BLOCKS = ("body", "orelse", "finalbody")
_PARTS = ("handlers", "cases")  # of which each has a body


@dataclass(frozen=True)
class Statement:
    """A statement that is no mere frame for others. `conditional` ones may be left out when the module is executed."""

    node: ast.stmt
    conditional: bool


class Statements:
    """Those of one module."""

    def __init__(self, tree: ast.Module) -> None:
        self._body = tree.body
        self._flags = {_FLAG}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                self._flags.update(name.asname or name.name for name in node.names if name.name == _FLAG)

    def executed(self) -> Iterator[Statement]:
        """What may be executed when the module is imported, in order."""
        return self._leaves(self._body, conditional=False)

    def checking(self) -> tuple[ast.stmt, ...]:
        """What type checkers execute and Python does not, in order."""
        return tuple(self._only_checked(self._body))

    def declared_for_checkers(self) -> Iterator[ast.ClassDef]:
        """The classes among these."""
        for statement in self._leaves(self.checking(), conditional=False):
            if isinstance(statement.node, ast.ClassDef):
                yield statement.node

    # ---- walking

    def _leaves(self, body: Iterable[ast.stmt], *, conditional: bool) -> Iterator[Statement]:
        for node in body:
            if isinstance(node, ast.If) and (known := self._truth(node.test, checking=False)) is not None:
                yield from self._leaves(node.body if known else node.orelse, conditional=conditional)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or not _has_blocks(node):
                yield Statement(node, conditional)
            else:
                inside = conditional or not isinstance(node, ast.With)
                for block in _blocks(node):
                    yield from self._leaves(block, conditional=inside)

    def _only_checked(self, body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
        for node in body:
            if isinstance(node, ast.If) and self._mentions(node.test):
                checking, running = (self._truth(node.test, checking=value) for value in (True, False))
                if None in (checking, running):
                    yield from self._where_they_differ(node)
                elif checking != running:
                    yield from node.body if checking else node.orelse
            elif isinstance(node, ast.If):
                yield from (_only_if(node.test, one) for one in self._only_checked(node.body))
                yield from (_only_if(_not(node.test), one) for one in self._only_checked(node.orelse))
            elif isinstance(node, ast.Try | ast.TryStar | ast.With):
                for name in _BLOCKS:
                    yield from self._only_checked(getattr(node, name, []))

    def _where_they_differ(self, node: ast.If) -> Iterator[ast.stmt]:
        """The branches of a condition that says more than TYPE_CHECKING, each where only type checkers take it."""
        checking, running = (self._assuming(node.test, value) for value in (True, False))
        yield from (_only_if(_and(checking, _not(running)), one) for one in node.body)
        yield from (_only_if(_and(_not(checking), running), one) for one in node.orelse)

    # ---- conditions

    def _is_flag(self, node: ast.AST) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self._flags
            case ast.Attribute(attr=name):
                return name == _FLAG
            case _:
                return False

    def _mentions(self, test: ast.expr) -> bool:
        return any(map(self._is_flag, ast.walk(test)))

    def _truth(self, test: ast.expr, *, checking: bool) -> bool | None:
        """What a condition is; None if that depends on more than TYPE_CHECKING."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._truth(operand, checking=checking)
                return None if inner is None else not inner
            case ast.BoolOp(op=operator, values=values):
                decisive = isinstance(operator, ast.Or)
                found = [self._truth(value, checking=checking) for value in values]
                return decisive if decisive in found else None if None in found else not decisive
            case _:
                return checking if self._is_flag(test) else None

    def _assuming(self, test: ast.expr, value: bool) -> ast.expr:
        """A condition in which TYPE_CHECKING has a value."""
        return cast("ast.expr", _Assuming(self._is_flag, value).visit(copy.deepcopy(test)))


class _Assuming(ast.NodeTransformer):
    def __init__(self, is_flag: Callable[[ast.AST], bool], value: bool) -> None:
        self._is_flag = is_flag
        self._value = value

    def visit(self, node: ast.AST) -> ast.AST:
        """See above."""
        if self._is_flag(node):
            return ast.copy_location(ast.Constant(self._value), node)
        return self.generic_visit(node)


def _has_blocks(node: ast.stmt) -> bool:
    return any(hasattr(node, name) for name in (*_BLOCKS, *_PARTS))


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of a compound statement, in order."""
    for name, value in ast.iter_fields(node):
        if name in _BLOCKS:
            yield value
        elif name in _PARTS:
            yield from (part.body for part in value)


def _only_if(test: ast.expr, node: ast.stmt) -> ast.stmt:
    return ast.fix_missing_locations(ast.copy_location(ast.If(test, [node], []), node))


def _and(one: ast.expr, other: ast.expr) -> ast.expr:
    return ast.BoolOp(ast.And(), [one, other])


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)
