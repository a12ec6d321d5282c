"""Decorators are known by what they are, whatever a schema calls them."""

from __future__ import annotations

import abc
import typing

import pytest
import typing_extensions

from capnweb_gen.frontends.python.decorators import meaning, written_name
from capnweb_gen.frontends.python.source import DecoratorSource
from capnweb_gen.ir import Position
from capnweb_runtime import schema
from tests.gen.conftest import Compile

NAMES = {
    "a": abc.abstractmethod,
    "dep": typing_extensions.deprecated,
    "deprecated": lambda reason: reason,
    "m": schema,
    "more": typing.overload,
    "p": property,
    "raises": lambda error: error,
    "static": staticmethod,
    "wire": schema.wire_name,
}


def decorator(text: str) -> DecoratorSource:
    return DecoratorSource(text, Position(line=1, column=1), text.partition("(")[0])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("p", "property"),
        ("property", "property"),
        ('wire("x")', "wire_name"),
        ('m.wire_name("x")', "wire_name"),
        ("m . raises(E)", "raises"),
        ('m.interface(case="camel")', "interface"),
        ('dep("x")', "deprecated"),
        ("a", "abstractmethod"),
        ("more", "overload"),
        ("static", "staticmethod"),
        ("size.setter", "setter"),
        ("override", "override"),
        ('raises("E")', None),
        ('deprecated("x")', None),
        ("unknown", None),
        ("m", None),
    ],
)
def test_a_decorator_is_known_by_what_it_is(text: str, name: str | None) -> None:
    assert meaning(decorator(text), NAMES) == name


def test_messages_use_the_name_that_is_written() -> None:
    assert written_name(decorator("functools.cache(size=1.5)")) == "cache"


def test_other_names_for_decorators_mean_the_same(compile_text: Compile) -> None:
    text = """
        import typing as t
        from abc import abstractmethod as has_to
        from capnweb_runtime import schema as s
        from capnweb_runtime.schema import interface as named, raises as may_raise, wire_name as wire
        from typing_extensions import deprecated as old

        readable = property

        class Gone(Exception): ...

        @named(case="camel")
        class Api(Protocol):
            @wire("GoNow")
            @may_raise(Gone)
            @has_to
            async def go(self) -> int: ...
            @readable
            @s.wire_name("Size")
            def size(self) -> int: ...
            @old("use go")
            async def go_on(self) -> int: ...
    """
    compiled = compile_text(text)
    assert compiled.diagnostics == ()
    go, size, go_on = compiled.schemas[0].interfaces[0].members
    assert (go.wire, size.wire, go_on.wire) == ("GoNow", "Size", "goOn")
    assert (size.kind, [error.name for error in go.raises]) == ("property", ["Gone"])
    assert go_on.deprecated is not None


def test_faults_stand_at_the_decorator_that_has_another_name(compile_text: Compile) -> None:
    text = """
        from capnweb_runtime.schema import interface as named, raises as may_raise, wire_name as wire
        from typing import overload as several

        @named(case="kebab")
        class Api(Protocol):
            @wire("")
            async def go(self) -> int: ...
            @may_raise()
            async def stop(self) -> int: ...
            @several
            async def turn(self) -> int: ...
    """
    found = compile_text(text).diagnostics
    assert [(fault.line, fault.column) for fault in found] == [(6, 13), (8, 11), (10, 6), (12, 6)]
    assert "overloaded" in found[-1].message
