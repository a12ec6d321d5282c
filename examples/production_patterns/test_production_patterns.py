"""The production patterns hold, and so do their parts when each is asked alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from capnweb_runtime.testing import PairFixture
from examples.form.testing import as_documented
from examples.production_patterns.generated.production import RatesStub
from examples.production_patterns.patterns import Clock
from examples.production_patterns.prices import Cache, Prices
from examples.production_patterns.rates import Rates
from examples.production_patterns.resilience import Breaker, CircuitOpen, Retry
from examples.production_patterns.schemas.production import NoRoom, Settings
from examples.production_patterns.store import NOTES, Store


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("production_patterns")
    assert ran.number("answered writes that were lost") == 0
    assert ran.number("hit rate") == 98
    assert ran.number("questions to it while the circuit is open") == 0


async def test_only_what_is_idempotent_is_repeated(capnweb_pair: PairFixture) -> None:
    clock, rates = Clock(), Rates()
    retry = Retry(3, 0.05, Random(1), clock.sleep)
    async with capnweb_pair(rates, RatesStub, client_interceptors=[retry]) as stub:
        rates.failing = 2
        assert await stub.rate("CHF") == 0.95
        rates.failing = 3
        with pytest.raises(TimeoutError):
            await stub.rate("CHF")
    assert retry.repeated == 4
    assert rates.asked == 6
    assert clock.now > Clock().now, "it waits between two attempts"


async def test_an_open_breaker_tries_once_after_its_pause(capnweb_pair: PairFixture) -> None:
    clock, rates = Clock(), Rates()
    breaker = Breaker(2, 30.0, clock)
    async with capnweb_pair(rates, RatesStub, client_interceptors=[breaker]) as stub:
        rates.failing = 3
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await stub.rate("CHF")
        with pytest.raises(CircuitOpen, match=r"Rates\.rate was not called: its server has failed 2 times in a row"):
            await stub.rate("CHF")
        clock.now += 31
        with pytest.raises(TimeoutError):
            await stub.rate("CHF")
        with pytest.raises(CircuitOpen):
            await stub.rate("CHF")
        clock.now += 31
        assert await stub.rate("CHF") == 0.95
        assert not breaker.is_open
    assert rates.asked == 4


async def test_while_a_breaker_tries_whether_the_server_is_back_others_are_refused(capnweb_pair: PairFixture) -> None:
    clock, rates = Clock(), Rates()
    async with capnweb_pair(rates, RatesStub, client_interceptors=[Breaker(1, 30.0, clock)]) as stub:
        rates.failing = 1
        with pytest.raises(TimeoutError):
            await stub.rate("CHF")
        clock.now += 31
        outcomes = await asyncio.gather(*(stub.rate("CHF") for _ in range(5)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CircuitOpen"] * 4 + ["float"]


async def test_an_unknown_item_is_told_before_anybody_is_asked(capnweb_pair: PairFixture) -> None:
    rates = Rates()
    async with capnweb_pair(rates, RatesStub) as stub:
        prices = Prices(stub, Cache(60.0, Clock(), Random(1)))
        with pytest.raises(LookupError, match="pie is not sold here"):
            await prices.price("pie", "CHF")
    assert rates.asked == 0


def test_of_many_who_use_one_renewal_at_the_same_time_one_succeeds(tmp_path: Path) -> None:
    store = Store(tmp_path / "shop.sqlite")
    store.begin_login("login", "ada")
    assert [store.take_turn("login", 0) for _ in range(5)].count(True) == 1
    assert store.take_turn("login", 1)
    store.end_login("login")
    assert not store.take_turn("login", 2)


def test_what_was_stored_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = Store(tmp_path / "shop.sqlite")
    first.save("ada", Settings(theme="dark"))
    for number in range(NOTES):
        assert first.add_note("ada", "text") == number + 1
    # As after kill -9: nobody closes the first one.
    second = Store(tmp_path / "shop.sqlite")
    assert second.settings("ada").theme == "dark"
    with pytest.raises(NoRoom):
        second.add_note("ada", "text")
    first.close()
    second.close()
