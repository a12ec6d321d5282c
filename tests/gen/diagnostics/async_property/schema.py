from typing import Protocol


class Api(Protocol):
    @property
    async def name(self) -> str: ...
