from typing import Protocol

LIMITS = {"small": 1}
LIMIT = LIMITS["large"]


class Api(Protocol):
    async def get(self) -> int: ...
