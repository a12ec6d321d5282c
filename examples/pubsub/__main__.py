"""`python -m examples.pubsub`: subscribers that come and go, are away, slow, wrong or killed."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from capnweb_runtime import connect
from examples.form.memory import resident
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run
from examples.pubsub.generated.pubsub import PubSubStub
from examples.pubsub.schemas.pubsub import BadCursor, Batch
from examples.pubsub.seen import Seen

CYCLES = 10_000
AT_A_TIME = 100
LEAKED = 8
"""MiB that may come of how memory is cut up; as many subscriptions that nobody releases are more than 20."""
KEEP = 100


async def pubsub(report: Report) -> None:
    """Everything that the README claims."""
    async with started("examples.pubsub.server", "--port", "0", "--keep", str(KEEP)) as server:
        await everybody_is_told(report, server.url)
        await come_and_go(report, server)
        await away(report, server.url)
        await slow(report, server.url)
        await wrong(report, server.url)
        await nothing_left(report, server.url)


async def everybody_is_told(report: Report, url: str) -> None:
    report.section("Everybody is told, in order")
    first, second, other = Seen(), Seen(), Seen()
    async with connect(url, PubSubStub) as publisher, connect(url, PubSubStub) as api:
        held = [
            await api.subscribe("news", first.deliver),
            await api.subscribe("news", second.deliver),
            await api.subscribe("sport", other.deliver),
        ]
        for number in range(1, KEEP + 1):
            await publisher.publish("news", f"headline {number}")
        await asyncio.gather(first.until(KEEP), second.until(KEEP))
        report.check("events that each of 2 subscribers was told", (len(first.events), len(second.events)), (100, 100))
        report.check("in order, and each once", [event.number for event in first.events] == list(range(1, KEEP + 1)))
        report.check("events of another topic that a third one was told", len(other.events), 0)
        for subscribed in held:
            subscribed.subscription.dispose()


async def come_and_go(report: Report, server: Program) -> None:
    """What a call takes is given back when it has its answer, and a subscription when it is disposed of."""
    report.section(f"{CYCLES:,} subscriptions come and go")
    session = connect(server.url, PubSubStub)
    async with session as api:
        await cycles(api, CYCLES // 4)  # so that both processes have what they need
        before, memory = await api.stats(), resident(server.process.pid)
        await cycles(api, CYCLES)
        after = await api.stats()
        report.check("subscriptions at the server", after.subscriptions, 0)
        report.check(
            "its imports and exports as before", (after.imports, after.exports), (before.imports, before.exports)
        )
        tables = session.stats()
        report.check(
            "the client's imports and exports, of which one is the server", (tables.imports, tables.exports), (1, 1)
        )
        report.at_most("the server's memory has grown by", resident(server.process.pid) - memory, LEAKED, "MiB")


async def cycles(api: PubSubStub, count: int) -> None:
    """Subscribes and unsubscribes, some at a time."""
    seen = Seen()
    for _ in range(count // AT_A_TIME):
        held = await asyncio.gather(*(api.subscribe("ticks", seen.deliver) for _ in range(AT_A_TIME)))
        for subscribed in held:
            subscribed.subscription.dispose()


async def away(report: Report, url: str) -> None:
    """A subscriber in a process of its own is killed, and started again with its cursor."""
    report.section("A subscriber is killed, and comes back")
    with tempfile.TemporaryDirectory() as folder:
        reader = ("examples.pubsub.client", url, "orders", "--cursor", str(Path(folder, "cursor.txt")))
        async with connect(url, PubSubStub) as api:
            async with started(*reader) as program:
                await api.publish("orders", "apples")
                report.check("it has seen", await program.line(), "1 apples")
                await program.kill()
            await api.publish("orders", "bread")
            async with started(*reader) as program:
                report.check("after kill -9, it sees what it has missed", await program.line(), "2 bread")
                await program.kill()
            await nobody_subscribed(api)
            report.check("subscriptions of those who were killed", await api.stats().subscriptions, 0)
            for number in range(3, KEEP + 13):
                await api.publish("orders", f"order {number}")
            async with started(*reader) as program:
                report.check("away for longer, it is told so", await program.line(), "missed 10")
                report.check("and goes on with what is kept", await program.line(), "13 order 13")


async def slow(report: Report, url: str) -> None:
    """A subscriber that does not come after costs nothing but what it misses."""
    report.section("A subscriber is slow")
    ready = asyncio.Event()
    quick, late = Seen(), Seen(wait_for=ready)
    async with connect(url, PubSubStub) as api, connect(url, PubSubStub) as other:
        held = [await api.subscribe("prices", quick.deliver), await other.subscribe("prices", late.deliver)]
        for published in range(10 * KEEP):
            await api.publish("prices", f"price {published + 1}")
            await quick.until(published + 1)
        report.check("events that a quick one was told meanwhile", len(quick.events), 10 * KEEP)
        report.check(
            "events that the server keeps of this topic, and of two before it", await api.stats().events, 3 * KEEP
        )
        ready.set()
        await late.until(1 + KEEP)
        report.check("gap that the slow one is told of", late.gaps, [899])
        report.check("events that it is told: the first, and the last ones", len(late.events), 1 + KEEP)
        for subscribed in held:
            subscribed.subscription.dispose()


async def wrong(report: Report, url: str) -> None:
    """What is wrong with one is no concern of others."""
    report.section("What bad subscribers get")

    def fails(batch: Batch) -> None:
        raise LookupError("no such shelf")

    seen = Seen()
    async with connect(url, PubSubStub) as api:
        bad, good = await api.subscribe("books", fails), await api.subscribe("books", seen.deliver)
        for number in range(1, 6):
            await api.publish("books", f"book {number}")
            await seen.until(number)
        status = await bad.subscription.status()
        report.check(
            "one that raises is given up after failures in a row", (status.is_live, status.failures), (False, 3)
        )
        report.check("another one of the same topic has", len(seen.events), 5)
        await report.refused("a cursor that is none", api.subscribe("books", seen.deliver, "yesterday"), BadCursor)
        await report.refused("a text that is too long", api.publish("books", "x" * 10_001), TypeError)
        old = await api.subscribe("books", seen.deliver, "some-other-epoch:7")
        await seen.until(10)
        report.check("a cursor of a server that is no more: everything that is kept, and", seen.gaps, [None])
        for subscribed in (bad, good, old):
            subscribed.subscription.dispose()


async def nobody_subscribed(api: PubSubStub) -> None:
    """Waits until the server has heard of the end of every subscriber."""
    while (await api.stats()).subscriptions:
        pass


async def nothing_left(report: Report, url: str) -> None:
    report.section("All are gone")
    async with connect(url, PubSubStub) as api:
        await nobody_subscribed(api)
        stats = await api.stats()
        report.check(
            "imports and exports of the server: this client, and what it has", (stats.imports, stats.exports), (1, 1)
        )


if __name__ == "__main__":
    run("pubsub", pubsub)
