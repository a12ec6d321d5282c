from typing import Protocol


class Outside(Protocol):
    async def get(self) -> int: ...
