from typing import Protocol


class Api(Protocol):
    async def get(self, keys: list[int] = [1, 2]) -> int: ...
