from collections.abc import Sized
from typing import Protocol, SupportsAbs


class Measured(SupportsAbs[int], Sized, Protocol):
    async def get(self) -> int: ...
