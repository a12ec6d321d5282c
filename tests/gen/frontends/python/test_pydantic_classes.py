"""What pydantic models and pydantic dataclasses have in common. What becomes of it stands in test_pydantic_says.py."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

from capnweb_gen.frontends.python.pydantic_classes import accepted_name, fields_of, other_taker, validating_class


@dataclass
class Base:
    x: int


class Derived(Base):
    pass


@dataclasses.dataclass
class MadeOtherwise(Base):
    y: int = 0


class Model(BaseModel):
    x: int


class Spot(NamedTuple):
    x: int


@pytest.mark.parametrize(
    ("declared", "maker"),
    [(Model, Model), (Base, Base), (Derived, Base), (MadeOtherwise, None), (Spot, None), (int, None)],
)
def test_the_class_whose_validation_makes_instances(declared: type, maker: type | None) -> None:
    assert validating_class(declared) is maker


class ByAlias(BaseModel):
    plain: int
    renamed: int = Field(alias="other")
    several: int = Field(validation_alias=AliasChoices(AliasPath("p", 0), "a", "b"))
    path: int = Field(validation_alias=AliasPath("q", "r"))


class ByName(ByAlias):
    model_config = ConfigDict(populate_by_name=True)


def test_the_key_that_validation_takes() -> None:
    assert [accepted_name(ByAlias, name) for name in ByAlias.model_fields] == ["plain", "other", "a", None]
    assert [accepted_name(ByName, name) for name in ByName.model_fields] == ["plain", "renamed", "several", "path"]


class Crossing(BaseModel):
    first: int = Field(validation_alias=AliasChoices("a", "b"))
    second: int = Field(validation_alias=AliasChoices("b", "c"))
    third: int = Field(validation_alias=AliasChoices("d", AliasPath("plain", 0)))
    plain: int


def test_a_field_that_would_take_what_is_meant_for_another() -> None:
    takers = [other_taker(Crossing, name) for name in Crossing.model_fields]
    assert takers == [None, "first", None, "third"]


@dataclass(config=ConfigDict(alias_generator=lambda name: f"the_{name}"))
class Generated:
    x: int = 0
    y: int = Field(default=0, validation_alias=AliasChoices(AliasPath("p", 0), "q"))


def test_aliases_that_pydantic_tells_only_its_own_schema_are_found() -> None:
    told = fields_of(Generated)
    kept: Any = vars(Generated)["__pydantic_fields__"]
    for info in kept.values():  # as pydantic left it until 2.11
        info.validation_alias = info.serialization_alias = None
    found = fields_of(Generated)
    assert [info.serialization_alias for info in found.values()] == ["the_x", told["y"].serialization_alias]
    assert [accepted_name(Generated, name) for name in found] == ["the_x", "q"]
