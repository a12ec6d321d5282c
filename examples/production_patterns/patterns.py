"""The patterns, one after the other, and what each claims."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aiohttp import ClientSession

from capnweb_runtime import SessionError, connect, serve
from examples.form.processes import started
from examples.form.report import Report
from examples.production_patterns.client import Customer
from examples.production_patterns.generated.production import RatesStub, ShopApiStub, UserApiStub
from examples.production_patterns.limits import limits
from examples.production_patterns.rates import Rates
from examples.production_patterns.resilience import Breaker, Retry
from examples.production_patterns.schemas.production import Settings
from examples.production_patterns.server import Application
from examples.production_patterns.sessions import ACCESS, RENEWAL
from examples.production_patterns.store import Store

KEY = b"32 bytes that nobody else knows."
DRAFTS = 25


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait, as far as this clock is concerned."""
        self.now += seconds


@dataclass
class Place:
    """Everything that runs: the shop, what it depends on, and the clock of both."""

    url: str
    clock: Clock
    rates: Rates
    retry: Retry
    application: Application


@asynccontextmanager
async def running(folder: Path) -> AsyncGenerator[Place]:
    """The shop and the server of the rates, with a clock that the example moves."""
    clock, rates = Clock(), Rates()
    breaker, retry = Breaker(3, 30.0, clock), Retry(3, 0.05, Random(1), clock.sleep)
    async with (
        serve(lambda peer: rates, "127.0.0.1", 0) as upstream,
        connect(upstream.url, RatesStub, interceptors=[breaker, retry]) as stub,
    ):
        application = Application(Store(folder / "shop.sqlite"), stub, breaker, KEY, clock)
        async with application.serving(0) as server:
            yield Place(server.url, clock, rates, retry, application)


async def patterns(report: Report) -> None:
    """All of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with running(folder) as place:
            await sessions(report, place)
            async with connect(place.url, ShopApiStub) as shop:
                grant = await shop.log_in("ada", "lovelace")
                async with await shop.enter(grant.access) as user:
                    await caching(report, place, user)
                    await degradation(report, place, user)
                    await limits(report, place.url, grant.access, user)
            summary(report, place)
        await persistence(report, folder)


async def sessions(report: Report, place: Place) -> None:
    """Expiry, refresh and revocation."""
    report.section("Sessions that expire, are renewed, and are taken back")
    async with connect(place.url, ShopApiStub) as shop:
        wrong = await report.refused("a wrong password", shop.log_in("ada", "byron"), PermissionError)
        report.say(str(wrong))
        customer = Customer(shop, await shop.log_in("ada", "lovelace"))
        first = customer.grant
        (await customer.user()).dispose()
        report.check("renewals while the access token is good", customer.renewed, 0)
        place.clock.now += ACCESS.total_seconds() + 60
        (await customer.user()).dispose()
        report.check("renewals after it has expired, without a password", customer.renewed, 1)
        await shop.log_out(customer.grant.access)
        await report.refused("an access token that was taken back", shop.enter(customer.grant.access), PermissionError)
        stolen = shop.renewal(first.renewal).grant()
        await report.refused("a renewal token that was used before", stolen, PermissionError)
        owner = shop.renewal(customer.grant.renewal).grant()
        await report.refused("the whole login is over, for its owner too", owner, PermissionError)
        late = await shop.log_in("ada", "lovelace")
        place.clock.now += RENEWAL.total_seconds() + 60
        await report.refused("a renewal token of last week", shop.renewal(late.renewal).grant(), PermissionError)


async def caching(report: Report, place: Place, user: UserApiStub) -> None:
    """A cache with a time to live, and its hit rate."""
    report.section("A cache that forgets in time")
    cache, asked = place.application.prices.cache, place.rates.asked
    for _ in range(50):
        await user.price("tea", "CHF")
    report.check("questions to the exchange for 50 prices", place.rates.asked - asked, 1)
    report.check("hit rate", f"{cache.hit_rate:.0%}", "98%")
    place.clock.now += 67  # the time to live is 60 seconds, and up to a tenth more
    await user.price("tea", "CHF")
    report.check("questions after the time to live", place.rates.asked - asked, 2)


async def degradation(report: Report, place: Place, user: UserApiStub) -> None:
    """Retries, the breaker, and what customers see meanwhile."""
    report.section("A dependency that fails")
    rates, breaker = place.rates, place.application.breaker
    place.clock.now += 67
    rates.failing, repeated = 2, place.retry.repeated
    price = await user.price("tea", "CHF")
    report.check("it fails twice: retries until the price is there", place.retry.repeated - repeated, 2)
    report.check("basis of that price", price.basis, "current")
    place.clock.now += 67
    rates.failing = 1_000_000
    bases = [(await user.price("tea", "CHF")).basis for _ in range(20)]
    report.check("prices while it fails for good, of 20, with an old rate", bases.count("stale"), 20)
    report.check("price without any rate", (await user.price("tea", "JPY")).currency, "EUR")
    asked = rates.asked
    await user.price("tea", "CHF")
    report.check("questions to it while the circuit is open", rates.asked - asked, 0)
    report.check("calls that the breaker has refused", breaker.refused, 19)
    report.check("what the health check says meanwhile", await readiness(place.url), (200, "degraded"))
    rates.failing = 0
    place.clock.now += 31
    report.check("basis half a minute after it is back", (await user.price("tea", "CHF")).basis, "current")


async def readiness(url: str) -> tuple[int, str]:
    """What a load balancer is told."""
    async with ClientSession() as client, client.get(f"{url.replace('ws://', 'http://')}readyz") as answer:
        return answer.status, (await answer.json())["status"]


def summary(report: Report, place: Place) -> None:
    """What the monitor has seen."""
    report.section("What the monitor says")
    monitor = place.application.monitor
    for name, count in sorted(monitor.calls.items()):
        report.say(f"{name:20} {count:4}")
    report.check("errors that the schema declares", dict(monitor.refusals), {"PermissionError": 6, "NoRoom": 1})
    report.check("errors that it does not", dict(monitor.failures), {})
    report.check("calls that still run", monitor.running, 0)


async def persistence(report: Report, folder: Path) -> None:
    """State that survives kill -9: each answer is on the disk, and a login outlives the process that gave it."""
    report.section("State that survives kill -9")
    key = folder / "key"
    key.write_bytes(KEY)
    rates = Rates()
    async with serve(lambda peer: rates, "127.0.0.1", 0) as upstream:
        arguments = (
            "--port",
            "0",
            "--database",
            str(folder / "new.sqlite"),
            "--key",
            str(key),
            "--rates",
            upstream.url,
        )
        async with (
            started("examples.production_patterns.server", *arguments) as server,
            connect(server.url, ShopApiStub) as shop,
        ):
            grant = await shop.log_in("ada", "lovelace")
            user = await shop.enter(grant.access)
            for number in range(1, DRAFTS + 1):
                await user.save(draft(number))
            unanswered = user.save(draft(DRAFTS + 1))
            await server.kill()
            await report.refused("the call that was running when it was killed", unanswered, SessionError)
        async with (
            started("examples.production_patterns.server", *arguments) as server,
            connect(server.url, ShopApiStub) as shop,
        ):
            kept = await shop.enter(grant.access).settings()  # the login outlives the process, too
            number = int(kept.language.removeprefix("draft "))
            # The last write may have been carried out though its answer never came; none that was answered is lost.
            report.check("answered writes that were lost", max(0, DRAFTS - number), 0)
            report.check("writes that nobody has asked for", max(0, number - DRAFTS - 1), 0)
            report.check("theme, as the new process knows it", kept.theme, "dark")


def draft(number: int) -> Settings:
    """Settings that say which write they are."""
    return Settings(theme="dark", language=f"draft {number}")
