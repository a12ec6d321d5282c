from typing import Protocol


class Api(Protocol):
    @classmethod
    async def create(cls) -> None: ...
