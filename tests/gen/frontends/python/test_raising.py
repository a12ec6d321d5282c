"""Exceptions that methods declare: what of a class goes into the IR."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import compile_schemas
from capnweb_gen.frontends.ir_json import dump, read_ir
from tests.gen.conftest import Compile, Write

IMPORTS = """
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import Annotated, Any, ClassVar
from capnweb_runtime.schema import raises, wire_name
"""
USED = """
class Api(Protocol):
    @raises(NotFound)
    def find(self) -> int: ...
"""


def described(compile_text: Compile, declared: str) -> ir.Error:
    compiled = compile_text(IMPORTS + declared + USED)
    assert compiled.diagnostics == ()
    (error,) = compiled.schemas[0].errors
    return error


def fields(error: ir.Error) -> dict[str, bool]:
    return {field.name: field.required for field in error.fields}


def test_annotated_attributes_travel_and_nothing_else(compile_text: Compile) -> None:
    error = described(
        compile_text,
        """
class Base(Exception):
    first: int
class NotFound(Base):
    second: str = "x"
    count: ClassVar[int] = 0
    _hidden: int
    plain = 3
""",
    )
    assert fields(error) == {"first": True, "second": False}
    assert error.wire == "NotFound"


def test_dataclasses_say_what_has_a_default(compile_text: Compile) -> None:
    error = described(
        compile_text,
        """
@dataclass(slots=True)
class NotFound(Exception):
    _: KW_ONLY
    seed: InitVar[int]
    message: str
    tags: list[str] = field(default_factory=list)
    kind: str = "a"
""",
    )
    assert fields(error) == {"message": True, "tags": False, "kind": False}


def test_slots_are_no_defaults(compile_text: Compile) -> None:
    assert fields(described(compile_text, "class NotFound(Exception):\n    __slots__ = ('a',)\n    a: int\n")) == {
        "a": True
    }


@pytest.mark.parametrize(
    ("declared", "wire"),
    [
        ('@wire_name("Missing")\nclass NotFound(Exception): ...\n', "Missing"),
        ('@wire_name("Missing")\nclass Base(Exception): ...\nclass NotFound(Base): ...\n', "NotFound"),
    ],
)
def test_the_wire_name_is_of_the_class_alone(compile_text: Compile, declared: str, wire: str) -> None:
    assert described(compile_text, declared).wire == wire


def test_several_decorators_add_up(compile_text: Compile) -> None:
    compiled = compile_text(
        IMPORTS
        + """
class A(Exception): ...
class B(Exception): ...
class Api(Protocol):
    @raises(A)
    @raises(B, KeyError)
    def find(self) -> int: ...
"""
    )
    (member,) = compiled.schemas[0].interfaces[0].members
    assert [reference.name for reference in member.raises] == ["A", "B", "KeyError"]
    assert [error.module for error in compiled.schemas[0].errors] == ["schemas.api", "schemas.api", "builtins"]


def test_an_exception_of_another_schema_is_named_on_the_wire_as_there(project: Write) -> None:
    root = project(
        {
            "schemas/__init__.py": "",
            "schemas/errors.py": """
                from typing import Protocol
                from capnweb_runtime.schema import raises
                WIRE_CASE = "camel"
                class NotFound(Exception):
                    user_id: int
                class Other(Protocol):
                    @raises(NotFound)
                    def find(self) -> int: ...
            """,
            "schemas/api.py": """
                from typing import Protocol
                from capnweb_runtime.schema import raises
                from schemas.errors import NotFound
                class Api(Protocol):
                    @raises(NotFound)
                    def find(self) -> int: ...
            """,
        }
    )
    compiled = compile_schemas([root / "schemas"], "capnweb-gen")
    assert compiled.diagnostics == ()
    api, errors = compiled.schemas
    assert api.errors == errors.errors
    assert api.errors[0].fields[0].wire == "userId"
    assert "from schemas.errors import NotFound" in compiled.files["api.py"]


def test_an_exception_that_names_what_only_type_checkers_import_is_incomplete(compile_text: Compile) -> None:
    compiled = compile_text(IMPORTS + 'class NotFound(Exception):\n    when: "datetime"\n' + USED)
    (fault,) = compiled.diagnostics
    assert fault.message == "NotFound is incomplete: name 'datetime' is not defined"


def test_the_ir_of_exceptions_can_be_read_again(compile_text: Compile, project: Write) -> None:
    compiled = compile_text(IMPORTS + "class NotFound(Exception):\n    a: int\n" + USED)
    path = project({}) / "schemas.json"
    path.write_text(dump(compiled.schemas))
    assert read_ir([path]) == (compiled.schemas, [])
    path.write_text(dump([compiled.schemas[0].model_copy(update={"errors": ()})]))
    (fault,) = compile_schemas([path], "capnweb-gen").diagnostics
    assert fault.message == "the exception schemas.api.NotFound is not among the errors of the schema"
