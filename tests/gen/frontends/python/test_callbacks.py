"""Callback protocols: a Protocol with `__call__` alone is a function. What is plain means what Callable means."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import PROTOCOL, Compile, Write
from tests.late import LATE

INT, STR = ir.Scalar(name="int"), ir.Scalar(name="str")
USE = "class Api(Protocol):\n    async def on(self, call: Call) -> None: ...\n"


def shape_of(compile_text: Compile, declared: str) -> ir.TypeShape:
    compiled = compile_text(f"{declared}\n\n{USE}")
    assert not compiled.diagnostics
    return parameter(compiled.schemas[0])


def parameter(schema: ir.Schema) -> ir.TypeShape:
    """The type of the first parameter of the first method."""
    method = schema.interfaces[0].members[0]
    assert isinstance(method, ir.Method)
    return method.parameters[0].type


@pytest.mark.parametrize(
    ("signature", "parameters", "result"),
    [
        ("def __call__(self) -> int", (), INT),
        ("def __call__(self, first: int, second: str, /) -> str", (INT, STR), STR),
        ("async def __call__(self, first: int, /) -> int", (INT,), INT),
        ("def __call__(self, first: 'int', /) -> 'Awaitable[int]'", (INT,), INT),
        ("@abstractmethod\n    def __call__(self, first: int, /) -> int", (INT,), INT),
    ],
)
def test_a_plain_one_means_what_callable_means(
    compile_text: Compile, signature: str, parameters: tuple[ir.TypeShape, ...], result: ir.TypeShape
) -> None:
    imports = "from abc import abstractmethod\nfrom collections.abc import Awaitable\n"
    declared = f"{imports}class Call(Protocol):\n    {signature}: ..."
    assert shape_of(compile_text, declared) == ir.CallableShape(parameters=parameters, result=result)


def test_of_a_plain_one_that_is_written_twice_the_last_counts(compile_text: Compile) -> None:
    twice = "    def __call__(self, first: int, /) -> int: ...\n    def __call__(self, first: str, /) -> str: ..."
    shape = shape_of(compile_text, f"class Call(Protocol):\n{twice}")
    assert shape == ir.CallableShape(parameters=(STR,), result=STR)


def test_what_a_plain_one_gives_under_a_name_that_never_ends_is_refused(compile_text: Compile) -> None:
    declared = 'Own = "Own"\n\nclass Call(Protocol):\n    def __call__(self, first: int, /) -> Own: ...'
    (diagnostic,) = compile_text(f"{declared}\n\n{USE}").diagnostics
    assert "this type contains itself" in diagnostic.message


def test_a_plain_generic_one_is_callable_of_its_type_argument(compile_text: Compile) -> None:
    declared = (
        "from typing import TypeVar\nT = TypeVar('T')\n"
        "class Of(Protocol[T]):\n    def __call__(self, first: 'list[T]', /) -> T: ...\n"
        "Call = Of[int]"
    )
    expected = ir.CallableShape(parameters=(ir.ListShape(item=INT),), result=INT)
    assert shape_of(compile_text, declared) == expected


def test_a_generic_one_without_a_type_is_refused(compile_text: Compile) -> None:
    declared = (
        "from typing import TypeVar\nT = TypeVar('T')\n"
        "class Call(Protocol[T]):\n    def __call__(self, first: T, /) -> None: ..."
    )
    (found,) = compile_text(f"{declared}\n\n{USE}").diagnostics
    assert "Call is generic" in found.message


@pytest.mark.parametrize(
    "signature",
    [
        "def __call__(self, first: int) -> int",
        "def __call__(self, first: int = 1, /) -> int",
        "def __call__(self, *first: int) -> int",
        "def __call__(self, *, first: int) -> int",
        "@raises(ValueError)\n    def __call__(self, first: int, /) -> int",
        "@deprecated('no')\n    def __call__(self, first: int, /) -> int",
    ],
)
def test_any_other_is_declared_under_its_name(compile_text: Compile, signature: str) -> None:
    imports = "from typing_extensions import deprecated\nfrom capnweb_runtime.schema import raises\n"
    found = shape_of(compile_text, f"{imports}class Call(Protocol):\n    {signature}: ...")
    assert found == ir.CallbackShape(callback=ir.Reference(module="schemas.api", name="Call"))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("def __call__(self, a, /) -> None: ...", "parameter a, has no type"),
        ("def __call__(self, a: int, /): ...", "does not say what it gives"),
        ("def __call__(self, a: object, /) -> None: ...", "object cannot travel"),
        ("def __call__(self) -> None: ...\n    def close(self) -> None: ...", "has __call__ and close"),
        ("name: str\n    def __call__(self) -> None: ...", "has __call__ and name"),
    ],
)
def test_what_is_more_than_a_function_or_less_is_refused_where_it_is_named(
    compile_text: Compile, body: str, fault: str
) -> None:
    (found,) = compile_text(f"class Call(Protocol):\n    {body}\n\n{USE}").diagnostics
    assert fault in found.message
    assert "Api.on(), parameter call" in found.message


def test_its_types_may_be_imported_for_type_checkers_alone(project: Write) -> None:
    imports = "from typing import *\nif TYPE_CHECKING:\n    from datetime import datetime\n"
    declared = "class Call(Protocol):\n    def __call__(self, first: datetime, /) -> datetime: ...\n"
    root = project({"schemas/__init__.py": "", "schemas/api.py": f"{LATE}{imports}{declared}{USE}"})
    compiled = compile_schemas([root / "schemas"], "capnweb-gen schemas --out generated")
    assert compiled.diagnostics == ()


def test_one_that_extends_an_interface_is_refused(compile_text: Compile) -> None:
    base = "class Base(Protocol):\n    def close(self) -> None: ...\n"
    declared = "class Call(Base, Protocol):\n    def __call__(self) -> None: ...\n"
    (found,) = compile_text(f"{base}\n{declared}\n{USE}").diagnostics
    assert "Call has __call__ and Base, so it is no plain function" in found.message


def test_one_that_nothing_names_is_no_interface(compile_text: Compile) -> None:
    declared = "class Call(Protocol):\n    def __call__(self) -> None: ...\n"
    other = "class Api(Protocol):\n    async def on(self) -> None: ...\n"
    compiled = compile_text(f"{declared}\n{other}")
    assert [interface.name for interface in compiled.schemas[0].interfaces] == ["Api"]


OUTSIDE = f"{PROTOCOL}class Call(Protocol):\n    def __call__(self, {{}}) -> None: ...\n"


def outside(project: Write, parameters: str) -> ir.TypeShape | str:
    """The type of a callback that a module beside the schemas declares, or why it is refused."""
    files = {
        "schemas/__init__.py": "",
        "schemas/api.py": f"{PROTOCOL}from other import Call\n{USE}",
        "other.py": OUTSIDE.format(parameters),
    }
    compiled = compile_schemas([project(files) / "schemas"], "capnweb-gen schemas --out generated")
    return compiled.diagnostics[0].message if compiled.diagnostics else parameter(compiled.schemas[0])


def test_one_that_no_schema_declares_is_called_by_position(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(".")
    assert outside(project, "first: int") == ir.CallableShape(parameters=(INT,), result=ir.Scalar(name="none"))


def test_one_that_no_schema_declares_and_that_says_more_is_refused(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(".")
    assert "Call is declared in other, which is not compiled" in str(outside(project, "first: int = 1"))
