"""Puts the services together. Rule: this is the one place that knows all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from capnweb_runtime.health import Health
from examples.backend.services.cache import Cache
from examples.backend.services.dependencies import Agency, Exchange
from examples.backend.services.services import Market, NewsService, QuoteService


@dataclass(frozen=True)
class Services:
    """Everything, made once for a process.

    Attributes:
        quotes: the prices.
        news: the headlines.
        cache: of prices.
        symbols: what is traded.
        health: how all of them are, for the server.
    """

    quotes: QuoteService
    news: NewsService
    cache: Cache[int]
    symbols: Sequence[str]
    health: Health

    def market(self) -> Market:
        """The main object of a session."""
        return Market(self.quotes, self.news, self.symbols)


def wired(
    exchange: Exchange, agency: Agency, symbols: Sequence[str], clock: Callable[[], float], chance: Random
) -> Services:
    """The services, with what they depend on."""
    cache: Cache[int] = Cache(ttl=60.0, jitter=0.2, clock=clock, chance=chance)
    quotes = QuoteService(exchange, cache)
    news = NewsService(agency, quotes)
    checks = [*quotes.checks(), *news.checks()]
    health = Health(alive="/healthz", ready="/readyz", checks=checks, max_age=0)
    return Services(quotes, news, cache, symbols, health)
