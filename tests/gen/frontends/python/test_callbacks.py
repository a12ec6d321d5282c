"""Callback protocols: a Protocol with `__call__` alone is a function."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from tests.gen.conftest import Compile

INT, STR = ir.Scalar(name="int"), ir.Scalar(name="str")
USE = "class Api(Protocol):\n    async def on(self, call: Call) -> None: ...\n"


def shape_of(compile_text: Compile, declared: str) -> ir.TypeShape:
    compiled = compile_text(f"{declared}\n\n{USE}")
    assert not compiled.diagnostics
    (interface,) = compiled.schemas[0].interfaces
    (method,) = interface.members
    assert isinstance(method, ir.Method)
    return method.parameters[0].type


@pytest.mark.parametrize(
    ("signature", "parameters", "result"),
    [
        ("def __call__(self) -> int", (), INT),
        ("def __call__(self, first: int, second: str) -> str", (INT, STR), STR),
        ("async def __call__(self, first: int, /) -> int", (INT,), INT),
        ("def __call__(self, first: 'int') -> 'Awaitable[int]'", (INT,), INT),
    ],
)
def test_it_means_what_callable_means(
    compile_text: Compile, signature: str, parameters: tuple[ir.TypeShape, ...], result: ir.TypeShape
) -> None:
    declared = f"from collections.abc import Awaitable\nclass Call(Protocol):\n    {signature}: ..."
    assert shape_of(compile_text, declared) == ir.CallableShape(parameters=parameters, result=result)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("def __call__(self, *, urgent: bool) -> None: ...", "takes urgent by keyword, or not always"),
        ("def __call__(self, *rest: int) -> None: ...", "takes rest by keyword, or not always"),
        ("def __call__(self, a: int = 1) -> None: ...", "takes a by keyword, or not always"),
        ("def __call__(self, a) -> None: ...", "parameter a, has no type"),
        ("def __call__(self, a: int): ...", "does not say what it gives"),
        ("def __call__(self) -> None: ...\n    def close(self) -> None: ...", "has __call__ and close"),
        ("name: str\n    def __call__(self) -> None: ...", "has __call__ and name"),
        ("def __call__(self, a: object) -> None: ...", "object cannot travel"),
    ],
)
def test_what_is_more_than_a_function_called_by_position_is_refused(
    compile_text: Compile, body: str, fault: str
) -> None:
    (found,) = compile_text(f"class Call(Protocol):\n    {body}\n\n{USE}").diagnostics
    assert fault in found.message


def test_one_that_extends_an_interface_is_refused(compile_text: Compile) -> None:
    base = "class Base(Protocol):\n    def close(self) -> None: ...\n"
    declared = "class Call(Base, Protocol):\n    def __call__(self) -> None: ...\n"
    (found,) = compile_text(f"{base}\n{declared}\n{USE}").diagnostics
    assert "Call has __call__ and Base" in found.message


def test_one_that_nothing_names_is_no_interface(compile_text: Compile) -> None:
    declared = "class Call(Protocol):\n    def __call__(self) -> None: ...\n"
    other = "class Api(Protocol):\n    async def on(self) -> None: ...\n"
    compiled = compile_text(f"{declared}\n{other}")
    assert [interface.name for interface in compiled.schemas[0].interfaces] == ["Api"]
