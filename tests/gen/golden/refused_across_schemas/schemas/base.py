from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    from tests.gen.golden.refused_across_schemas.schemas.derived import Derived


class Record(BaseModel):
    value: int


class Base(Protocol):
    async def derived(self) -> Derived: ...
