"""What pydantic's own schema of a class says. What becomes of it stands in test_pydantic_says.py."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, RootModel, model_validator
from pydantic.dataclasses import dataclass
from typing_extensions import TypeAliasType

from capnweb_gen import ir
from capnweb_gen.frontends.python.pydantic_schemas import FieldSchema, extra_schema, field_schemas, unheard

T = TypeVar("T")
Nested = TypeAliasType("Nested", "list[Nested] | None")


class Tree(BaseModel):
    label: str
    children: list[Tree] = []
    nested: Nested = None

    @model_validator(mode="wrap")
    @classmethod
    def as_is(cls, data: Any, handler: Any) -> Any:
        return handler(data)


class Root(RootModel[list[int]]):
    pass


@dataclass
class Spot(Generic[T]):
    at: T
    name: str = ""


class Keeping(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]  # pyright: ignore[reportIncompatibleVariableOverride]  # as pydantic wants it


def test_the_fields_of_every_kind_of_class_have_a_schema() -> None:
    assert [schema.value()["type"] for schema in field_schemas(Tree).values()] == ["str", "list", "list"]
    assert [schema.value()["type"] for schema in field_schemas(Root).values()] == ["list"]
    assert [schema.value()["type"] for schema in field_schemas(Spot).values()] == ["any", "str"]
    assert field_schemas(int) == {}


def test_what_contains_itself_is_walked_once() -> None:
    kinds = [node["type"] for node in field_schemas(Tree)["nested"].walk()]
    assert kinds.count("list") == 1
    assert [node["type"] for node in field_schemas(Tree)["children"].walk()].count("model") <= 1


def test_other_classes_are_not_entered() -> None:
    assert "str" not in [node["type"] for node in field_schemas(Tree)["children"].walk()]


def test_only_types_that_are_declared_of_extra_fields_count() -> None:
    extra = extra_schema(Keeping)
    assert extra is not None
    assert extra.value()["type"] == "int"
    assert extra_schema(Tree) is None


def test_text_in_json_is_refused_wherever_it_comes_from() -> None:
    schema = FieldSchema({"type": "nullable", "schema": {"type": "json"}}, {})
    fault = unheard(schema, ir.Scalar(name="any"), {})
    assert fault is not None
    assert fault[0].startswith("Json is text before validation")
