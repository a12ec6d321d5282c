from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import AliasPath, BaseModel, ConfigDict, Field, computed_field, field_serializer, model_serializer

from capnweb_runtime.schema import Request, Response

if TYPE_CHECKING:
    from datetime import datetime


@runtime_checkable
class Member(Protocol):
    async def use(self) -> None: ...


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    member: Member
    stream: AsyncIterator[int]
    request: Request
    responses: list[Response]
    functions: list[Callable[[int], int]]
    many: set[int]
    hidden: int = Field(default=0, exclude=True)
    deep: int = Field(validation_alias=AliasPath("a", 0))


class Serialized(BaseModel):
    value: int

    @field_serializer("value")
    def as_text(self, value: int) -> str:
        return str(value)

    @computed_field
    @property
    def double(self) -> complex:
        return self.value * 2


class Whole(BaseModel):
    @model_serializer
    def as_text(self) -> str:
        return ""


class Incomplete(BaseModel):
    when: datetime


class _Hidden(BaseModel):
    pass


class Outer:
    class Inner(BaseModel):
        pass


class Api(Protocol):
    async def get(self) -> _Hidden: ...
    async def inner(self) -> Outer.Inner: ...
