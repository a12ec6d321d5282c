from typing import Protocol

from pydantic import BaseModel


class _Hidden(BaseModel):
    x: int


class Api(Protocol):
    async def get(self) -> _Hidden: ...
