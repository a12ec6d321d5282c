"""The service stock: `python -m examples.microservices.stock --port 8082`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count

from examples.microservices.generated.stock import StockTarget
from examples.microservices.schemas.stock import SoldOut
from examples.microservices.service import run

STUCK = 4
"""Of this product the shelf has to be counted first, which takes for ever."""


class Stock(StockTarget):
    """Counts what there is, in memory."""

    def __init__(self) -> None:
        self._left = {1: 5, 2: 0, 3: 12}
        self._reservations = count(1)

    async def levels(self, numbers: Sequence[int]) -> list[int]:
        if STUCK in numbers:
            await asyncio.get_running_loop().create_future()  # cancelled once nobody wants the answer
        return [self._left.get(number, 0) for number in numbers]

    def reserve(self, number: int, count: int) -> str:
        left = self._left.get(number, 0)
        if left < count:
            raise SoldOut(left)
        self._left[number] = left - count
        return f"r{next(self._reservations)}"


if __name__ == "__main__":
    stock = Stock()
    run("stock", __doc__, lambda: stock)
