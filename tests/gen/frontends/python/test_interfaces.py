"""Interfaces: what is read of a Protocol. What is refused stands in the golden cases."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from tests.gen.conftest import Compile


def interface(compile_text: Compile, text: str) -> ir.Interface:
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    return compiled.schemas[0].interfaces[-1]


def method(compile_text: Compile, text: str) -> ir.Method:
    (found,) = interface(compile_text, f"class Api(Protocol):\n    {text}\n").members
    assert isinstance(found, ir.Method)
    return found


def test_a_method_may_be_declared_with_def_or_async_def(compile_text: Compile) -> None:
    assert method(compile_text, "def a(self) -> int: ...").result == ir.Scalar(name="int")


def test_async_def_reads_the_same(compile_text: Compile) -> None:
    assert method(compile_text, "async def a(self) -> int: ...").result == ir.Scalar(name="int")


def test_defaults_are_values_even_if_written_as_names(compile_text: Compile) -> None:
    found = interface(compile_text, "N = 5\nclass Api(Protocol):\n    def a(self, n: int = N * 2) -> None: ...")
    (member,) = found.members
    assert isinstance(member, ir.Method)
    assert member.parameters[0].default == ir.Default(value=10)


@pytest.mark.parametrize(
    ("text", "passing"),
    [("a: int, /", "positional_only"), ("a: int", "positional"), ("*, a: int", "keyword"), ("*a: int", "variadic")],
)
def test_ways_of_passing(compile_text: Compile, text: str, passing: str) -> None:
    assert method(compile_text, f"def m(self, {text}) -> None: ...").parameters[0].passing == passing


def test_decorators_that_change_nothing_are_allowed(compile_text: Compile) -> None:
    text = """
        from abc import abstractmethod
        import typing_extensions

        class Api(Protocol):
            @property
            @abstractmethod
            def a(self) -> int: ...
            @typing_extensions.override
            def b(self) -> int: ...
        """
    assert [member.kind for member in interface(compile_text, text).members] == ["property", "method"]


def test_the_case_of_an_interface_goes_before_that_of_the_module(compile_text: Compile) -> None:
    text = """
        from capnweb_runtime.schema import interface
        WIRE_CASE = "camel"

        @interface(case="as-written")
        class Api(Protocol):
            def get_it(self, *, some_name: int) -> None: ...
        """
    (member,) = interface(compile_text, text).members
    assert isinstance(member, ir.Method)
    assert (member.wire, member.parameters[0].wire) == ("get_it", "some_name")


def test_the_case_of_a_base_is_its_own_affair(compile_text: Compile) -> None:
    text = """
        from capnweb_runtime.schema import interface

        @interface(case="camel")
        class Base(Protocol):
            def get_it(self) -> None: ...

        class Api(Base, Protocol):
            def set_it(self) -> None: ...
        """
    (member,) = interface(compile_text, text).members
    assert member.wire == "set_it"


def test_private_and_empty_bodies_need_no_members(compile_text: Compile) -> None:
    assert interface(compile_text, 'class Api(Protocol):\n    """Doc."""\n    pass\n    ...\n').members == ()


def test_the_type_of_a_variadic_parameter_is_that_of_each_argument(compile_text: Compile) -> None:
    found = method(compile_text, "def m(self, a: str, *rest: list[int], b: int = 1) -> None: ...").parameters
    assert [parameter.passing for parameter in found] == ["positional", "variadic", "keyword"]
    assert found[1].type == ir.ListShape(item=ir.Scalar(name="int"))
    assert found[1].default is None


@pytest.mark.parametrize("base", ["Stub", "Writable[int]"])
def test_what_is_no_interface_cannot_be_inherited(compile_text: Compile, base: str) -> None:
    text = (
        f"from capnweb_runtime.schema import Stub, Writable\nclass Api({base}, Protocol):\n    def a(self) -> int: ..."
    )
    (fault,) = compile_text(text).diagnostics
    assert fault.message.startswith(f"Api inherits {base.partition('[')[0]}")
