from typing import Protocol, SupportsInt


class Number(SupportsInt, Protocol):
    async def get(self) -> int: ...
