"""`python -m examples.backend.services`: serves the market, and lets one thing after the other fail."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from aiohttp import ClientSession

from capnweb_runtime import RpcError, connect, serve
from examples.backend.services.cache import Cache, key
from examples.backend.services.client import everything
from examples.backend.services.generated.market import MarketStub
from examples.backend.services.outside import PRICES, FlakyAgency, SlowExchange
from examples.backend.services.wiring import Services, wired
from examples.form.report import Report, approximately
from examples.form.running import run


class Clock:
    """A clock that goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def services(report: Report) -> None:
    """Everything that the README claims."""
    clock, exchange, agency = Clock(), SlowExchange(), FlakyAgency()
    made = wired(exchange, agency, list(PRICES), clock, Random(1))
    async with (
        serve(lambda peer: made.market(), "127.0.0.1", 0, health=made.health) as server,
        connect(server.url, MarketStub) as api,
    ):
        await caching(report, api, exchange, made, clock)
        jitter(report, clock)
        await failing(report, api, exchange, agency, f"http://127.0.0.1:{server.port}/readyz", made)


async def caching(report: Report, api: MarketStub, exchange: SlowExchange, made: Services, clock: Clock) -> None:
    """Warming, single flight, invalidation."""
    report.section("A cache that asks once")
    await made.quotes.warm(PRICES)
    warmed = exchange.asked
    report.check("questions to the exchange while the cache is warmed", warmed, 3)
    report.check("companies in one round trip", len(await everything(api)), 3)
    report.check("questions to the exchange for them", exchange.asked - warmed, 0)
    clock.now += 100
    await asyncio.gather(*(api.company("ACME") for _ in range(100)))
    report.check("questions for 100 clients at once, after the price has expired", exchange.asked - warmed, 1)
    report.check("hit rate", f"{made.cache.stats().hit_rate:.1%}", "98.1%")
    exchange.prices["ACME"] = 1000
    await api.price_changed("ACME")
    report.check("price after it has changed", (await api.company("ACME")).cents, 1000)
    report.check("a key of what a user has typed", key("quote", "A:B%"), "quote:v1:A%3AB%25")


def jitter(report: Report, clock: Clock) -> None:
    """Entries that were made in one moment do not expire in one."""
    report.section("A time to live with jitter")
    cache: Cache[int] = Cache(60.0, 0.2, clock, Random(1))
    expiries = [cache.expiry() - clock.now for _ in range(1000)]
    most = max(sum(1 for other in expiries if second <= other < second + 1) for second in range(60, 72))
    report.say(f"1,000 entries expire between {approximately(min(expiries))} and {approximately(max(expiries), 's')}")
    report.at_most("entries that expire within one second", float(most), 150)


async def failing(
    report: Report, api: MarketStub, exchange: SlowExchange, agency: FlakyAgency, ready: str, made: Services
) -> None:
    """Required and optional dependencies."""
    report.section("What is required, and what is not")
    report.check("ready, with everything there", await readiness(ready), (200, "ready"))
    agency.up = False
    report.check("ready, without the agency", await readiness(ready), (200, "degraded"))
    company = await api.company("HAL")
    report.check("price without the agency", company.cents, 910)
    report.check("news without the agency", company.news, None)
    exchange.up = False
    report.check("ready, without the exchange", await readiness(ready), (503, "not ready"))
    report.check("what is cached is still there", (await api.company("HAL")).cents, 910)
    made.cache.forget(key("quote"))
    await report.refused("a price that nobody has", api.company("HAL"), RpcError)
    exchange.up = agency.up = True
    report.check("a failure is not cached: price afterwards", (await api.company("HAL")).cents, 910)


async def readiness(url: str) -> tuple[int, Any]:
    """What a load balancer is told."""
    async with ClientSession() as session, session.get(url) as answer:
        return answer.status, (await answer.json())["status"]


if __name__ == "__main__":
    run("services", services)
