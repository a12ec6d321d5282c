from typing import Protocol


class Base(Protocol):
    async def size(self) -> int: ...


class Derived(Base, Protocol):
    @property
    def size(self) -> int: ...
