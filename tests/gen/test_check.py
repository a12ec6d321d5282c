"""The checks: what they let through, and that they report everything at once. Golden cases show the messages."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.check import check
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Compile, Write

HERE = ir.Position(line=1, column=1)
INT = ir.Scalar(name="int")


def messages(compile_text: Compile, text: str) -> list[str]:
    return [fault.message for fault in compile_text(text).diagnostics]


def test_an_empty_run_has_no_faults() -> None:
    assert check(()) == []


def test_faults_of_all_members_are_reported_in_one_run(compile_text: Compile) -> None:
    found = messages(
        compile_text,
        """
        class Api(Protocol):
            async def first(self, a: type[int]) -> None: ...
            async def dup(self) -> type[int]: ...
        """,
    )
    assert len(found) == 3


def test_a_reserved_name_is_fine_under_another_name_in_python(compile_text: Compile) -> None:
    text = """
        from capnweb_runtime.schema import wire_name

        class Api(Protocol):
            @wire_name("dup")
            async def dup_(self) -> None: ...
            async def cancel(self) -> None: ...
        """
    assert messages(compile_text, text) == []


def test_a_reserved_name_is_fine_in_a_model_and_for_a_parameter(compile_text: Compile) -> None:
    text = """
        from pydantic import BaseModel

        class Place(BaseModel):
            map: str

        class Api(Protocol):
            async def find(self, map: str) -> Place: ...
        """
    assert messages(compile_text, text) == []


def test_inherited_faults_are_reported_once(compile_text: Compile) -> None:
    text = """
        class Base(Protocol):
            async def one(self) -> type[int]: ...

        class Derived(Base, Protocol):
            async def two(self) -> None: ...
        """
    assert messages(compile_text, text) == ["Base.one(): type[int] cannot travel"]


def test_a_diamond_inherits_each_member_once(compile_text: Compile) -> None:
    text = """
        class Top(Protocol):
            async def close(self) -> None: ...
        class Left(Top, Protocol): ...
        class Right(Top, Protocol):
            async def close(self) -> None: ...
        class Bottom(Left, Right, Protocol): ...
        """
    assert messages(compile_text, text) == []


def test_conflicting_bases_are_settled_by_declaring_the_member_again(compile_text: Compile) -> None:
    bases = """
        class Left(Protocol):
            async def size(self) -> int: ...
        class Right(Protocol):
            async def size(self) -> str: ...
        """
    assert messages(compile_text, bases + "class Both(Left, Right, Protocol): ...") == [
        "Both inherits two different members called size"
    ]


def test_functions_can_be_taken_and_given(compile_text: Compile) -> None:
    text = """
        from collections.abc import Callable

        class Api(Protocol):
            async def taken(self, a: Callable[[Callable[[int], None]], None]) -> None: ...
            async def given(self, a: Callable[[int], Callable[[int], None]]) -> Callable[[int], None]: ...
        """
    assert messages(compile_text, text) == []


@pytest.mark.parametrize(
    "shape",
    [
        *(
            ir.Scalar.model_validate({"name": name})
            for name in ("any", "blob", "url", "headers", "request", "response")
        ),
        ir.StubShape(),
        ir.StreamShape(item=INT),
        ir.WritableShape(item=INT),
        ir.CallableShape(parameters=(), result=INT),
        ir.InterfaceShape(interface=ir.Reference(module="a", name="Loan")),
    ],
)
def test_a_model_can_hold_whatever_travels_at_any_depth(shape: ir.TypeShape) -> None:
    inside = ir.TupleShape(items=(INT, ir.ListShape(item=ir.OptionalShape(item=shape))))
    assert check((with_field(inside),)) == []


def with_field(shape: ir.TypeShape) -> ir.Schema:
    field = ir.ModelField(name="page", wire="page", accepts="page", type=shape, required=True, position=HERE)
    model = ir.Model(name="Book", module="a", path="a.py", fields=(field,), position=HERE)
    return ir.Schema(module="a", path="a.py", output="a.py", models=(model,))


HALF = "\\ud83d"


@pytest.mark.parametrize(
    ("member", "what"),
    [
        (f"async def get(self, a: str = '{HALF}') -> int: ...", "value"),
        (f"async def get(self, a: Literal['{HALF}']) -> int: ...", "value"),
        (f"async def get(self, a: Annotated[str, Field(pattern='{HALF}')]) -> int: ...", "pattern"),
        (f"@wire_name('{HALF}')\n    async def get(self) -> int: ...", "name on the wire of get"),
        (f"@deprecated('{HALF}')\n    async def get(self) -> int: ...", "deprecation"),
        ("async def get(self) -> Colour: ...", "value of RED"),
        ("async def get(self) -> Keys: ...", "name on the wire of name"),
    ],
)
def test_half_a_character_is_refused_where_it_stands(compile_text: Compile, member: str, what: str) -> None:
    head = f"""from enum import Enum
from typing import Annotated, Literal, TypedDict
from capnweb_runtime.schema import wire_name
from pydantic import Field
from typing_extensions import deprecated
class Colour(Enum):
    RED = '{HALF}'
"""
    keys = f"Keys = TypedDict('Keys', {{'{HALF}': int}})\n" if "Keys" in member else ""
    found = compile_text(f"{head}{keys}class Api(Protocol):\n    {member}\n").diagnostics
    assert [fault.message for fault in found] == [f"the {what} holds half a character, '{HALF}'"]
    assert all(fault.line > 1 for fault in found)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("'{half}'\n{head}    async def get(self) -> int: ...\n", 1),
        ("{head}    async def get(self) -> int:\n        '{half}'", 3),
    ],
)
def test_half_a_character_in_a_description_is_refused_whoever_finds_it(project: Write, text: str, line: int) -> None:
    head = "from typing import Protocol\nclass Api(Protocol):\n"
    name = f"half{line}.py"
    root = project({name: text.format(half=HALF, head=head)})
    (fault, *_) = compile_schemas([root / name], "x").diagnostics
    assert fault.message.endswith(f"holds half a character, '{HALF}'")
    assert fault.line in (line, line + 1)  # Python finds the text, the compiler what it describes
