from typing import Protocol


class Api(Protocol):
    async def dup(self) -> int: ...
