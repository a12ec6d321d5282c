"""Generic models with type arguments: what they are made of, and the names made up for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, NewType, Optional, TypeVar, Union

import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from capnweb_gen.frontends.generics import generic_arguments, generic_origin, instance_name, without_aliases

T = TypeVar("T")
K = TypeVar("K")
UserId = NewType("UserId", int)
Number = TypeAliasType("Number", int)
Numbered = TypeAliasType("Numbered", list[Number])


class Page(BaseModel, Generic[T], arbitrary_types_allowed=True):
    items: list[T]


class Pair(BaseModel, Generic[K, T]):
    key: K
    value: T


class Numbers(Page[int]):
    pass


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Page[int], "PageInt"),
        (Page[Numbers], "PageNumbers"),
        (Page[UserId], "PageUserId"),
        (Page[list[int]], "PageListInt"),
        (Page[Optional[int]], "PageOptionalInt"),  # noqa: UP045  # people still write it
        (Page[int | None], "PageOptionalInt"),
        (Page[Union[int, str, None]], "PageUnionIntStr"),  # noqa: UP007  # people still write it
        (Page[dict[str, tuple[int, ...]]], "PageDictStrTupleInt"),
        (Pair[str, Page[int]], "PairStrPageInt"),
        (Page[None], "PageNone"),
        (Page[Literal["a"]], None),
        (Page[Callable[[], int]], None),
    ],
)
def test_a_name_is_made_of_the_names_of_the_parts(model: Any, name: str | None) -> None:
    assert instance_name(model) == name


def test_the_generic_model_and_its_arguments() -> None:
    assert generic_origin(Pair[str, int]) is Pair
    assert generic_arguments(Pair[str, int]) == (str, int)
    assert generic_origin(Numbers) is None
    assert generic_origin(Page) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (Page[Number], Page[int]),
        (Page[Numbered], Page[list[int]]),
        (Page[Pair[Number, Numbered]], Page[Pair[int, list[int]]]),
        (Page[dict[str, tuple[Number, ...]]], Page[dict[str, tuple[int, ...]]]),
        (Page[Number | None], Page[int | None]),
        (Page[UserId], Page[UserId]),
    ],
)
def test_an_alias_among_type_arguments_is_what_it_stands_for(written: Any, meant: Any) -> None:
    assert without_aliases(written) == meant
    assert instance_name(without_aliases(written)) == instance_name(meant)
