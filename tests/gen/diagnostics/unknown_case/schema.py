from typing import Protocol

WIRE_CASE = "kebab"


class Api(Protocol):
    async def get(self) -> int: ...
