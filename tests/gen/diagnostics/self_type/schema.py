from typing import Protocol, Self


class Api(Protocol):
    async def fork(self) -> Self: ...
