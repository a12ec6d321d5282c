"""The shop and its client do what the README claims."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import CallInfo, Connected, Disconnected, Proceed, Reconnect, SessionClosed, connect, serve
from capnweb_runtime.testing import PairFixture
from examples.form.testing import as_documented
from examples.resilient_rpc.client import Prices, Quote, Unknown, all_sales, drawn
from examples.resilient_rpc.generated.resilient_rpc import ShopStub
from examples.resilient_rpc.ledger import Ledger
from examples.resilient_rpc.line import Line
from examples.resilient_rpc.proxy import Place, Proxy
from examples.resilient_rpc.schemas.resilient_rpc import NoSuchProduct
from examples.resilient_rpc.server import SALES, Shop
from tests.chaos.proxy import Proxy as ByteProxy
from tests.runtime.transports.example_api import Example, ExampleStub

AT_ONCE = Reconnect(first=0.001, longest=0.002)
FIRST = Connected(number=1, attempts=1, lost=None)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "shop.sqlite")) as ledger:
        yield ledger


@pytest.fixture
async def port(ledger: Ledger) -> AsyncIterator[int]:
    shop = Shop(ledger)
    async with asyncio.timeout(60), serve(lambda peer: shop, "127.0.0.1", 0) as server:
        yield server.port


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("resilient_rpc")
    assert ran.number("of them lost") == 0
    assert ran.number("orders that were asked for twice, and carried out once") == 11
    assert ran.number("draws that were carried out twice") == 0
    assert ran.number("draws whose outcome is unknown") == 21
    assert ran.number("of them carried out, as only the ledger knows") == 11
    assert ran.number("lines of the report") == SALES
    assert ran.claims["the server is killed: the price"] == "9.19, last known"


# ---- what may be called twice, and what may not


@pytest.mark.parametrize("place", [Place.BEFORE, Place.IN_CALL, Place.AFTER, Place.IN_ANSWER])
async def test_a_call_that_may_be_repeated_is_answered_and_carried_out_once(
    port: int, ledger: Ledger, place: Place
) -> None:
    async with Proxy(port) as proxy, connect(proxy.url, ShopStub, reconnect=AT_ONCE) as shop:
        proxy.arm(place, "order")
        assert await shop.order("a key", "lamp") == 1
        assert proxy.cuts == 1
    assert ledger.orders() == {"a key": 2 if place in {Place.AFTER, Place.IN_ANSWER} else 1}


@pytest.mark.parametrize("place", [Place.BEFORE, Place.IN_CALL, Place.AFTER, Place.IN_ANSWER])
async def test_a_call_that_may_not_be_repeated_is_not_and_its_outcome_is_said_to_be_unknown(
    port: int, ledger: Ledger, place: Place
) -> None:
    async with Proxy(port) as proxy, connect(proxy.url, ShopStub, reconnect=AT_ONCE) as shop:
        proxy.arm(place, "draw")
        assert await drawn(shop, "ada") == Unknown()
        assert await drawn(shop, "bob") != Unknown()
    assert ledger.draws() == {"bob": 1} | ({"ada": 1} if place in {Place.AFTER, Place.IN_ANSWER} else {})


@pytest.mark.parametrize("seed", range(5))
async def test_many_at_once_over_a_line_that_is_cut_at_any_byte_lose_nothing_and_do_nothing_twice(
    port: int, ledger: Ledger, seed: int
) -> None:
    chance = random.Random(seed)
    cuts = 30

    def allow(connection: int, upward: bool, passed: int, size: int) -> int:
        nonlocal cuts
        if cuts and passed > 500 and chance.random() < 0.1:
            cuts -= 1
            return chance.randrange(size)
        return size

    outcomes: dict[str, int | Unknown] = {}

    async def caller(shop: ShopStub, name: str) -> None:
        for number in range(10):
            key = f"{name} {number}"
            outcomes[key] = await drawn(shop, key)
            assert await shop.order(key, "lamp")
            assert await shop.price("rug") == 4990

    async with ByteProxy(port, allow) as proxy, connect(proxy.url, ShopStub, reconnect=AT_ONCE) as shop:
        await asyncio.gather(*(caller(shop, f"caller {number}") for number in range(8)))
    draws = Counter(ledger.draws())
    answered = {key for key, outcome in outcomes.items() if outcome != Unknown()}
    assert max(draws.values()) == 1
    assert answered <= draws.keys() <= outcomes.keys()
    assert ledger.orders().keys() == outcomes.keys()
    assert proxy.connections > 1


# ---- streams and subscriptions


async def test_a_stream_that_breaks_goes_on_from_where_it_broke(port: int) -> None:
    async with Proxy(port) as proxy, connect(proxy.url, ShopStub, reconnect=AT_ONCE) as shop:
        proxy.cut_after(frames=40, connections=5)
        assert [sale.number async for sale in all_sales(shop)] == list(range(1, SALES + 1))
        assert proxy.cuts == 5


async def test_a_stream_of_a_client_that_has_ended_ends(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/", ShopStub, reconnect=AT_ONCE) as shop:
        sales = all_sales(shop)
        assert (await anext(sales)).number == 1
    with pytest.raises(SessionClosed):
        async for _ in sales:
            pass


async def test_a_subscriber_is_told_what_it_has_missed_once_and_in_order(port: int, ledger: Ledger) -> None:
    seen: list[int] = []
    prices = Prices(on_change=lambda change: seen.append(change.version))
    line = Line(prices)
    url = f"ws://127.0.0.1:{port}/"
    async with (
        Proxy(port) as proxy,
        connect(url, ShopStub) as owner,
        connect(proxy.url, ShopStub, reconnect=line.policy),
    ):
        for cents in range(30):
            if cents % 3 == 0:
                proxy.cut()
            await owner.set_price("lamp", cents)
        await prices.until(33)
    assert seen == list(range(1, 34))


# ---- degradation


async def test_a_server_that_does_not_answer_in_time_is_a_price_that_was_last_known(
    ledger: Ledger, capnweb_pair: PairFixture
) -> None:
    async def hang(call: CallInfo, proceed: Proceed) -> Any:
        return await (asyncio.Event().wait() if call.name == "Shop.price" else proceed(call))

    prices = Prices(patience=0.001)
    async with capnweb_pair(Shop(ledger), ShopStub, interceptors=[hang]) as shop:
        await prices.subscribe(shop, FIRST)
        await prices.until(3)
        assert await prices.quote(shop, "lamp") == Quote(1990, "last known")


async def test_what_there_is_not_is_no_reason_to_fall_back(ledger: Ledger, capnweb_pair: PairFixture) -> None:
    prices = Prices()
    async with capnweb_pair(Shop(ledger), ShopStub) as shop:
        await prices.subscribe(shop, FIRST)
        with pytest.raises(NoSuchProduct):
            await prices.quote(shop, "boat")


async def test_who_has_never_known_a_price_has_that_of_the_catalogue(ledger: Ledger, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Shop(ledger), ShopStub) as shop:
        assert await Prices().quote(shop, "vase") == Quote(999, "catalogue")


async def test_calls_that_wait_for_too_long_say_that_they_have_not_been_sent(port: int) -> None:
    lost = asyncio.Event()
    policy = Reconnect(
        first=30, longest=30, random=lambda: 1.0, wait_time=0.001, on_disconnect=lambda error: lost.set()
    )
    async with Proxy(port) as proxy, connect(proxy.url, ShopStub, reconnect=policy) as shop:
        proxy.cut()
        await lost.wait()
        with pytest.raises(Disconnected) as caught:
            await shop.price("lamp")
        assert not caught.value.sent


# ---- the proxy


@pytest.mark.parametrize("size", [10, 200, 70_000])
async def test_the_proxy_passes_frames_of_every_size_on(size: int) -> None:
    async with (
        asyncio.timeout(60),
        serve(Example, "127.0.0.1", 0) as server,
        Proxy(server.port) as proxy,
        connect(proxy.url, ExampleStub) as api,
    ):
        proxy.arm(Place.BEFORE, "wait")  # so that it looks into each frame
        assert await api.echo("x" * size) == "x" * size
        assert proxy.cuts == 0
