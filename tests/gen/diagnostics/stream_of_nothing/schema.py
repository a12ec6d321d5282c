from collections.abc import AsyncIterator
from typing import Protocol


class Api(Protocol):
    async def read(self) -> AsyncIterator: ...
