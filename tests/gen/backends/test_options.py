"""What back ends can be told: which options a function has, and what may be given for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest

from capnweb_gen.backends.options import Option, checked, declared
from tests.late import defined


def example(
    schemas: object, command: str, /, *, fast: bool = False, title: str = "x", spec: Literal["1.3", "1.4"] = "1.3"
) -> None: ...


def test_options_are_parameters_by_keyword_with_their_defaults() -> None:
    assert declared(example) == {
        "fast": Option("fast", False),
        "title": Option("title", "x"),
        "spec": Option("spec", "1.3", ("1.3", "1.4")),
    }


def test_a_function_may_have_none() -> None:
    def plain(schemas: object, command: str) -> None: ...

    assert declared(plain) == {}


def test_an_option_may_be_that_of_an_object_that_is_called() -> None:
    class Made:
        def __call__(self, schemas: object, command: str, /, *, fast: bool = True) -> None: ...

    assert declared(Made()) == {"fast": Option("fast", True)}


def test_types_that_type_checkers_alone_know_matter_only_beside_options() -> None:
    made = defined("def plain(schemas: Known, command: str) -> None: ...\ndef one(a: Known, *, b: bool = True): ...\n")
    assert declared(made["plain"]) == {}
    with pytest.raises(ValueError, match="its annotations cannot be read: name 'Known' is not defined"):
        declared(made["one"])


def number(schemas: object, command: str, *, depth: int = 3) -> None: ...
def numbers(schemas: object, command: str, *, depth: Literal[1, 2] = 1) -> None: ...
def needed(schemas: object, command: str, *, title: str) -> None: ...
def other(schemas: object, command: str, *, spec: Literal["a", "b"] = "c") -> None: ...  # type: ignore[assignment]  # is told
def taken(schemas: object, command: str, *, out: str = "x") -> None: ...
def untyped(schemas: object, command: str, *, title="x") -> None: ...  # type: ignore[no-untyped-def]  # is told


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (number, "depth is no bool, str or Literal of strings"),
        (numbers, "depth is no bool, str or Literal of strings"),
        (needed, "title needs a default, which is a string"),
        (other, 'spec needs a default, which is "a" or "b"'),
        (taken, "out means something else beside it; give it another name"),
        (untyped, "title is no bool, str or Literal of strings"),
    ],
)
def test_what_is_no_option_is_told(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        declared(function)


def test_what_is_given_is_kept_as_it_is() -> None:
    given = {"fast": True, "title": "y", "spec": "1.4"}
    assert checked(given, declared(example), "it") == given


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fats", True, "it has no option fats; did you mean fast?"),
        ("zzz", True, "it has no option zzz; it has fast, title, spec"),
        ("fast", "yes", 'the option fast of it takes true or false, not "yes"'),
        ("fast", 1, "the option fast of it takes true or false, not 1"),
        ("title", True, "the option title of it takes a string, not true"),
        ("spec", "1.5", 'the option spec of it takes "1.3" or "1.4", not "1.5"'),
        ("spec", 1.4, 'the option spec of it takes "1.3" or "1.4", not 1.4'),
    ],
)
def test_what_an_option_does_not_take_is_told(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        checked({name: value}, declared(example), "it")


def test_of_a_back_end_without_options_it_is_told_that_it_has_none() -> None:
    with pytest.raises(ValueError, match="it has no option fast; it has none"):
        checked({"fast": True}, {}, "it")
