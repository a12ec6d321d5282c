"""Models from the wire: strict, with the field that is wrong in the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, NotRequired

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    computed_field,
    field_validator,
)
from pydantic.dataclasses import dataclass as checked_dataclass
from typing_extensions import TypedDict

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from tests.runtime.example import CounterStub, DeskStub, Point, decode_book, decode_point
from tests.runtime.pair import Side, SyncHost, begin, outcome


class Keeping(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int


class Refusing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int


class Checked(BaseModel):
    age: Annotated[int, Field(ge=0)]
    name: str = Field("nobody", alias="fullName")

    @field_validator("name")
    @classmethod
    def not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("a name has letters")
        return value


def source() -> Evaluator:
    return Evaluator(Loopback(SyncHost()))


def refusal(action: Any) -> str:
    with pytest.raises(Mismatch) as caught:
        action()
    return str(caught.value.error("it"))


def decode_x(model: type[Any], wire: Any) -> Any:
    return rpc.builder(model, "x").build({"x": rpc.INT.read(wire, "x", source())}, wire, source())


def decode_checked(wire: Any) -> Checked:
    fields: dict[str, Any] = {"age": rpc.INT.read(wire, "age", source())}
    rpc.read_optional(fields, "fullName", wire, "fullName", rpc.STR, source())
    return rpc.builder(Checked, "age", "fullName").build(fields, wire, source())


def test_fields_are_read_by_their_names_on_the_wire() -> None:
    book = decode_book({"title": "t", "pageCount": 3, "tags": [["a"]], "place": {"x": 1}}, source())
    assert (book.title, book.pages, book.tags, book.place) == ("t", 3, ["a"], Point(x=1))


def test_absent_and_undefined_fields_are_left_to_the_default() -> None:
    assert decode_point({"x": 1}, source()) == Point(x=1, y=0)
    assert decode_point({"x": 1, "y": ["undefined"]}, source()) == Point(x=1, y=0)
    assert "y" not in decode_point({"x": 1, "y": ["undefined"]}, source()).model_fields_set


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (5, "it: expected Point, got int 5"),
        ([[]], "it: expected Point, got a list of 0"),
        ({}, "it.x: expected int, got nothing: the field is missing"),
        ({"x": ["undefined"]}, "it.x: expected int, got undefined"),
        ({"x": 1, "y": "2"}, "it.y: expected int, got str '2'"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(wire: Any, message: str) -> None:
    assert refusal(lambda: decode_point(wire, source())) == message


def test_unknown_fields_are_ignored_by_default() -> None:
    assert decode_point({"x": 1, "more": ["nan"]}, source()) == Point(x=1)


def test_unknown_fields_are_kept_where_the_model_allows_them() -> None:
    kept = decode_x(Keeping, {"x": 1, "more": [[1, ["bytes", "eA"]]]})
    assert kept.model_extra == {"more": [1, b"x"]}


def test_unknown_fields_are_refused_where_the_model_forbids_them() -> None:
    assert refusal(lambda: decode_x(Refusing, {"x": 1, "more": 1})) == (
        "it.more: expected no such field, got one that the model does not have"
    )
    assert decode_x(Refusing, {"x": 1}).x == 1


def test_names_that_javascript_objects_inherit_are_dropped() -> None:
    assert decode_x(Keeping, {"x": 1, "toString": 1, "__proto__": 2}).model_extra == {}
    assert decode_x(Refusing, {"x": 1, "toString": 1}).x == 1


def test_what_pydantic_refuses_names_the_field() -> None:
    message = refusal(lambda: decode_checked({"age": -1}))
    assert message.startswith("it.age: expected a valid value (")  # and what pydantic says of it
    assert "a name has letters" in refusal(lambda: decode_checked({"age": 1, "fullName": ""}))


def test_aliases_are_what_validation_goes_by() -> None:
    assert decode_checked({"age": 1, "fullName": "Ada"}).name == "Ada"
    assert decode_checked({"age": 1}).name == "nobody"


def test_a_field_that_is_known_by_its_alias_is_no_unknown_one() -> None:
    assert decode_checked({"age": 1, "fullName": "Ada", "more": 1}).name == "Ada"


def test_capabilities_in_fields_that_are_ignored_are_released() -> None:
    side = Side()
    promise = side.main(DeskStub).book("x")
    begin(promise)
    side.hear(["resolve", 1, {"title": "t", "pageCount": 1, "more": [[["export", -1]]], "toString": ["export", -2]}])
    assert outcome(promise).title == "t"
    promise.dispose()
    side.take()
    assert sorted(text for text in side.sent if "release" in text) == [
        '["release",-1,1]',
        '["release",-2,1]',
        '["release",1,1]',
    ]
    side.assert_empty()


class Holder(BaseModel):
    """A model with a capability in it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    counter: CounterStub
    notes: list[Any] = []


def test_a_model_may_hold_capabilities() -> None:
    def decode(wire: Any, source: Evaluator) -> Holder:
        counter = rpc.interface(lambda: CounterStub, rpc_promise, lambda: rpc.RpcTarget)
        fields: dict[str, Any] = {"counter": counter.read(wire, "counter", source)}
        rpc.read_optional(fields, "notes", wire, "notes", rpc.list_of(rpc.ANY), source)
        return rpc.builder(Holder, "counter", "notes").build(fields, wire, source)

    codec = rpc.model(Holder, lambda value, to: {}, decode, rpc_promise, pure=False)
    side = Side()
    evaluator = Evaluator(side.session)
    holder = codec.decode({"counter": ["export", -1], "notes": [[["export", -2]]]}, evaluator)
    assert isinstance(holder.counter, CounterStub)
    for hook in evaluator.hooks:
        hook.dispose()
    assert side.take() == ['["release",-1,1]', '["release",-2,1]']
    side.assert_empty()


def rpc_promise() -> type[rpc.RpcPromise[Any]]:
    return rpc.RpcPromise


# ---- plain records and root models


class Spot(NamedTuple):
    x: int
    y: int = 0


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Even(RootModel[int]):
    @field_validator("root")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


@dataclass
class Positive:
    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("it is negative")


def decode_record(record: type[Any], wire: Any, *names: str) -> Any:
    fields: dict[str, Any] = {}
    for name in names:
        rpc.read_optional(fields, name, wire, name, rpc.INT if name != "title" else rpc.STR, source())
    builder = rpc.typed_dict_builder if record is Movie else rpc.record_builder
    return builder(record, *names).build(fields, wire, source())


def test_a_record_is_made_of_its_fields_and_unknown_ones_are_dropped() -> None:
    assert decode_record(Spot, {"x": 1, "z": 2}, "x", "y") == Spot(1, 0)
    assert decode_record(Movie, {"title": "a"}, "title", "year") == {"title": "a"}
    assert decode_record(Positive, {"value": 1.0}, "value") == Positive(1)


def test_what_a_record_refuses_is_told() -> None:
    message = refusal(lambda: decode_record(Positive, {"value": -1}, "value"))
    assert message == "it: expected a valid value (it is negative), got an object"
    assert "missing 1 required" in refusal(lambda: decode_record(Spot, {}, "x", "y"))


class Doubled(Refusing):
    @computed_field
    def double(self) -> int:
        return 2 * self.x

    @computed_field
    def absent(self) -> int:
        return 0


def test_a_computed_field_is_passed_over_whatever_it_holds() -> None:
    builder = rpc.builder(Doubled, "x", computed=("double", "absent"))
    assert builder.build({"x": 1}, {"x": 1, "double": [["of another type"]]}, source()) == Doubled(x=1)


def test_a_root_model_judges_its_value() -> None:
    assert rpc.root(Even, 2) == Even(2)
    assert "odd" in refusal(lambda: rpc.root(Even, 1))


def test_a_typed_dict_is_sent_by_its_keys() -> None:
    codec = rpc.typed_dict(Movie, lambda value, to: {"title": value["title"]}, lambda wire, source: wire, lambda: Any)  # type: ignore[arg-type, return-value]  # its promise is not asked for
    assert codec.encode({"title": "a"}, Loopback(SyncHost())) == {"title": "a"}
    assert "without the key 'title'" in refusal(lambda: codec.encode({}, Loopback(SyncHost())))
    assert "expected Movie" in refusal(lambda: codec.encode("a", Loopback(SyncHost())))


# ---- what the config of a class says


class Renaming(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int = Field(default=0, validation_alias=AliasChoices("a", AliasPath("b", 0)), serialization_alias="out")


@checked_dataclass(config=ConfigDict(extra="forbid", hide_input_in_errors=True))
class Closed:
    x: Annotated[int, Field(ge=0)]


def test_unknown_fields_that_mean_a_declared_one_are_not_kept_unchecked() -> None:
    wire = {"a": {"not": "an int"}, "b": [[1]], "x": 5}
    made = rpc.builder(Renaming, "out").build({}, wire, source())
    assert (made.x, made.model_extra) == (0, {"x": 5})


def test_a_pydantic_dataclass_may_forbid_unknown_fields() -> None:
    builder = rpc.record_builder(Closed, "x")
    assert builder.build({"x": 1}, {"x": 1}, source()) == Closed(1)
    message = refusal(lambda: builder.build({"x": 1}, {"x": 1, "y": 2}, source()))
    assert message == "it.y: expected no such field, got one that the model does not have"


def test_what_a_class_hides_in_errors_is_not_shown_in_either_direction() -> None:
    def fail(value: Any, other: Any) -> Any:
        raise Mismatch("int", f"str {value!r}").inside("x")

    codec = rpc.model(Closed, fail, fail, lambda: Any)  # type: ignore[arg-type, return-value]  # its promise is not asked for
    to, hidden = Loopback(SyncHost()), "it.x: expected int, got what is not to be shown"
    assert refusal(lambda: codec.encode(Closed(1), to)) == refusal(lambda: codec.decode("secret", source())) == hidden
    shown = rpc.model(Keeping, fail, fail, lambda: Any)  # type: ignore[arg-type, return-value]  # as above
    assert refusal(lambda: shown.decode("word", source())) == "it.x: expected int, got str 'word'"
