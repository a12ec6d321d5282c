from typing import Protocol

from pydantic import BaseModel


class Outer:
    class Inner(BaseModel):
        x: int


class Api(Protocol):
    async def get(self) -> Outer.Inner: ...
