"""Statements in branches, and what only type checkers execute."""

from __future__ import annotations

import ast
import textwrap

import pytest

from capnweb_gen.frontends.python.statements import Statements


def read(text: str) -> Statements:
    return Statements(ast.parse(textwrap.dedent(text)))


def checked(text: str, **names: object) -> list[str]:
    """What type checkers execute, given what other names mean."""
    found: list[str] = []
    for statement in read(text).checking():
        namespace: dict[str, object] = dict(names)
        exec(compile(ast.Module([statement], []), "<string>", "exec"), namespace)
        found += [name for name in namespace if name not in names and name != "__builtins__"]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "if TYPE_CHECKING: A = 1",
        "import typing\nif typing.TYPE_CHECKING: A = 1",
        "import typing as t\nif t.TYPE_CHECKING: A = 1",
        "from typing import TYPE_CHECKING as checking\nif checking: A = 1",
        "from typing_extensions import TYPE_CHECKING as TC\nif not not TC: A = 1",
        "TYPE_CHECKING = False\nif TYPE_CHECKING: A = 1",
        "if not TYPE_CHECKING: B = 1\nelse: A = 1",
        "if TYPE_CHECKING and True: A = 1",
        "if TYPE_CHECKING or other: A = 1",
        "if other: B = 1\nelif TYPE_CHECKING: A = 1",
        "if not other:\n    if TYPE_CHECKING: A = 1",
        "if TYPE_CHECKING and not other:\n    A = 1\nelse:\n    B = 1",
        "try:\n    if TYPE_CHECKING: A = 1\nfinally: pass",
    ],
)
def test_every_spelling_of_type_checking_is_known(text: str) -> None:
    assert checked(text, other=False) == ["A"]


@pytest.mark.parametrize(
    "text",
    [
        "if other: A = 1",
        "if not TYPE_CHECKING: A = 1",
        "if TYPE_CHECKING: pass\nelse: A = 1",
        "if TYPE_CHECKING or True: A = 1",
        "if other:\n    if TYPE_CHECKING: A = 1",
        "if TYPE_CHECKING and other: A = 1",
        "def f():\n    if TYPE_CHECKING: A = 1",
    ],
)
def test_what_python_executes_itself_or_nobody_does_is_not_executed_again(text: str) -> None:
    assert checked(text, other=False) == []


def test_statements_stay_where_they_are_written() -> None:
    (statement,) = read("if TYPE_CHECKING and other:\n    \n    import a\n").checking()
    assert (statement.lineno, statement.col_offset) == (3, 4)


def test_all_branches_but_those_of_type_checkers_are_walked() -> None:
    text = """
        A = 1
        if TYPE_CHECKING:
            B = 2
        elif other:
            C = 3
        with what:
            D = 4
        try:
            E = 5
        except* Error:
            F = 6
        else:
            G = 7
        match other:
            case 1:
                H = 8
        for _ in other:
            class I: ...
        def f():
            J = 10
        if not TYPE_CHECKING:
            K = 11
    """
    found = [(ast.unparse(one.node).splitlines()[0], one.conditional) for one in read(text).executed()]
    assert found == [
        ("A = 1", False),
        ("C = 3", True),
        ("D = 4", False),
        ("E = 5", True),
        ("F = 6", True),
        ("G = 7", True),
        ("H = 8", True),
        ("class I:", True),
        ("def f():", False),
        ("K = 11", False),
    ]


def test_classes_for_type_checkers_alone_are_found_in_any_branch() -> None:
    text = """
        if TYPE_CHECKING:
            class A: ...
            if other:
                class B: ...
        elif other:
            class C: ...
    """
    assert [node.name for node in read(text).declared_for_checkers()] == ["A", "B"]
