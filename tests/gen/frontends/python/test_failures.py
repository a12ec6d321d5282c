"""What made something fail: the user's and Python's own words, and ours for those of pydantic."""

from __future__ import annotations

import typing
from collections.abc import Callable

import pytest
from pydantic import BaseModel, PydanticSchemaGenerationError, create_model, field_validator
from pydantic_core import SchemaError, SchemaValidator

from capnweb_gen.frontends.python.failures import said, told, unchecked_name


class Plain:
    pass


def failure(action: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it is
        action()
    return caught.value


def unknown_name() -> None:
    class Later(BaseModel):
        x: Nowhere  # type: ignore[name-defined]  # noqa: F821  # which is what is tested

    Later.model_rebuild()


def of_plain() -> None:
    create_model("Odd", x=(Plain, ...))


def unreadable() -> None:
    SchemaValidator(typing.cast("typing.Any", {"type": "no such"}))


def misused() -> None:
    class Odd(BaseModel):
        x: int

        @field_validator("y")
        @classmethod
        def checked(cls, value: int) -> int:
            return value


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda: {"b": 1}["a"], "KeyError: 'a'"),
        (lambda: eval("1 +"), "SyntaxError: invalid syntax"),
        (lambda: int("one\ntwo"), "ValueError: invalid literal for int() with base 10: 'one\\ntwo'"),
        (of_plain, "pydantic has no way to check Plain"),
        (unreadable, "pydantic refuses it"),
        (unknown_name, "name 'Nowhere' is not defined"),
        (misused, "pydantic refuses it (decorator-missing-field)"),
        (lambda: create_model("Age", years=(int, ...))(years="x"), "ValidationError: int_parsing at Age.years"),
    ],
)
def test_it_is_told_in_words_that_do_not_change(action: Callable[[], object], text: str) -> None:
    error = failure(action)
    told_name = type(error).__name__ == "PydanticUndefinedAnnotation"
    assert (said(error) if told_name else told(error)) == text


def test_an_error_that_says_nothing_is_told_by_its_kind() -> None:
    assert said(LookupError()) == told(LookupError()) == "LookupError"
    assert told(ValueError("one\ntwo")) == "ValueError: one"


def test_of_what_pydantic_cannot_check_only_the_bare_name_is_taken() -> None:
    assert unchecked_name(failure(of_plain)) == "Plain"
    assert (
        unchecked_name(PydanticSchemaGenerationError("schema for typing.AsyncIterator[int] is none")) == "AsyncIterator"
    )
    assert unchecked_name(SchemaError("odd")) == ""
    assert said(PydanticSchemaGenerationError("odd")) == "pydantic has no way to check a type in it"
