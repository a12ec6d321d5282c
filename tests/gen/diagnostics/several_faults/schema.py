from pathlib import PosixPath
from typing import Protocol

from pydantic import BaseModel


class Page(BaseModel):
    file: PosixPath


class Api(Protocol):
    limit: int

    async def dup(self, key, größe: "dict[str, list]", 寸法=1) -> list: ...
