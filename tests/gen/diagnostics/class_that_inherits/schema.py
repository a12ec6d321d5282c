from typing import Protocol


class Base(Protocol):
    async def close(self) -> None: ...


class File(Base):
    async def read(self) -> bytes: ...
