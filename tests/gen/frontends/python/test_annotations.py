"""Annotations as they are written: what Python makes of them, and generic models of what pydantic cannot check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Protocol, TypeVar, get_args

import pytest
from pydantic import BaseModel

from capnweb_gen.frontends.python.annotations import evaluate
from capnweb_gen.frontends.python.generics import generic_arguments, generic_origin
from capnweb_runtime.schema import BY_REFERENCE

K = TypeVar("K")
T = TypeVar("T")


class Loan(Protocol):
    async def renew(self) -> None: ...


@dataclass
class Note:
    loan: Loan


class Page(BaseModel, Generic[T]):
    items: list[T]


class Pair(BaseModel, Generic[K, T]):
    key: K
    value: T


NAMES: dict[str, Any] = {
    "AsyncIterator": AsyncIterator,
    "Loan": Loan,
    "Note": Note,
    "Page": Page,
    "Pair": Pair,
    "List": list,
}


def test_an_annotation_means_what_it_means_in_its_module() -> None:
    assert evaluate("dict[str, List[int]] | None", NAMES) == dict[str, list[int]] | None
    assert evaluate(" Page[int]\n", NAMES) is Page[int]


@pytest.mark.parametrize("argument", ["Loan", "list[Loan]", "Note", "AsyncIterator[int]", "Loan | None"])
def test_pydantic_is_told_not_to_check_what_it_cannot(argument: str) -> None:
    made = evaluate(f"Page[{argument}]", NAMES)
    assert generic_origin(made) is Page
    assert generic_arguments(made) == (Annotated[eval(argument, NAMES), BY_REFERENCE],)


class Open(BaseModel, Generic[T], arbitrary_types_allowed=True):
    item: T


def test_also_where_a_model_allows_any_class() -> None:
    assert get_args(generic_arguments(evaluate("Open[Loan]", {**NAMES, "Open": Open}))[0]) == (Loan, BY_REFERENCE)


def test_only_those_type_arguments_that_need_it_are_marked() -> None:
    key, value = generic_arguments(evaluate("Pair[int, Loan]", NAMES))
    assert key is int
    assert get_args(value) == (Loan, BY_REFERENCE)


def test_it_works_inside_other_types() -> None:
    inner: Any = evaluate("list[Page[Page[Loan]]]", NAMES)
    (outer,) = generic_arguments(get_args(inner)[0])
    assert generic_origin(outer) is Page


@pytest.mark.parametrize("text", ["Missing", "1 +", "int['x']", "Page[Missing]"])
def test_what_fails_fails_as_in_python(text: str) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011  # whatever it is
        eval(text, dict(NAMES))
    with pytest.raises(type(expected.value)) as caught:
        evaluate(text, NAMES)
    assert str(caught.value) == str(expected.value)
