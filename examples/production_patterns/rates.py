"""The server of the rates of exchange, which fails on demand: everybody depends on somebody."""

from __future__ import annotations

from examples.production_patterns.generated.production import RatesTarget

IN_FRANCS = 0.95


class Rates(RatesTarget):
    """Rates.

    Attributes:
        asked: how often a rate was asked for.
        failing: how many of the next questions fail.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.failing = 0

    async def rate(self, currency: str) -> float:
        self.asked += 1
        if self.failing:
            self.failing -= 1
            raise TimeoutError("the exchange does not answer")
        return IN_FRANCS
