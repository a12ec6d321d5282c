"""What types are called in messages: as people write them, whatever typing and pydantic print."""

from __future__ import annotations

import collections.abc
import enum
import functools
import math
import typing
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from typing import Any, Generic, Literal, NewType, ParamSpec, Protocol, TypedDict, TypeVar, TypeVarTuple

import pytest
import typing_extensions
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel

from capnweb_gen.frontends.python.type_names import constant, describe
from capnweb_runtime.schema import Capability

UserId = NewType("UserId", int)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")
Names = typing_extensions.TypeAliasType("Names", list[T], type_params=(T,))


class Colour(enum.Enum):
    RED = 1


class Page(BaseModel, Generic[T]):
    items: list[T]


class Loans(Protocol[T_co]):
    async def first(self) -> T_co: ...


class Outer:
    @dataclass
    class Inner(Generic[T]):
        item: T


class Options(TypedDict):
    size: int


# What the types below are written with; as text, because type checkers would refuse half of them here.
NAMES = {
    **vars(typing),
    **{one.__name__: one for one in (collections, functools, math, typing, typing_extensions)},
    "Callable": Callable,
    **{one.__name__: one for one in (InitVar, Ge, RootModel)},
    "Field": Field,
    "Capability": Capability,
}


def taken(*sizes: *tuple[int, ...]) -> None: ...


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("None", "None"),
        ("type(None)", "None"),
        ("...", "..."),
        ("Any", "Any"),
        ("dict[str, int]", "dict[str, int]"),
        ("typing.Dict[str, int]", "Dict[str, int]"),
        ("typing.List", "List"),
        ("tuple[()]", "tuple[()]"),
        ("tuple[int, ...]", "tuple[int, ...]"),
        ("type[int]", "type[int]"),
        ("list[UserId]", "list[UserId]"),
        ("T", "T"),
        ("typing_extensions.TypeVar('D', default=int)", "D"),
        ("collections.abc.Iterable[int]", "Iterable[int]"),
        ("int | None", "int | None"),
        ("typing.Optional[int]", "int | None"),
        ("typing.Union[int, str, None]", "int | str | None"),
        ("typing.Optional['Later']", "Later | None"),
        ("typing.Union", "Union"),
        ("ForwardRef('Later')", "Later"),
        ("list['Later']", "list[Later]"),
        ("Callable", "Callable"),
        ("Callable[[], None]", "Callable[[], None]"),
        ("typing.Callable[[int, 'Later'], list[str]]", "Callable[[int, Later], list[str]]"),
        ("Callable[..., int]", "Callable[..., int]"),
        ("Callable[P, int]", "Callable[P, int]"),
        ("Callable[Concatenate[int, P], T]", "Callable[Concatenate[int, P], T]"),
        ("P", "P"),
        ("P.args", "P.args"),
        ("P.kwargs", "P.kwargs"),
        ("Ts", "Ts"),
        ("tuple[*Ts,]", "tuple[*Ts]"),
        ("tuple[Unpack[tuple[int, ...]]]", "tuple[*tuple[int, ...]]"),
        ("typing.get_type_hints(taken)['sizes']", "*tuple[int, ...]"),
        ("Unpack[Options]", "Unpack[Options]"),
        ("Literal['a', 1, True, None, b'x', Colour.RED]", "Literal['a', 1, True, None, b'x', Colour.RED]"),
        (
            "Annotated[int, Ge(0), Field(gt=1), 'years', len, object()]",
            "Annotated[int, Ge(...), Field(...), 'years', len, object(...)]",
        ),
        ("Capability[Loans[int]]", "Capability[Loans[int]]"),
        ("Names", "Names"),
        ("Names[int]", "Names[int]"),
        ("Self", "Self"),
        ("Final[int]", "Final[int]"),
        ("ClassVar[int]", "ClassVar[int]"),
        ("typing_extensions.ReadOnly[int]", "ReadOnly[int]"),
        ("InitVar[int]", "InitVar[int]"),
        ("Page", "Page"),
        ("Page[Page[list[int]]]", "Page[Page[list[int]]]"),
        ("Page[Callable[[], None]]", "Page[Callable[[], None]]"),
        ("RootModel[list[int]]", "RootModel[list[int]]"),
        ("Loans[Page[int] | None]", "Loans[Page[int] | None]"),
        ("Outer.Inner", "Outer.Inner"),
        ("Outer.Inner[int]", "Outer.Inner[int]"),
        ("[int, str]", "[int, str]"),
        ("3", "3"),
        ("math", "the module math"),
        ("print", "print"),
        ("Ge(0)", "Ge(...)"),
        ("functools.partial(print)", "partial(...)"),
        ("Colour.RED", "Colour.RED"),
    ],
)
def test_types_are_called_what_people_call_them(written: str, text: str) -> None:
    assert describe(eval(written, {**NAMES, **globals()})) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (None, "None"),
        ((1, "a"), "(1, 'a')"),
        ((Colour.RED,), "(Colour.RED,)"),
        (len, "len"),
        (int, "int"),
        (object(), "object(...)"),
    ],
)
def test_values_are_written_as_far_as_their_text_is_the_same_everywhere(value: object, text: str) -> None:
    assert constant(value) == text


LEAVES = st.sampled_from([int, str, None, UserId, Page, Loans[int], "Later", Literal["a"], Any, T])
TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda item: list[item]),  # type: ignore[valid-type]
        st.tuples(inner, inner).map(lambda both: typing.Union[both]),  # noqa: UP007
        st.tuples(inner, inner).map(lambda both: Callable[[both[0]], both[1]]),
        inner.map(lambda item: typing.Dict[str, item]),  # type: ignore[valid-type]  # noqa: UP006
    ),
)


@given(TYPES)
def test_no_words_of_a_library_are_left_in_any_type(annotation: Any) -> None:
    text = describe(annotation)
    assert not any(
        word in text for word in ("typing", "<", "NoneType", "ForwardRef", "~", "0x", "collections", __name__)
    )
