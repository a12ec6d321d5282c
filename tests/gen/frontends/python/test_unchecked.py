"""Types that pydantic gives up on while a schema is imported: they are told by name, where they are written."""

from __future__ import annotations

import pytest

from tests.gen.conftest import Compile

HEAD = """
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pydantic import BaseModel

class Loan(Protocol):
    async def renew(self) -> None: ...

@dataclass
class Note:
    loan: Loan
"""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("class A(BaseModel):\n    a: int\n    b: Loan", "16:8: pydantic has no way to check Loan"),
        ("class A(BaseModel):\n    b: 'list[Loan]'", "15:8: pydantic has no way to check Loan"),
        ("class A(BaseModel):\n    b: AsyncIterator[int]", "15:8: pydantic has no way to check AsyncIterator"),
        ("class A(BaseModel):\n    b: dict[str, list[Note]]", "14:1: pydantic has no way to check Loan, which a type"),
    ],
)
def test_it_is_told_where_it_stands(compile_text: Compile, text: str, fault: str) -> None:
    (found,) = compile_text(f"{HEAD}\n{text}\n").diagnostics
    assert f"{found.line}:{found.column}: {found.message}".startswith(fault)
    assert "Capability[" in found.hint


def test_a_model_that_is_complete_only_later(compile_text: Compile) -> None:
    text = """
        from pydantic import BaseModel

        class Shelf(BaseModel):
            first: "Loan | None"

        class Loan(Protocol):
            async def renew(self) -> None: ...
        """
    (found,) = compile_text(text).diagnostics
    assert (found.line, found.column, found.message) == (6, 12, "pydantic has no way to check Loan")


def test_another_class_is_none_that_could_travel(compile_text: Compile) -> None:
    (found,) = compile_text(f"{HEAD}\nclass Plain: ...\n\nclass A(BaseModel):\n    b: Plain\n").diagnostics
    assert found.message == "importing this schema failed: pydantic has no way to check Plain"
    assert found.hint == "declare a model if it is data; write Capability[...] if it is a Protocol"
