"""Prices in the customer's currency: from the cache, from the server of rates, from an old rate, or without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from capnweb_runtime import SessionError
from examples.production_patterns.generated.production import RatesStub
from examples.production_patterns.resilience import CircuitOpen
from examples.production_patterns.schemas.production import Price

IN_EUROS = {"tea": 4.0, "cake": 5.5}


@dataclass
class Cache:
    """Rates that were asked for, for a time.

    Parameters:
        ttl: seconds for which a rate is good; each gets up to a tenth more, so that they do not expire all at once.
        clock: the time in seconds.
        chance: chooses how much more.

    Attributes:
        hits: how often a rate was there.
        misses: how often it was not.
    """

    ttl: float
    clock: Callable[[], float]
    chance: Random
    hits: int = 0
    misses: int = 0
    _rates: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])

    def get(self, currency: str) -> float | None:
        """A rate that is still good."""
        rate, until = self._rates.get(currency, (0.0, 0.0))
        if self.clock() < until:
            self.hits += 1
            return rate
        self.misses += 1
        return None

    def stale(self, currency: str) -> float | None:
        """A rate, however old."""
        return self._rates[currency][0] if currency in self._rates else None

    def put(self, currency: str, rate: float) -> None:
        """Keep a rate."""
        self._rates[currency] = (rate, self.clock() + self.ttl * (1 + self.chance.random() / 10))

    @property
    def hit_rate(self) -> float:
        """Hits among all questions; 0 before the first."""
        return self.hits / (self.hits + self.misses) if self.hits else 0.0


class Prices:
    """Answers whatever happens: a price says what it is based on.

    Parameters:
        rates: whom to ask.
        cache: what is asked first.
    """

    def __init__(self, rates: RatesStub, cache: Cache) -> None:
        self._rates = rates
        self.cache = cache

    async def price(self, item: str, currency: str) -> Price:
        """The price of something. Raises LookupError if it is not sold."""
        if item not in IN_EUROS:
            raise LookupError(f"{item} is not sold here")
        rate = self.cache.get(currency)
        if rate is not None:
            return Price(amount=IN_EUROS[item] * rate, currency=currency, basis="current")
        try:
            rate = await self._rates.rate(currency)
        except (SessionError, TimeoutError, CircuitOpen):
            return self._degraded(item, currency)
        self.cache.put(currency, rate)
        return Price(amount=IN_EUROS[item] * rate, currency=currency, basis="current")

    def _degraded(self, item: str, currency: str) -> Price:
        old = self.cache.stale(currency)
        if old is None:
            return Price(amount=IN_EUROS[item], currency="EUR", basis="none")
        return Price(amount=IN_EUROS[item] * old, currency=currency, basis="stale")
