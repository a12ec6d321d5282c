"""Plain classes that travel by value: which they are, and what their fields are."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import InitVar, dataclass, field, make_dataclass
from typing import Any, ClassVar, Generic, NamedTuple, NotRequired, Required, TypeVar

import pytest
import typing_extensions
from pydantic import BaseModel
from typing_extensions import ReadOnly, TypedDict

from capnweb_gen.frontends.python.records import RecordField, record_faults, record_fields, record_form


@dataclass
class Point:
    x: int
    names: list[str] = field(default_factory=list)
    made: int = field(init=False, default=0)
    kind: ClassVar[str] = "point"


class Derived(Point):
    pass


class Spot(NamedTuple):
    x: int
    y: int = 0


class Named(Spot):
    pass


class Movie(TypedDict):
    title: str
    year: NotRequired[int]
    url: ReadOnly[NotRequired[str]]


class Search(TypedDict, total=False):
    words: Required[str]
    before: int


class Model(BaseModel):
    x: int


Bare = namedtuple("Bare", ["a"])  # what is tested
Odd = typing_extensions.TypedDict("Odd", {"a-b": int, "class": int, "a_b": int, "_id": int, "1st": NotRequired[int]})


@dataclass
class Seeded:
    seed: InitVar[int]
    _hidden: int = 0


@pytest.mark.parametrize(
    ("declared", "form"),
    [
        (Point, "dataclass"),
        (Derived, "dataclass"),
        (Spot, "named_tuple"),
        (Named, "named_tuple"),
        (Movie, "typed_dict"),
        (tuple, None),
        (Model, None),
        (int, None),
        (Point(1), None),
        ("Point", None),
    ],
)
def test_records_are_told_from_other_classes(declared: Any, form: str | None) -> None:
    assert record_form(declared) == form


@pytest.mark.parametrize("declared", [Point, Derived])
def test_the_fields_of_a_dataclass(declared: type) -> None:
    assert record_fields(declared) == (
        RecordField("x", int, True),
        RecordField("names", list[str], False),
        RecordField("made", int, False, computed=True),
    )


@pytest.mark.parametrize("declared", [Spot, Named])
def test_the_fields_of_a_named_tuple(declared: type) -> None:
    assert record_fields(declared) == (RecordField("x", int, True), RecordField("y", int, False))


def test_the_keys_of_a_typed_dict() -> None:
    expected = (RecordField("title", str, True), RecordField("year", int, False), RecordField("url", str, False))
    assert record_fields(Movie) == expected
    assert record_fields(Search) == (RecordField("words", str, True), RecordField("before", int, False))


T = TypeVar("T")
K = TypeVar("K")


@dataclass
class Pair(Generic[K, T]):
    key: K
    values: dict[str, T | None]
    size: int = 0


class Reply(TypedDict, Generic[T]):
    body: NotRequired[T]


def test_type_parameters_become_what_they_stand_for_at_any_depth() -> None:
    assert [field.annotation for field in record_fields(Pair, (str, Spot))] == [str, dict[str, Spot | None], int]
    assert record_fields(Reply, (int,)) == (RecordField("body", int, False),)
    assert record_fields(Pair)[0].annotation is K


@pytest.mark.parametrize(
    ("declared", "faults"),
    [
        (Point, []),
        (Bare, ["Bare.a has no type"]),
        (Odd, []),
        (Seeded, ["Seeded._hidden is private", "Seeded.seed is an InitVar, which is not kept"]),
    ],
)
def test_what_cannot_be_made_from_its_fields_is_told(declared: type, faults: list[str]) -> None:
    assert [reason for _, reason, _ in record_faults(declared)] == faults


def test_an_annotation_that_means_nothing_is_passed_on() -> None:
    with pytest.raises(NameError):
        record_fields(make_dataclass("Lost", [("x", "Nowhere")]))


def test_a_key_that_is_no_attribute_gets_a_name_that_resembles_it() -> None:
    found = [(field.name, field.key) for field in record_fields(Odd)]
    assert found == [
        ("a_b_", "a-b"),
        ("class_", "class"),
        ("a_b", None),
        ("id", "_id"),
        ("name_1st", "1st"),
    ]
