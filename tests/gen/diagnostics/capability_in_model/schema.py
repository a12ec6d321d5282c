from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict


@runtime_checkable
class Cursor(Protocol):
    async def next(self) -> int: ...


class Page(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    cursor: Cursor
