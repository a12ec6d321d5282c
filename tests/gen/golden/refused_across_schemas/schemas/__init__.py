from typing import Protocol


class InPackage(Protocol):
    async def get(self) -> int: ...
