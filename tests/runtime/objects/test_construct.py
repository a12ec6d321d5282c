"""Models made without validation are those that validation makes; what it might change or refuse is validated."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    ValidationError,
    computed_field,
    field_validator,
    model_validator,
)

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.objects.construct import _at_once, constructor

NO_EVALUATOR: Any = None  # it is for what is not complete


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    number: int


class Plain(BaseModel):
    text: str
    number: int = 0
    share: float | None = None
    flag: bool = False
    data: bytes = b""
    anything: Any = None
    when: datetime
    colour: Colour
    kind: Literal["a", 1]
    texts: list[str] = Field(default_factory=list)
    inner: Inner
    inners: list[Inner]


class Tree(BaseModel):
    label: str
    children: list[Tree]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    x: int


def complete() -> dict[str, Any]:
    when = datetime(2024, 1, 1, tzinfo=UTC)
    inner = Inner(number=1)
    found: dict[str, Any] = {"text": "\ud800", "number": 2**70, "share": float("inf"), "flag": True, "data": b"x"}
    return {**found, "anything": {}, "when": when, "colour": Colour.RED, "kind": 1, "texts": ["t"]} | {
        "inner": inner,
        "inners": [inner],
    }


def refused(*_: Any) -> Any:
    raise AssertionError("it was not complete")


def one(model: type[Any], fields: dict[str, Any]) -> Any:
    found = constructor(model, refused)
    assert found is not None
    return found.build(fields, dict(fields), NO_EVALUATOR)


def of_a_list(model: type[Any], fields: dict[str, Any]) -> Any:
    found = constructor(model, refused)
    assert found is not None
    _, made, _ = found.build_each(lambda wire, source: dict(wire), [fields, fields, fields], NO_EVALUATOR)
    return made


def of_a_list_set_from_here(model: type[Any], fields: dict[str, Any]) -> Any:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("capnweb_runtime.objects.construct._at_once", lambda model: None)
        return of_a_list(model, fields)


WAYS = [one, of_a_list, of_a_list_set_from_here]
Way = Callable[[type[Any], dict[str, Any]], Any]


@pytest.mark.parametrize("made", WAYS)
@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Plain, complete()),
        (Tree, {"label": "a", "children": [Tree(label="b", children=[])]}),
        (Frozen, {"x": 1}),
        (Inner, {"number": 1}),
    ],
)
def test_a_plain_model_is_what_validation_makes(made: Way, model: type[BaseModel], fields: dict[str, Any]) -> None:
    mine, its = made(model, dict(fields)), model.model_validate(dict(fields), strict=True)
    for copied in (mine, pickle.loads(pickle.dumps(mine)), copy.copy(mine), copy.deepcopy(mine), mine.model_copy()):
        assert type(copied) is model
        assert copied == its
        assert repr(copied) == repr(its)
        assert list(vars(copied)) == list(vars(its))
        assert copied.model_fields_set == its.model_fields_set
        assert (copied.model_extra, copied.__pydantic_private__) == (its.model_extra, its.__pydantic_private__)
        assert copied.model_dump() == its.model_dump()


@pytest.mark.parametrize("made", WAYS)
def test_each_instance_has_its_own_state(made: Way) -> None:
    first, second = made(Inner, {"number": 1}), made(Inner, {"number": 2})
    first.model_fields_set.clear()
    first.number = 3
    assert (second.number, second.model_fields_set) == (2, {"number"})
    with pytest.raises(ValidationError, match="frozen"):
        made(Frozen, {"x": 1}).x = 2


def test_the_instances_of_a_list_share_nothing() -> None:
    found = constructor(Inner, refused)
    assert found is not None
    first, second = found.build_each(lambda wire, source: dict(wire), [{"number": 1}, {"number": 2}], NO_EVALUATOR)
    first.number = 3
    first.model_fields_set.clear()
    assert (second.number, second.model_fields_set) == (2, {"number"})


def test_pydantic_makes_all_instances_of_a_list_at_once() -> None:
    assert _at_once(Inner) is not None


def test_nothing_is_tried_with_a_class_that_would_notice() -> None:
    class Closing(BaseModel):
        x: int

        def __del__(self) -> None:
            raise AssertionError("this was never made")

    assert _at_once(Closing) is None


def test_a_pydantic_that_would_do_something_else_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Older:
        """Stands for a validator that does not know the argument."""

        def __init__(self, schema: Any) -> None:
            pass

    class Other:
        """Stands for one that makes instances of its own accord."""

        def __init__(self, schema: Any, **_: Any) -> None:
            pass

        def validate_python(self, rows: list[tuple[dict[str, Any], None, set[str]]]) -> list[Inner]:
            return [Inner.model_construct(**fields) for fields, _, _ in rows]

    for validator in (Older, Other):
        monkeypatch.setattr(Inner, "__pydantic_validator__", object.__new__(validator))
        assert _at_once(Inner) is None


class After(BaseModel):
    x: int

    @model_validator(mode="after")
    def judge(self) -> After:
        return self


class Before(BaseModel):
    x: int

    @model_validator(mode="before")
    @classmethod
    def judge(cls, value: Any) -> Any:
        return value


class OneField(BaseModel):
    x: int

    @field_validator("x")
    @classmethod
    def judge(cls, value: int) -> int:
        return value


class Private(BaseModel):
    x: int
    _seen: int = PrivateAttr(0)


class PostInit(BaseModel):
    x: int

    def model_post_init(self, context: Any) -> None:
        pass


class OwnInit(BaseModel):
    x: int

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)


class OwnNew(BaseModel):
    x: int

    def __new__(cls, *args: Any, **values: Any) -> OwnNew:
        return super().__new__(cls)


class Keeping(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int


class Stripping(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    x: str


class ByValue(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    x: Colour


class Revalidated(BaseModel):
    model_config = ConfigDict(revalidate_instances="always")
    x: int


class Holding(BaseModel):
    x: Revalidated


class HoldingAfter(BaseModel):
    x: list[After]


class Bounded(BaseModel):
    x: Annotated[int, Field(ge=0)]


class Finite(BaseModel):
    x: Annotated[float, Field(allow_inf_nan=False)]


class AnnotatedAfter(BaseModel):
    x: Annotated[int, AfterValidator(abs)]


class AnnotatedBefore(BaseModel):
    x: Annotated[int, BeforeValidator(abs)]


class ByKey(BaseModel):
    x: dict[str, int]  # a key with a lone surrogate is refused


class Pair(BaseModel):
    x: tuple[int, str]


class Root(RootModel[int]):
    pass


class Incomplete(BaseModel):
    x: Later  # type: ignore[name-defined]  # noqa: F821  (never defined)


JUDGING = [After, Before, OneField, Private, PostInit, OwnInit, OwnNew, HoldingAfter, AnnotatedAfter, AnnotatedBefore]
SET_OTHERWISE = [Keeping, Stripping, ByValue, Revalidated, Holding, Bounded, Finite, ByKey, Pair]


@pytest.mark.parametrize("model", [*JUDGING, *SET_OTHERWISE, Root, Incomplete, dict])
def test_whatever_validation_may_do_something_to_is_validated(model: type[Any]) -> None:
    assert constructor(model, refused) is None


class Aliased(BaseModel):
    x: int = Field(alias="y")


class Doubled(BaseModel):
    x: int

    @computed_field  # type: ignore[prop-decorator]  # as pydantic documents it
    @property
    def double(self) -> int:
        return 2 * self.x


def build(builder: Any, *wires: dict[str, Any]) -> list[Any]:
    return [builder.build({"x": wire["x"]} if "x" in wire else {}, wire, None) for wire in wires]


def test_only_what_is_complete_is_made_directly() -> None:
    class Defaulted(BaseModel):
        x: int = 5

    builder = rpc.builder(Defaulted, "x")
    assert build(builder, {}, {"x": 1}, {"x": 2}, {}, {"x": 3, "more": 4}) == [
        Defaulted(),
        Defaulted(x=1),
        Defaulted(x=2),
        Defaulted(),
        Defaulted(x=3),
    ]
    assert build(builder, {})[0].model_fields_set == set()


def test_what_is_known_by_an_alias_is_validated() -> None:
    builder = rpc.builder(Aliased, "y")
    for _ in range(3):
        assert builder.build({"y": 1}, {"y": 1}, None) == Aliased(y=1)  # type: ignore[arg-type]  # as above


def test_a_model_that_makes_a_field_itself_does_so() -> None:
    assert [one.double for one in build(rpc.builder(Doubled, "x", computed=("double",)), {"x": 1}, {"x": 2})] == [2, 4]


def test_a_model_that_a_plugin_watches_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    class PluggableSchemaValidator:
        """Stands for pydantic's, which tells plugins of each validation."""

    monkeypatch.setattr(Inner, "__pydantic_validator__", PluggableSchemaValidator())
    assert constructor(Inner, refused) is None


class Forbidding(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int
    y: int = 0


def list_of_forbidding(*, seen: bool) -> Any:
    """A codec: of a model of which no instance has been made, or one."""
    builder = rpc.builder(Forbidding, "x", "y")

    @builder.decoder
    def decode(wire: rpc.Wire, source: rpc.Importer) -> dict[str, rpc.Wire]:
        fields: dict[str, rpc.Wire] = {"x": rpc.INT.read(wire, "x", source)}
        rpc.read_optional(fields, "y", wire, "y", rpc.INT, source)
        return fields

    if seen:
        assert decode({"x": 1, "y": 2}, NO_EVALUATOR) == Forbidding(x=1, y=2)
    return rpc.list_of(rpc.model(Forbidding, lambda value, to: {}, decode, lambda: rpc.RpcPromise))


@pytest.mark.parametrize("seen", [False, True])
def test_a_list_holds_what_its_items_are_one_by_one(seen: bool) -> None:
    codec = list_of_forbidding(seen=seen)
    mixed = codec.decode([[{"x": 1, "y": 2}, {"x": 3}]], NO_EVALUATOR)
    assert mixed == [Forbidding(x=1, y=2), Forbidding(x=3)]
    assert [item.model_fields_set for item in mixed] == [{"x", "y"}, {"x"}]
    assert codec.decode([[{"x": 1, "y": 2}, {"x": 3, "y": 4}]], NO_EVALUATOR) == [
        Forbidding(x=1, y=2),
        Forbidding(x=3, y=4),
    ]
    assert codec.decode([[]], NO_EVALUATOR) == []


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize(
    ("items", "where"),
    [
        ([{"x": 1, "y": 2}, {"x": "1", "y": 2}], "it[1].x"),
        ([{"x": 1, "y": 2}, {"y": 2}], "it[1].x"),
        ([{"x": 1, "y": 2}, {"x": 1, "z": 2}], "it[1].z"),
        ([{"x": 1, "y": 2}, {"x": 1, "y": 2, "z": 3}], "it[1].z"),
        ([{"x": 1, "y": 2, "z": 3}, {"x": "1", "y": 2}], "it[0].z"),
        ([{"x": 1, "y": 2}, {"x": 1, "y": 2, "z": 3}, {"x": 1, "y": "2"}], "it[1].z"),
    ],
)
def test_the_first_fault_of_a_list_is_named(items: list[Any], where: str, seen: bool) -> None:
    with pytest.raises(Mismatch) as caught:
        list_of_forbidding(seen=seen).decode([items], NO_EVALUATOR)
    assert where in str(caught.value.error("it"))
