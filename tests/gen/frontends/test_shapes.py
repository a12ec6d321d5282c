"""Types: from what Python makes of an annotation to the IR. What is refused stands in the golden cases."""

from __future__ import annotations

import collections.abc
import typing
from datetime import datetime
from typing import Annotated, Any, ForwardRef, Literal, Optional, Protocol, Union

import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from capnweb_gen import ir
from capnweb_gen.frontends import shapes
from capnweb_gen.frontends.shapes import Shapes

HERE = ir.Position(line=1, column=1)
INT = ir.Scalar(name="int")


Number = typing_extensions.TypeAliasType("Number", int)


class Book(BaseModel):
    title: str


class Loan(Protocol):
    async def renew(self) -> None: ...


class Everything:
    """Lets every model and interface pass, and keeps their names."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def model(self, model: type[BaseModel]) -> None:
        self.told.append(model.__name__)

    def interface(self, interface: type) -> None:
        self.told.append(interface.__name__)


def read(annotation: object, *, constraints: bool = False) -> ir.TypeShape:
    return Shapes(globals(), Everything(), constraints).from_type(annotation, HERE)


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (None, ir.Scalar(name="none")),
        (bool, ir.Scalar(name="bool")),
        (datetime, ir.Scalar(name="datetime")),
        (Any, ir.Scalar(name="any")),
        (list[int], ir.ListShape(item=INT)),
        (typing.List[int], ir.ListShape(item=INT)),  # noqa: UP006  # people still write it
        (dict[str, int], ir.DictShape(value=INT)),
        (int | None, ir.OptionalShape(item=INT)),
        (Optional[int], ir.OptionalShape(item=INT)),  # noqa: UP045  # people still write it
        (Union[None, int], ir.OptionalShape(item=INT)),  # noqa: UP007  # people still write it
        (Literal["a", 1, True], ir.LiteralShape(values=("a", 1, True))),
        (Literal["a", None], ir.OptionalShape(item=ir.LiteralShape(values=("a",)))),
        (Literal[None], ir.Scalar(name="none")),
        (Optional[Any], ir.Scalar(name="any")),  # noqa: UP045  # people still write it
        (ForwardRef("int"), INT),
        ("list['int']", ir.ListShape(item=INT)),
        (Number, INT),
        (collections.abc.Callable[[int], None], ir.CallableShape(parameters=(INT,), result=ir.Scalar(name="none"))),
        (collections.abc.Callable[[], collections.abc.Awaitable[int]], ir.CallableShape(parameters=(), result=INT)),
    ],
)
def test_types_that_travel(annotation: object, shape: ir.TypeShape) -> None:
    assert repr(read(annotation)) == repr(shape)


def test_models_and_interfaces_are_named_and_told() -> None:
    told = Everything()
    shape = Shapes(globals(), told, False).from_text("dict[str, Book | Loan | None]", HERE)
    assert isinstance(shape, ir.Unsupported)
    shape = Shapes(globals(), told, False).from_text("list[Book | None]", HERE)
    assert shape == ir.ListShape(
        item=ir.OptionalShape(item=ir.ModelShape(model=ir.Reference(module=__name__, name="Book")))
    )
    assert read(Loan) == ir.InterfaceShape(interface=ir.Reference(module=__name__, name="Loan"))
    assert told.told == ["Book"]


def test_a_reason_against_a_model_is_passed_on() -> None:
    class Refusing(Everything):
        def model(self, model: type[BaseModel]) -> typing.Any:
            return "no", "use another"

    shape = Shapes(globals(), Refusing(), False).from_text("list[Book]", HERE)
    assert shape == ir.Unsupported(reason="no", hint="use another", position=HERE)


def test_constraints_are_left_to_those_who_check_them() -> None:
    limited = Annotated[int, "positive"]
    assert read(limited, constraints=True) == INT
    assert isinstance(read(limited), ir.Unsupported)


def test_a_type_that_contains_itself_is_refused() -> None:
    namespace = {"Nested": "list[Nested]"}
    shape = Shapes(namespace, Everything(), False).from_text("Nested", HERE)
    assert isinstance(shape, ir.Unsupported)
    assert shape.reason == "this type contains itself"


@given(st.one_of(st.integers(), st.lists(st.integers()), st.text(alphabet="abc[]|. ,", min_size=1), st.binary()))
def test_whatever_stands_in_an_annotation_has_an_answer(annotation: object) -> None:
    shape = read(annotation)
    if isinstance(shape, ir.Unsupported):
        assert shape.reason
        assert shape.hint


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (None, "None"),
        (int, "int"),
        (list[int], "list[int]"),
        (typing.Iterable[datetime], "Iterable[datetime]"),
        (list[Book], "list[Book]"),
    ],
)
def test_types_are_described_as_people_write_them(annotation: object, text: str) -> None:
    assert shapes.describe(annotation) == text
