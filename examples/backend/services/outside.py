"""What belongs to others, and fails when it is told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

PRICES = {"ACME": 1240, "HAL": 910, "WEYL": 4370}


@dataclass
class SlowExchange:
    """An exchange that counts how often it is asked."""

    up: bool = True
    asked: int = 0
    prices: dict[str, int] = field(default_factory=lambda: dict(PRICES))

    async def trade_price(self, symbol: str) -> int:
        """The price of the last trade, after a while."""
        self.asked += 1
        await asyncio.sleep(0.01)
        if not self.up:
            raise ConnectionError("no line to the exchange")
        return self.prices[symbol]

    async def ping(self) -> bool:
        """Whether it answers."""
        return self.up


@dataclass
class FlakyAgency:
    """An agency for news."""

    up: bool = True

    async def articles(self, symbol: str) -> list[str]:
        """What it has written."""
        if not self.up:
            raise ConnectionError("no line to the agency")
        return [f"{symbol} does well"]

    async def ping(self) -> bool:
        """Whether it answers."""
        return self.up
