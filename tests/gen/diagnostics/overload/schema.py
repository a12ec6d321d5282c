from typing import Protocol, overload


class Api(Protocol):
    @overload
    async def get(self, key: int) -> int: ...
    @overload
    async def get(self, key: str) -> str: ...
