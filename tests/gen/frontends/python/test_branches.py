"""Which of several classes of one name Python took, and that none is lost."""

from __future__ import annotations

import sys

import pytest

from tests.gen.conftest import Compile

EITHER = "import sys\nfrom pydantic import BaseModel\n"


@pytest.mark.parametrize(
    ("before", "between", "after"),
    [
        ("if sys.maxsize > 1:", "else:", ""),
        ("if sys.maxsize < 1:\n    pass\nelif True:", "else:", ""),
        ("try:", "except ImportError:", ""),
        ("for _ in range(1):", "while False:", ""),
        ("match 1:\n  case 1:", "  case _:", ""),
    ],
)
def test_the_class_that_was_executed_is_read(compile_text: Compile, before: str, between: str, after: str) -> None:
    indent = "    "
    text = f"""{EITHER}{before}
{indent}class Api(Protocol):
{indent}    async def one(self, a: int) -> int:
{indent}        '''This.'''
{between}
{indent}class Api(Protocol):
{indent}    async def two(self) -> str: ...
"""
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    (interface,) = compiled.schemas[0].interfaces
    (member,) = interface.members
    assert (member.name, member.doc) == ("one", "This.")


def test_a_class_in_a_branch_that_was_not_taken_does_not_exist(compile_text: Compile) -> None:
    text = "if False:\n    class Lost(Protocol): ...\nclass Api(Protocol):\n    def get(self) -> int: ...\n"
    assert [one.name for one in compile_text(text).schemas[0].interfaces] == ["Api"]


def test_models_are_told_apart_by_their_fields(compile_text: Compile) -> None:
    text = f"""{EITHER}
if sys.maxsize > 1:
    class Item(BaseModel):
        a: int
        '''This.'''
else:
    class Item(BaseModel):
        b: int
"""
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    (field,) = compiled.schemas[0].models[0].fields
    assert (field.doc, field.position.line) == ("This.", 7)


def test_of_classes_that_replace_each_other_the_last_is_read(compile_text: Compile) -> None:
    text = f"{EITHER}class Item(BaseModel):\n    a: int\nclass Item(BaseModel):\n    a: str\n"
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    assert compiled.schemas[0].models[0].position.line == 6


def test_what_nothing_tells_apart_is_refused_where_python_keeps_no_line(compile_text: Compile) -> None:
    text = f"""{EITHER}
if sys.maxsize > 1:
    class Item(BaseModel):
        a: int
else:
    class Item(BaseModel):
        a: str
"""
    found = compile_text(text).diagnostics
    if sys.version_info >= (3, 13):
        assert found == ()
    else:
        (fault,) = found
        assert (fault.line, fault.column) == (9, 11)
        assert fault.message == "Item is declared in several branches, and nothing tells which of them Python took"
