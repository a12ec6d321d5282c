from typing import Protocol


class Left(Protocol):
    async def size(self) -> int: ...


class Right(Protocol):
    async def size(self) -> str: ...


class Both(Left, Right, Protocol): ...
