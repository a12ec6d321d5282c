"""Generic models with type arguments: what they are made of, and the names made up for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, NewType, Optional, Protocol, TypeVar, Union

import pytest
from pydantic import BaseModel

from capnweb_gen.frontends.generics import generic_arguments, generic_origin, instance_name
from capnweb_runtime.schema import Capability, Stub

T = TypeVar("T")
K = TypeVar("K")
UserId = NewType("UserId", int)


class Page(BaseModel, Generic[T], arbitrary_types_allowed=True):
    items: list[T]


class Pair(BaseModel, Generic[K, T]):
    key: K
    value: T


class Loan(Protocol):
    async def renew(self) -> None: ...


@dataclass
class Box(Generic[T]):
    content: T


class Spot(NamedTuple, Generic[T]):
    x: T


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
        (Page[Capability[Loan]], "PageLoan"),
        (Page[Stub], "PageStub"),
        (Box[int], "BoxInt"),
        (Box[Page[int]], "BoxPageInt"),
        (Page[Box[int]], "PageBoxInt"),
        (Spot[Loan], "SpotLoan"),
        (Box[AsyncIterator[int]], None),
    ],
)
def test_a_name_is_made_of_the_names_of_the_parts(model: Any, name: str | None) -> None:
    assert instance_name(model) == name


def test_the_generic_model_and_its_arguments() -> None:
    assert generic_origin(Pair[str, int]) is Pair
    assert generic_arguments(Pair[str, int]) == (str, int)
    assert generic_origin(Numbers) is None
    assert generic_origin(Page) is None
    assert generic_origin(Spot[int]) is Spot
    assert generic_arguments(Box[int]) == (int,)
    assert generic_origin(Box) is None
    assert generic_origin(list[int]) is None
