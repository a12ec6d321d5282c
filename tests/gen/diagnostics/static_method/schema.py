from typing import Protocol


class Api(Protocol):
    @staticmethod
    async def now() -> float: ...
