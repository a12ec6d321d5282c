"""Callbacks that have a signature of their own, from their source to the IR."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import PROTOCOL, Compile, Write

IMPORTS = (
    "from collections.abc import Awaitable\nfrom typing import TypeVar\nfrom typing_extensions import deprecated\n"
    "from capnweb_runtime.schema import interface, raises, wire_name\nT = TypeVar('T')\n"
)


def read(compile_text: Compile, body: str) -> ir.Callback:
    """The only callback of a schema."""
    compiled = compile_text(f"{IMPORTS}\n{body}")
    assert not compiled.diagnostics
    (callback,) = compiled.schemas[0].callbacks
    return callback


def test_its_parameters_are_those_of_a_method(compile_text: Compile) -> None:
    signature = "self, a: int, /, b: str = 'x', *rest: int, to_all: bool = False, from_: int"
    callback = read(compile_text, f"class Call(Protocol):\n    async def __call__({signature}) -> int: ...")
    found = [(one.name, one.wire, one.passing, one.default) for one in callback.call.parameters]
    assert found == [
        ("a", "a", "positional_only", None),
        ("b", "b", "positional", ir.Default(value="x")),
        ("rest", "rest", "variadic", None),
        ("to_all", "to_all", "keyword", ir.Default(value=False)),
        ("from_", "from", "keyword", None),
    ]
    assert (callback.name, callback.call.name, callback.call.wire) == ("Call", "__call__", "")
    assert (callback.position, callback.call.position) == (
        ir.Position(line=8, column=7),
        ir.Position(line=9, column=15),
    )


@pytest.mark.parametrize("result", ["int", "'int'", "Awaitable[int]", "'Awaitable[int]'"])
def test_it_may_say_that_it_gives_something_to_await(compile_text: Compile, result: str) -> None:
    callback = read(compile_text, f"class Call(Protocol):\n    def __call__(self, a: int) -> {result}: ...")
    assert callback.call.result == ir.Scalar(name="int")


@pytest.mark.parametrize("before", ["WIRE_CASE = 'camel'\nclass", "@interface(case='camel')\nclass"])
def test_keywords_have_the_case_of_the_schema_or_of_the_callback(compile_text: Compile, before: str) -> None:
    callback = read(compile_text, f"{before} Call(Protocol):\n    def __call__(self, *, to_all: bool) -> None: ...")
    assert callback.call.parameters[0].wire == "toAll"


def test_what_is_said_of_it(compile_text: Compile) -> None:
    callback = read(
        compile_text,
        "@deprecated('old')\nclass Call(Protocol):\n    '''A call.'''\n"
        "    @raises(ValueError)\n    @deprecated('do not')\n    def __call__(self) -> None:\n        '''Calls.'''",
    )
    assert (callback.doc, callback.call.doc) == ("A call.", "Calls.")
    assert callback.deprecated == ir.Deprecation(message="old")
    assert callback.call.deprecated == ir.Deprecation(message="do not")
    assert callback.call.raises == (ir.Reference(module="builtins", name="ValueError"),)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ("def __call__(self, **rest: int) -> None: ...", ["**rest of Call.__call__() cannot travel"]),
        ("def __call__(self, a) -> None: ...", ["Call(), parameter a: the annotation is missing"]),
        ("def __call__(self, a: int): ...", ["Call(): the annotation is missing"]),
        ("def __call__(self, a: object) -> None: ...", ["Call(), parameter a: object cannot travel"]),
        (
            "def __call__(self, a: int = None) -> None: ...",
            ["the default of the parameter a of Call.__call__() is None"],
        ),
        ("def __call__(self, *, a: int, a_: int) -> None: ...", []),
        ("def __call__(self, *, if_: int, **_if: int) -> None: ...", ["**_if of Call.__call__() cannot travel"]),
        ("@wire_name('x')\n    def __call__(self, a: int) -> None: ...", ["Call has no name on the wire"]),
        ("@property\n    def __call__(self) -> int: ...", ["Call.__call__ is a property"]),
        ("@staticmethod\n    def __call__(self, a: int) -> int: ...", ["Call.__call__ is a static method"]),
        ("__call__ = print", ["Call.__call__ is not written as a method"]),
        ("def __call__() -> None: ...", ["Call.__call__() does not take self"]),
    ],
)
def test_what_cannot_be_said_is_refused_once_where_it_is_declared(
    compile_text: Compile, body: str, faults: list[str]
) -> None:
    use = "class Api(Protocol):\n    async def on(self, one: Call, other: Call) -> None: ...\n"
    compiled = compile_text(f"{IMPORTS}class Call(Protocol):\n    {body}\n\n{use}")
    assert len(compiled.diagnostics) == len(faults)
    for found, fault in zip(compiled.diagnostics, faults, strict=True):
        assert found.message.startswith(fault)
        assert found.hint


def test_keywords_that_are_one_name_on_the_wire_are_refused(compile_text: Compile) -> None:
    body = "class Call(Protocol):\n    def __call__(self, *, to_all: int, toAll: int) -> None: ..."
    (found,) = compile_text(f"WIRE_CASE = 'camel'\n{body}").diagnostics
    assert found.message == "Call() has two things called 'toAll' on the wire: to_all and toAll"


GENERIC = "class Of(Protocol[T]):\n    def __call__(self, first: T, again: 'Of[T] | None' = None) -> 'list[T]': ...\n"


def test_a_generic_one_is_declared_with_each_of_its_type_arguments(compile_text: Compile) -> None:
    use = "class Api(Protocol):\n    async def on(self, one: Of[int], other: Of[str], third: Of[int]) -> None: ...\n"
    compiled = compile_text(f"{IMPORTS}{GENERIC}{use}")
    assert not compiled.diagnostics
    names = [(callback.name, callback.doc) for callback in compiled.schemas[0].callbacks]
    assert names == [("OfInt", "This is `Of[int]`."), ("OfStr", "This is `Of[str]`.")]
    first = compiled.schemas[0].callbacks[0]
    reference = ir.CallbackShape(callback=ir.Reference(module="schemas.api", name="OfInt"))
    assert [one.type for one in first.call.parameters] == [ir.Scalar(name="int"), ir.OptionalShape(item=reference)]
    assert first.call.result == ir.ListShape(item=ir.Scalar(name="int"))


def test_one_that_needs_itself_of_ever_deeper_types_is_refused(compile_text: Compile) -> None:
    endless = "class Of(Protocol[T]):\n    def __call__(self, first: 'Of[list[T]] | None' = None) -> None: ...\n"
    use = "class Api(Protocol):\n    async def on(self, one: Of[int]) -> None: ...\n"
    (found,) = compile_text(f"{IMPORTS}{endless}{use}").diagnostics
    assert "each Of needs another one of a larger type, without end" in found.message


def test_a_made_up_name_that_something_else_has_is_refused(compile_text: Compile) -> None:
    use = "class OfInt(Protocol):\n    async def on(self, one: Of[int]) -> None: ...\n"
    found = [one.message for one in compile_text(f"{IMPORTS}{GENERIC}{use}").diagnostics]
    assert "a generic callback with its type arguments becomes OfInt, but something else here has that name" in found


def test_names_of_generated_classes_must_not_collide(compile_text: Compile) -> None:
    declared = "class Call(Protocol):\n    def __call__(self, a: int) -> None: ...\n"
    other = "class CallLike(BaseModel):\n    a: int\n"
    (found,) = compile_text(f"from pydantic import BaseModel\n{declared}{other}").diagnostics
    assert "both need the name CallLike in the generated module" in found.message


def test_a_schema_may_declare_callbacks_alone_and_another_may_name_them(project: Write) -> None:
    declared = "class Call(Protocol):\n    def __call__(self, a: int) -> None: ...\n"
    use = "class Api(Protocol):\n    async def on(self, call: Call) -> None: ...\n"
    root = project(
        {
            "schemas/__init__.py": "",
            "schemas/calls.py": PROTOCOL + declared,
            "schemas/api.py": f"{PROTOCOL}from schemas.calls import Call\n{use}",
        }
    )
    compiled = compile_schemas([root / "schemas"], "capnweb-gen schemas --out generated")
    assert not compiled.diagnostics
    assert "from .calls import CALL, CallLike, CallStub" in compiled.files["api.py"]
    assert "class CallLike(rpc.CallbackLike, Protocol):" in compiled.files["calls.py"]


def test_two_exceptions_of_one_name_are_refused(compile_text: Compile) -> None:
    errors = "@wire_name('Full')\nclass Empty(Exception): ...\nclass Full(Exception): ...\n"
    call = "class Call(Protocol):\n    @raises(Full, Empty)\n    def __call__(self, a: int) -> None: ..."
    (found,) = compile_text(f"{IMPORTS}{errors}{call}").diagnostics
    assert found.message == "Call() raises two exceptions called 'Full' on the wire: Full and Empty"


def test_an_exception_cannot_hold_one(compile_text: Compile) -> None:
    call = "class Call(Protocol):\n    def __call__(self, a: int) -> None: ...\n"
    error = "class Full(Exception):\n    call: Call\n    def __init__(self, call: Call) -> None: ...\n"
    use = "class Api(Protocol):\n    @raises(Full)\n    def on(self) -> None: ..."
    found = [one.message for one in compile_text(f"{IMPORTS}{call}{error}{use}").diagnostics]
    assert "Full.call: an exception cannot hold the function Call" in found
