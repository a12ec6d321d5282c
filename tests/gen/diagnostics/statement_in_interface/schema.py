from typing import Protocol


class Api(Protocol):
    if True:
        async def get(self) -> int: ...
