"""Generic models and interfaces with type arguments: what they are made of, and the names made up for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, Literal, NamedTuple, NewType, Optional, Protocol, TypeVar, Union

import pytest
import typing_extensions
from pydantic import BaseModel, JsonValue
from typing_extensions import TypeAliasType

from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.generics import (
    bound,
    defaults,
    demanded,
    generic_arguments,
    generic_origin,
    instance_name,
    interface_name,
    substituted,
    with_defaults,
    without_aliases,
    written,
)
from capnweb_runtime.schema import Capability, Stub

T = TypeVar("T")
BoundT = TypeVar("BoundT", bound=BaseModel)
K = TypeVar("K")
UserId = NewType("UserId", int)
Number = TypeAliasType("Number", int)
S = typing_extensions.TypeVar("S", default=str)
# What type checkers know of aliases is not what is tested.
make_alias: Any = TypeAliasType
VALUE_OF: Any = attrgetter("__value__")
Maybe: Any = make_alias("Maybe", eval("Union[S, None]"), type_params=(S,))
Numbered = TypeAliasType("Numbered", list[Number])


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


# ---- interfaces

T_co = TypeVar("T_co", covariant=True)
M = TypeVar("M", bound=BaseModel, covariant=True)
C = TypeVar("C", str, int, covariant=True)
D = typing_extensions.TypeVar("D", default=int, covariant=True)
P = typing_extensions.ParamSpec("P")


class Reader(Protocol[T_co]):
    pass


class Models(Protocol[M]):
    pass


class Keys(Protocol[C]):
    pass


class Defaults(Protocol[T_co, D]):
    pass


class Calls(Protocol[P]):
    pass


@pytest.mark.parametrize(
    ("arguments", "name", "text"),
    [
        ((int,), "ReaderInt", "Reader[int]"),
        ((Reader[Numbers],), "ReaderReaderNumbers", "Reader[Reader[Numbers]]"),
        ((dict[str, Reader[int]],), "ReaderDictStrReaderInt", "Reader[dict[str, Reader[int]]]"),
        ((Page[int] | None,), "ReaderOptionalPageInt", None),
        ((Callable[[int], str],), None, None),
        ((Literal[1],), None, None),
    ],
)
def test_an_interface_is_named_as_a_model_is(arguments: tuple[Any, ...], name: str | None, text: str | None) -> None:
    assert interface_name(Reader, arguments) == name
    if text is not None:
        assert written(Reader, arguments) == text


def test_defaults_stand_for_arguments_that_are_not_given() -> None:
    assert bound(Defaults, (str,)) == {T_co: str, D: int}
    assert bound(Defaults, (str, bytes)) == {T_co: str, D: bytes}


@pytest.mark.parametrize(
    ("interface", "argument"), [(Models, Numbers), (Models, Page[int]), (Models, Numbers | Page[int]), (Keys, int)]
)
def test_what_a_type_parameter_demands_is_accepted(interface: type, argument: object) -> None:
    assert list(bound(interface, (argument,)).values()) == [argument]


@pytest.mark.parametrize(
    ("interface", "arguments", "reason"),
    [
        (Models, (int,), r"Models\[int\] is not possible: M has the bound BaseModel"),
        (Models, (Numbers | int,), "M has the bound BaseModel"),
        (Keys, (bool,), "C is str or int"),
        (Reader, (), "the interface Reader is generic"),
        (Calls, ([int],), "Calls has the type parameter P, which stands for no type"),
    ],
)
def test_what_it_does_not_allow_is_refused(interface: type, arguments: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=reason):
        bound(interface, arguments)


# To type checkers, type parameters mean nothing outside of what is generic.
ANY: dict[str, Any] = {"list": list, "dict": dict, "Callable": Callable, "Pair": Pair, "Reader": Reader, "int": int}
VARIABLES: dict[str, Any] = {"T": T, "K": K, "M": M}
GIVEN: dict[str, Any] = {"T": Numbers, "K": str, "M": M}


@pytest.mark.parametrize(
    "annotation",
    [
        "T",
        "list[T]",
        "dict[K, list[T | None]]",
        "Callable[[K], T]",
        "Pair[K, T]",
        "Reader[T]",
        "M",
        "list[M]",
        "Reader",
        "int",
    ],
)
def test_type_parameters_are_replaced_wherever_they_stand(annotation: str) -> None:
    bindings: dict[Any, object] = {T: Numbers, K: str}
    assert substituted(eval(annotation, ANY | VARIABLES), bindings) == eval(annotation, ANY | GIVEN)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (Page[Number], Page[int]),
        (Page[Numbered], Page[list[int]]),
        (Page[Pair[Number, Numbered]], Page[Pair[int, list[int]]]),
        (Page[dict[str, tuple[Number, ...]]], Page[dict[str, tuple[int, ...]]]),
        (Page[Number | None], Page[int | None]),
        (Page[UserId], Page[UserId]),
        (Page[Maybe[int]], Page[int | None]),
        (Page[Maybe], Page[str | None]),
        (Page[Maybe[Maybe[Number]]], Page[int | None]),
        (Page[JsonValue], Page[JsonValue]),
    ],
)
def test_an_alias_among_type_arguments_is_what_it_stands_for(given: Any, meant: Any) -> None:
    assert without_aliases(given, VALUE_OF) == meant
    assert instance_name(without_aliases(given, VALUE_OF)) == instance_name(meant)


class User(BaseModel):
    name: str


B = typing_extensions.TypeVar("B", bound=BaseModel, default=User)


class Boxes(BaseModel, Generic[B]):
    items: list[B]


@dataclass
class Entry(Generic[T, S]):
    key: T
    value: S


class Bounded(BaseModel, Generic[BoundT]):
    item: BoundT


@pytest.mark.parametrize(
    ("model", "meant"),
    [
        (Boxes, Boxes[User]),
        (Entry[int], Entry[int, str]),
        (Entry[int, int], Entry[int, int]),
        (Entry, Entry),
        (Page, Page),
    ],
)
def test_defaults_stand_for_type_arguments_that_a_model_is_not_given(model: Any, meant: Any) -> None:
    assert with_defaults(model, lambda default: default) == meant


def test_a_generic_class_has_defaults_if_all_its_type_parameters_have_one() -> None:
    assert defaults(Boxes) == (User,)
    assert defaults(Entry) is None


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        (Page, "give it a type, such as Page[int]"),
        (Entry, "give it a type, such as Entry[int]"),
        (Bounded, "give it a type that derives from BaseModel: Bounded[...]"),
    ],
)
def test_a_hint_keeps_to_what_type_parameters_demand(model: Any, hint: str) -> None:
    assert demanded(model) == hint


def test_too_many_type_arguments_are_refused() -> None:
    with pytest.raises(UnsupportedTypeError, match=r"Maybe\[int, str\] has 2 type arguments, where 1 are taken"):
        bound(Maybe, (int, str))
