"""The services, each alone with doubles for what it depends on, and all of them together."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from examples.backend.services.__main__ import Clock
from examples.backend.services.cache import Cache, key
from examples.backend.services.outside import FlakyAgency, SlowExchange
from examples.backend.services.services import NewsService, QuoteService
from examples.form.testing import as_documented


def cache(clock: Clock | None = None) -> Cache[int]:
    return Cache(60.0, 0.0, clock or Clock(), Random(1))


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("backend/services")
    assert ran.number("questions for 100 clients at once, after the price has expired") == 1
    assert ran.number("questions to the exchange while the cache is warmed") == 3


async def test_news_need_no_quote_service_but_only_something_that_gives_prices() -> None:
    class Fixed:
        async def cents(self, symbol: str) -> int:
            return 150

    assert await NewsService(FlakyAgency(), Fixed()).headlines("ACME") == ["ACME does well (1.50)"]


async def test_a_failed_load_reaches_all_who_wait_and_is_not_kept() -> None:
    exchange = SlowExchange(up=False)
    quotes = QuoteService(exchange, cache())
    outcomes = await asyncio.gather(*(quotes.cents("ACME") for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError] * 5
    assert exchange.asked == 1
    exchange.up = True
    assert await quotes.cents("ACME") == 1240


class Load:
    """A load that says when it has begun, and ends when it is told to."""

    def __init__(self, value: int) -> None:
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self._value = value

    async def __call__(self) -> int:
        self.begun.set()
        await self.go.wait()
        return self._value


async def test_what_is_forgotten_while_it_is_loaded_is_not_kept() -> None:
    old, new, prices = Load(1), Load(2), cache()
    first = asyncio.create_task(prices.get("quote:ACME", old))
    await old.begun.wait()
    assert prices.forget("quote:") == 0, "nothing is cached yet"
    second = asyncio.create_task(prices.get("quote:ACME", new))
    await new.begun.wait()
    new.go.set()
    assert await second == 2
    old.go.set()
    assert await first == 1
    assert await prices.get("quote:ACME", Load(3)) == 2


async def test_one_who_gives_up_does_not_end_the_load_of_the_others() -> None:
    load, prices = Load(1240), cache()
    impatient = asyncio.create_task(prices.get("quote:ACME", load))
    await load.begun.wait()
    patient = asyncio.create_task(prices.get("quote:ACME", Load(0)))
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    load.go.set()
    assert await patient == 1240


async def test_warming_goes_on_where_one_value_cannot_be_had() -> None:
    exchange = SlowExchange()
    quotes = QuoteService(exchange, cache())
    await quotes.warm(["ACME", "NONE", "HAL"])
    asked = exchange.asked
    assert await quotes.cents("HAL") == 910
    assert exchange.asked == asked
    with pytest.raises(LookupError):
        await quotes.cents("NONE")


def test_keys_of_different_things_are_different_whatever_their_parts_hold() -> None:
    assert key("quote", "A:B") != key("quote", "A", "B")
    assert key("quote", "A%3AB") != key("quote", "A:B")


async def test_values_are_forgotten_in_time() -> None:
    clock, loads = Clock(), 0

    async def load() -> int:
        nonlocal loads
        loads += 1
        return loads

    prices = cache(clock)
    assert [await prices.get("a", load), await prices.get("a", load)] == [1, 1]
    clock.now = 60.0
    assert await prices.get("a", load) == 2
