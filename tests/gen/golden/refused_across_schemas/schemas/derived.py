from typing import Protocol

from pydantic import BaseModel

from tests.gen.golden.refused_across_schemas.outside import Outside
from tests.gen.golden.refused_across_schemas.schemas import base


class Record(BaseModel):
    value: str


class Derived(base.Base, Protocol):
    async def records(self) -> list[Record]: ...
    async def others(self) -> list[base.Record]: ...
    async def outside(self) -> Outside: ...
