"""The services: quotes, which the market cannot do without, and news, which it can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from capnweb_runtime.health import Check
from examples.backend.services.cache import Cache, key
from examples.backend.services.dependencies import Agency, Exchange, News, Quotes
from examples.backend.services.generated.market import MarketTarget
from examples.backend.services.schemas.market import Company


class QuoteService:
    """Prices, from the exchange or from the cache.

    Parameters:
        exchange: knows the prices.
        cache: is asked first.
    """

    def __init__(self, exchange: Exchange, cache: Cache[int]) -> None:
        self._exchange = exchange
        self._cache = cache

    async def cents(self, symbol: str) -> int:
        """What a share costs."""
        return await self._cache.get(key("quote", symbol), lambda: self._exchange.trade_price(symbol))

    async def warm(self, symbols: Iterable[str]) -> None:
        """Ask for what everybody will ask for."""
        by_key = {key("quote", symbol): symbol for symbol in symbols}
        await self._cache.warm(by_key, lambda one: self._exchange.trade_price(by_key[one]))

    def price_changed(self, symbol: str) -> None:
        """Forget what was cached."""
        self._cache.forget(key("quote", symbol))

    def checks(self) -> list[Check]:
        """The exchange is required: without prices there is no market."""
        return [Check("exchange", self._exchange.ping)]


class NewsService:
    """Headlines, of those companies whose shares are traded.

    Parameters:
        agency: writes them.
        quotes: tells what is traded: any object that gives prices, not the service above.
    """

    def __init__(self, agency: Agency, quotes: Quotes) -> None:
        self._agency = agency
        self._quotes = quotes

    async def headlines(self, symbol: str) -> list[str]:
        """What is written about a company."""
        cents = await self._quotes.cents(symbol)
        return [f"{article} ({cents / 100:.2f})" for article in await self._agency.articles(symbol)]

    def checks(self) -> list[Check]:
        """The agency is optional: a market without news is still one."""
        return [Check("agency", self._agency.ping, required=False)]


class Market(MarketTarget):
    """What clients call.

    Parameters:
        quotes: the prices.
        news: the headlines.
        symbols: what is traded.
    """

    def __init__(self, quotes: QuoteService, news: News, symbols: Sequence[str]) -> None:
        self._quotes = quotes
        self._news = news
        self._symbols = list(symbols)

    async def company(self, symbol: str) -> Company:
        cents = await self._quotes.cents(symbol)
        try:
            news = await self._news.headlines(symbol)
        except ConnectionError:
            news = None  # nobody knows; the price is worth having all the same
        return Company(symbol=symbol, cents=cents, news=news)

    async def symbols(self) -> list[str]:
        return self._symbols

    async def price_changed(self, symbol: str) -> None:
        self._quotes.price_changed(symbol)
