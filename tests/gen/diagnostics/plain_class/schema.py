from typing import Protocol


class Plain: ...


class Api(Protocol):
    async def get(self) -> Plain: ...
