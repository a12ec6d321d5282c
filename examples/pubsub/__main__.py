"""`python -m examples.pubsub`: subscribers that come and go, are away, slow, wrong or killed. With
`--backplane redis://127.0.0.1/0` the topics are in Redis.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from functools import partial
from pathlib import Path

from capnweb_runtime import connect
from capnweb_runtime.scale import TopicBatch
from examples.form.memory import resident
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run
from examples.pubsub.generated.pubsub import PubSubStub
from examples.pubsub.schemas.pubsub import News
from examples.pubsub.seen import Seen

CYCLES = 10_000
AT_A_TIME = 100
LEAKED = 8
"""MiB that may come of how memory is cut up; as many subscriptions that nobody releases are more than 20."""
KEEP = 100


async def pubsub(report: Report, *, backplane: str = "memory:") -> None:
    """Everything that the README claims."""
    given = ("--port", "0", "--keep", str(KEEP), "--backplane", backplane)
    async with started("examples.pubsub.server", *given) as server:
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
        subscriptions = [
            await api.topic("news").subscribe(first.deliver),
            await api.topic("news").subscribe(second.deliver),
            await api.topic("sport").subscribe(other.deliver),
        ]
        for number in range(1, KEEP + 1):
            await publisher.publish("news", f"headline {number}")
        await asyncio.gather(first.until(KEEP), second.until(KEEP))
        report.check("events that each of 2 subscribers was told", (len(first.items), len(second.items)), (100, 100))
        report.check("in order, and each once", first.items == [f"headline {number}" for number in range(1, KEEP + 1)])
        report.check("events of another topic that a third one was told", len(other.items), 0)
        for subscription in subscriptions:
            subscription.dispose()


async def come_and_go(report: Report, server: Program) -> None:
    """What a call takes is given back when it has its answer, and a subscription when it is disposed of."""
    report.section(f"{CYCLES:,} subscriptions come and go")
    session = connect(server.url, PubSubStub)
    async with session as api:
        await cycles(api, CYCLES // 4)  # so that both processes have what they need
        memory = resident(server.process.pid)
        await cycles(api, CYCLES)
        report.check("imports and exports of the server: this client, and what it has", await tables(api), (1, 1))
        here = session.stats()
        report.check(
            "the client's imports and exports, of which one is the server", (here.imports, here.exports), (1, 1)
        )
        report.at_most("the server's memory has grown by", resident(server.process.pid) - memory, LEAKED, "MiB")


async def cycles(api: PubSubStub, count: int) -> None:
    """Subscribes and unsubscribes, some at a time."""
    seen = Seen()
    async with await api.topic("ticks") as ticks:
        for _ in range(count // AT_A_TIME):
            for subscription in await asyncio.gather(*(ticks.subscribe(seen.deliver) for _ in range(AT_A_TIME))):
                subscription.dispose()
    await gone(api)


async def tables(api: PubSubStub) -> tuple[int, int]:
    """Imports and exports of the server, over all sessions."""
    stats = await api.stats()
    return stats.imports, stats.exports


async def gone(api: PubSubStub) -> None:
    """Waits until the server has heard of the end of every subscriber."""
    while await tables(api) != (1, 1):
        pass


async def away(report: Report, url: str) -> None:
    """A subscriber in a process of its own is killed, and started again with its cursor."""
    report.section("A subscriber is killed, and comes back")
    with tempfile.TemporaryDirectory() as folder:
        reader = ("examples.pubsub.client", url, "orders", "--cursor", str(Path(folder, "cursor.txt")))
        async with connect(url, PubSubStub) as api:
            async with started(*reader) as program:
                await api.publish("orders", "apples")
                report.check("it has seen", await program.line(), "apples")
                await program.kill()
            await api.publish("orders", "bread")
            async with started(*reader) as program:
                report.check("after kill -9, it sees what it has missed", await program.line(), "bread")
                await program.kill()
            await gone(api)
            for number in range(KEEP + 10):
                await api.publish("orders", f"order {number}")
            async with started(*reader) as program:
                report.check("away for longer than is kept, it is told so", await program.line(), "gap: trimmed")
                await api.publish("orders", "eggs")
                report.check("and goes on with what is new", await program.line(), "eggs")
                await program.kill()
            await gone(api)


async def slow(report: Report, url: str) -> None:
    """A subscriber that does not come after costs nothing but what it misses."""
    report.section("A subscriber is slow")
    ready = asyncio.Event()
    quick, late = Seen(), Seen(wait_for=ready)
    async with connect(url, PubSubStub) as api, connect(url, PubSubStub) as other:
        subscriptions = [
            await api.topic("prices").subscribe(quick.deliver),
            await other.topic("prices").subscribe(late.deliver),
        ]
        for number in range(1, 10 * KEEP + 1):
            await api.publish("prices", f"price {number}")
            await quick.until(number)
            await late.until(1)
        report.check("events that a quick one was told meanwhile", len(quick.items), 10 * KEEP)
        report.check("events that the slow one was told", len(late.items), 1)
        ready.set()
        told = await late.until(KEEP)
        report.check("what it is told next", told[1], "gap: slow")
        report.check("then the last ones, up to", told[-1], "price 1000")
        report.check("as many as waited for it since", told[2:] == [f"price {at}" for at in range(903, 1001)])
        for subscription in subscriptions:
            subscription.dispose()


async def wrong(report: Report, url: str) -> None:
    """What is wrong with one is no concern of others."""
    report.section("What bad subscribers get")
    ended = asyncio.Event()

    def fails(batch: TopicBatch[News]) -> None:
        if any(item.kind == "gap" and item.reason == "ended" for item in batch.items):
            ended.set()
        elif batch.items:
            raise LookupError("no such shelf")

    seen, other = Seen(), Seen()
    async with connect(url, PubSubStub) as api, await api.topic("books") as books:
        subscriptions = [await books.subscribe(fails), await books.subscribe(seen.deliver)]
        for number in range(1, 6):
            await api.publish("books", f"book {number}")
            await seen.until(number)
        await ended.wait()
        report.check("one that raises is told that this was the last it was told", ended.is_set())
        report.check("another one of the same topic has", len(seen.items), 5)
        await report.refused("a cursor that is none", books.subscribe(seen.deliver, "yesterday"), ValueError)
        await report.refused("a text that is too long", api.publish("books", "x" * 10_001), TypeError)
        subscriptions.append(await books.subscribe(other.deliver, "some-other-life:7"))
        report.check("a cursor of a life that is over", await other.until(1), ["gap: epoch"])
        for subscription in subscriptions:
            subscription.dispose()


async def nothing_left(report: Report, url: str) -> None:
    report.section("All are gone")
    async with connect(url, PubSubStub) as api:
        await gone(api)
        report.check("imports and exports of the server: this client, and what it has", await tables(api), (1, 1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.pubsub", description=__doc__)
    parser.add_argument("--backplane", default="memory:", help="where the topics are (default: %(default)s)")
    run("pubsub", partial(pubsub, backplane=parser.parse_args().backplane))
