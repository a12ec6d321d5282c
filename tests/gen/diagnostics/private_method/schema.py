from typing import Protocol


class Api(Protocol):
    async def _get(self) -> int: ...
