from typing import Protocol

WIRE_CASE = "camel"


class Api(Protocol):
    async def get(self, *, user_id: int, userId: int) -> int: ...
