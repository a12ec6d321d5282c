"""Types: from what Python makes of an annotation to the IR. What is refused stands in the golden cases."""

from __future__ import annotations

import collections.abc
import enum
import sys
import typing
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ForwardRef, Literal, Optional, Protocol, Union
from uuid import UUID

import pytest
import typing_extensions
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from capnweb_gen import ir
from capnweb_gen.frontends.python import shapes
from capnweb_gen.frontends.python.generics import interface_name
from capnweb_gen.frontends.python.shapes import Shapes
from capnweb_runtime import schema
from tests.gen.conftest import Compile

HERE = ir.Position(line=1, column=1)
INT = ir.Scalar(name="int")


STR = ir.Scalar(name="str")
NUMBER = ir.UnionShape(members=(INT, ir.Scalar(name="float")))


Number = typing_extensions.TypeAliasType("Number", int)
RED = ir.LiteralShape(values=("a",))
Real = typing_extensions.TypeAliasType("Real", int | float)


UserId = typing.NewType("UserId", int)
T = typing.TypeVar("T")


class Access(enum.Flag):
    READ = 1


def named(name: str) -> ir.Reference:
    return ir.Reference(module=__name__, name=name)


class Book(BaseModel):
    title: str


class Page(BaseModel, typing.Generic[T]):
    items: list[T]


class Spot(typing.NamedTuple):
    x: int


class Loan(Protocol):
    async def renew(self) -> None: ...


class Everything:
    """Lets every model and interface pass, and keeps their names."""

    home = __name__

    def __init__(self) -> None:
        self.told: list[str] = []

    def namespace(self, module: str) -> dict[str, Any]:
        return vars(sys.modules[module])

    def model(self, model: typing.Any) -> None:
        self.told.append(model.__name__)

    def interface(self, interface: type) -> None:
        self.told.append(interface.__name__)

    def instance(self, origin: type, arguments: tuple[object, ...]) -> ir.Reference:
        return ir.Reference(module=self.home, name=str(interface_name(origin, arguments)))

    def error(self, error: type[BaseException]) -> None:
        self.told.append(error.__name__)


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
        (collections.abc.Sequence[int], ir.ListShape(item=INT)),
        (typing.Mapping[str, int], ir.DictShape(value=INT)),  # people still write it
        (tuple[int, str], ir.TupleShape(items=(INT, STR))),
        (collections.abc.AsyncIterator[int], ir.StreamShape(item=INT)),
        (typing.AsyncIterable[int], ir.StreamShape(item=INT)),  # people still write it
        (schema.Writable[int], ir.WritableShape(item=INT)),
        (schema.Stub, ir.StubShape()),
        (schema.Stub | None, ir.OptionalShape(item=ir.StubShape())),
        (schema.Blob, ir.Scalar(name="blob")),
        (schema.Url, ir.Scalar(name="url")),
        (schema.Headers, ir.Scalar(name="headers")),
        (schema.Request, ir.Scalar(name="request")),
        (schema.Response, ir.Scalar(name="response")),
        (int | float, NUMBER),
        (Union[int, float, None], ir.OptionalShape(item=NUMBER)),  # noqa: UP007  # people still write it
        (Real, NUMBER),
        (Union[Real, None], ir.OptionalShape(item=NUMBER)),  # noqa: UP007  # an alias cannot stand before a bar
        (Union[Real, int, str], ir.UnionShape(members=(*NUMBER.members, STR))),  # noqa: UP007  # likewise
        (Union[Literal["a", None], int], ir.OptionalShape(item=ir.UnionShape(members=(RED, INT)))),  # noqa: UP007
        (Union[Literal[None], int, str], ir.OptionalShape(item=ir.UnionShape(members=(INT, STR)))),  # noqa: UP007
        (int | list[int], ir.UnionShape(members=(INT, ir.ListShape(item=INT)))),
        (bytearray, ir.Scalar(name="bytearray")),
        (date, ir.Scalar(name="date")),
        (timedelta, ir.Scalar(name="timedelta")),
        (Decimal, ir.Scalar(name="decimal")),
        (UUID, ir.Scalar(name="uuid")),
        (set[int], ir.CollectionShape(container="set", item=INT)),
        (typing.FrozenSet[int], ir.CollectionShape(container="frozenset", item=INT)),  # noqa: UP006
        (tuple[int, ...], ir.CollectionShape(container="tuple", item=INT)),
        (Access, ir.EnumShape(enum=named("Access"), members=(ir.EnumMember(name="READ", value=1),), flag=True)),
        (UserId, ir.NewTypeShape(new_type=named("UserId"), item=INT)),
        (collections.abc.Callable[[int], None], ir.CallableShape(parameters=(INT,), result=ir.Scalar(name="none"))),
        (collections.abc.Callable[[], collections.abc.Awaitable[int]], ir.CallableShape(parameters=(), result=INT)),
    ],
)
def test_types_that_travel(annotation: object, shape: ir.TypeShape) -> None:
    assert repr(read(annotation)) == repr(shape)


def test_models_and_interfaces_are_named_and_told() -> None:
    told = Everything()
    shape = Shapes(globals(), told, False).from_text("list[Book | None]", HERE)
    assert shape == ir.ListShape(
        item=ir.OptionalShape(item=ir.ModelShape(model=ir.Reference(module=__name__, name="Book")))
    )
    assert read(Loan) == ir.InterfaceShape(interface=ir.Reference(module=__name__, name="Loan"))
    assert told.told == ["Book"]


@pytest.mark.parametrize("text", ["Loan | None | str", "int | Any", "Union[Real, Loan]", "int | schema.Url"])
def test_unions_with_what_looks_like_anything_are_refused(text: str) -> None:
    shape = Shapes(globals(), Everything(), False).from_text(text, HERE)
    assert isinstance(shape, ir.Unsupported)
    assert "is a union with" in shape.reason


def test_a_generic_model_is_one_of_the_schema_that_names_it() -> None:
    told = Everything()
    shape = Shapes(globals(), told, False).from_text("Page[Book]", HERE)
    assert shape == ir.ModelShape(model=ir.Reference(module=Everything.home, name="PageBook"))
    assert told.told == ["Book", "Page[Book]"]
    assert isinstance(read(Page), ir.Unsupported)


def test_constraints_become_part_of_the_type() -> None:
    assert read(Annotated[int, Ge(0)]) == ir.ConstrainedShape(item=INT, ge=0)
    assert read(Annotated[int, Ge(0)], constraints=True) == INT


def test_records_are_models() -> None:
    told = Everything()
    assert isinstance(Shapes(globals(), told, False).from_text("Spot", HERE), ir.ModelShape)
    assert told.told == ["Spot"]


def test_a_reason_against_a_model_is_passed_on() -> None:
    class Refusing(Everything):
        def model(self, model: object) -> typing.Any:
            return "no", "use another"

    shape = Shapes(globals(), Refusing(), False).from_text("list[Book]", HERE)
    assert shape == ir.Unsupported(reason="no", hint="use another", position=HERE)


def test_constraints_are_left_to_those_who_check_them() -> None:
    limited = Annotated[int, "positive"]
    assert read(limited, constraints=True) == INT
    assert isinstance(read(limited), ir.Unsupported)


def test_what_the_newest_alias_statement_makes_is_an_alias() -> None:
    made: Any = vars(typing).get("TypeAliasType", typing_extensions.TypeAliasType)
    assert read(made("Numbers", list[int])) == ir.ListShape(item=INT)


if sys.version_info >= (3, 12):  # before, the text cannot be parsed

    def test_alias_statements_and_type_parameters_are_read(compile_text: Compile) -> None:
        compiled = compile_text(
            """
            from pydantic import BaseModel

            type Number = int | float

            class Page[T](BaseModel):
                items: list[T]

            class Api(Protocol):
                async def add(self, a: Number) -> Page[int]: ...
            """
        )
        (method,) = compiled.schemas[0].interfaces[0].members
        assert isinstance(method, ir.Method)
        assert method.parameters[0].type == NUMBER
        assert method.result == ir.ModelShape(model=ir.Reference(module="schemas.api", name="PageInt"))


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


SECRETS = """
from dataclasses import dataclass
from typing import Annotated, Generic, NewType, TypeAlias, TypeVar
from pydantic import BaseModel, Field
from pydantic.dataclasses import dataclass as checked
from typing_extensions import TypeAliasType
from capnweb_runtime.schema import SECRET, Secret, raises

T = TypeVar("T")
Id = NewType("Id", str)
Token = TypeAliasType("Token", Secret[str])
Old: TypeAlias = Secret[str]


class Page(BaseModel, Generic[T]):
    number: int
    items: list[T]


class Box(Protocol[T]):
    async def get(self) -> T: ...
    async def size(self) -> int: ...


@checked
class Pin:
    pin: Secret[int]


class Bad(Exception):
    token: Secret[str]
    code: int


class Api(Protocol):
    async def all(
        self, a: Token, b: Old, c: "Secret[str]", d: Annotated[str, SECRET, Field(min_length=3)], e: Secret[Id],
        f: list["Token"], g: dict[str, Secret[int]] | None, h: tuple[int, Secret[str]]
    ) -> None: ...
    @raises(Bad)
    async def none(self, a: str, pin: Pin, b: Id) -> Pin: ...
    async def page(self) -> Page[Secret[str]]: ...
    async def box(self) -> Box[Secret[str]]: ...
"""


def test_what_is_secret_is_noted_however_it_is_written(compile_text: Compile) -> None:
    compiled = compile_text(SECRETS)
    assert not compiled.diagnostics
    (schema,) = compiled.schemas
    members = {f"{one.name}.{member.name}": member for one in schema.interfaces for member in one.members}
    assert [name for name, member in members.items() if member.secret] == ["Api.page", "Api.box", "BoxStr.get"]
    every, none = members["Api.all"], members["Api.none"]
    assert isinstance(every, ir.Method)
    assert isinstance(none, ir.Method)
    assert all(parameter.secret for parameter in every.parameters)
    assert not any(parameter.secret for parameter in none.parameters)
    fields = {f"{one.name}.{field.name}" for one in schema.models for field in one.fields if field.secret}
    assert fields == {"Pin.pin", "PageStr.items"}
    (error,) = schema.errors
    assert [field.name for field in error.fields if field.secret] == ["token"]


def test_what_is_not_secret_does_not_say_so(compile_text: Compile) -> None:
    (schema,) = compile_text("""
        from capnweb_runtime.schema import Secret
        class Api(Protocol):
            async def get(self, key: str) -> int: ...
            async def put(self, key: Secret[str], value: int) -> None: ...
    """).schemas
    assert schema.model_dump_json().count('"secret"') == 1
    assert ir.Schema.model_validate_json(schema.model_dump_json()) == schema
