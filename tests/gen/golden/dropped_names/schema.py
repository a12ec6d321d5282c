from dataclasses import dataclass
from typing import Protocol, TypedDict

from pydantic import BaseModel, Field

from capnweb_runtime.schema import raises, wire_name

WIRE_CASE = "camel"

Inherited = TypedDict("Inherited", {"constructor": int, "fine": int})


class Model(BaseModel):
    to_string: str
    plain: int = Field(alias="__proto__")
    constructor: int = Field(alias="made_by")


@dataclass
class Record:
    value_of: int


class Failed(Exception):
    has_own_property: bool = False


class Api(Protocol):
    @property
    def constructor(self) -> int: ...
    @raises(Failed)
    async def to_string(self, model: Model, record: Record, typed: Inherited) -> None: ...
    async def to_json(self) -> str: ...
    @wire_name("valueOf")
    async def value(self, to_json: int, *, to_locale_string: int) -> int: ...
