from typing import Protocol


class Broken(Protocol):
    async def get(self) -> int: ...


LIMITS = {"small": 1}
LIMIT = LIMITS["large"]
