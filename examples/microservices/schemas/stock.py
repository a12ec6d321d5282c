"""The service stock: how much of it there is."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import Ge

from capnweb_runtime.schema import cancellable, idempotent, raises


class SoldOut(Exception):
    """There is not that much. `left` is what there is."""

    left: int

    def __init__(self, left: int) -> None:
        super().__init__(f"there are {left} left")
        self.left = left


class Stock(Protocol):
    """How much there is."""

    @idempotent
    @cancellable
    async def levels(self, numbers: list[int]) -> list[int]:
        """How much there is of some products, in their order."""
        ...

    @raises(SoldOut)
    async def reserve(self, number: int, count: Annotated[int, Ge(1)]) -> str:
        """Put something aside, and give the reservation. Calling it twice puts it aside twice."""
        ...
