"""`python -m examples.distributed_cache`: misses, copies, lifetimes, references, and what goes wrong."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass

from capnweb_runtime import Reconnect, connect, serve
from examples.distributed_cache.expiry import expire
from examples.distributed_cache.generated.distributed_cache import NodeStub
from examples.distributed_cache.origin import Origin
from examples.distributed_cache.schemas.distributed_cache import LoadFailed
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run

SERVER, CLIENT = "examples.distributed_cache.server", "examples.distributed_cache.client"
READERS = 100
READS = 2_000
KEYS = 200
CAPACITY = 50
SNAPSHOTS = 1_000


@dataclass(frozen=True)
class Place:
    """The origin, and two nodes in processes of their own, with a client of each."""

    origin: Origin
    origin_url: str
    a: NodeStub
    b: NodeStub
    a_url: str
    b_program: Program


async def distributed_cache(report: Report) -> None:
    """Everything that the README claims."""
    origin = Origin()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        origin_url = (await enter(serve(lambda peer: origin, "127.0.0.1", 0))).url
        options = ("--port", "0", "--origin", origin_url, "--capacity", str(CAPACITY))
        a_program = await enter(started(SERVER, "--name", "a", *options))
        b_program = await enter(started(SERVER, "--name", "b", "--peer", a_program.url, *options))
        a, b = await enter(connect(a_program.url, NodeStub)), await enter(connect(b_program.url, NodeStub))
        place = Place(origin, origin_url, a, b, a_program.url, b_program)
        await single_flight(report, place)
        await two_nodes(report, place)
        await hit_rate(report, place)
        await references(report, place)
        await what_goes_wrong(report, place)
        await a_node_dies(report, place)
    await expire(report)


async def single_flight(report: Report, place: Place) -> None:
    report.section(f"{READERS} clients miss the same value at the same moment")
    place.origin.gate.clear()
    readers = [asyncio.ensure_future(place.a.get("front page")) for _ in range(READERS)]
    await place.origin.waiting.wait()
    while (await place.a.stats()).misses < READERS:
        pass
    place.origin.gate.set()
    values = await asyncio.gather(*readers)
    report.check("they get", " or ".join(sorted(set(values))), "front page, version 1")
    report.check("loads from the origin", place.origin.loads["front page"], 1)
    stats = await place.a.stats()
    report.check("misses that waited for it", stats.joined, READERS - 1)
    report.check("and the next one", (await place.a.get("front page"), (await place.a.stats()).hits), (values[0], 1))


async def two_nodes(report: Report, place: Place) -> None:
    report.section("Two nodes have a copy")
    report.check("the other node has", await place.b.get("front page"), "front page, version 1")
    place.origin.write("front page")
    report.check("the origin is changed: it still has", await place.b.get("front page"), "front page, version 1")
    invalidated = await place.a.invalidate("front page")
    report.check("invalidated at one node, which has told", invalidated.told, ["b"])
    report.check("the other node has", await place.b.get("front page"), "front page, version 2")
    report.check("loads from the origin, by both", place.origin.loads["front page"], 3)


async def hit_rate(report: Report, place: Place) -> None:
    """Readers want some values more than others; the same ones in every run."""
    report.section(f"{READS:,} reads of {KEYS} values, with room for {CAPACITY}")
    chance = random.Random(2026)
    weights = [1 / rank for rank in range(1, KEYS + 1)]
    before = await place.a.stats()
    for rank in chance.choices(range(KEYS), weights, k=READS):
        await place.a.get(f"page {rank}")
    after = await place.a.stats()
    report.check("values kept", after.kept, CAPACITY)
    report.check("hits", after.hits - before.hits, 1_344)
    report.check("hit rate, in percent", round(100 * (after.hits - before.hits) / READS), 67)
    report.check("loads, one for each miss", after.loads - before.loads, after.misses - before.misses)


async def references(report: Report, place: Place) -> None:
    """A snapshot is held by whoever has it, and by nobody else."""
    report.section("Snapshots are held for as long as somebody has them")
    session = connect(place.a_url, NodeStub)
    async with session as node:
        none = await node.stats()
        first = await node.snapshot("front page")
        more = [first.dup() for _ in range(9)]
        one = await node.stats()
        report.check("one, and nine duplicates of it: exports more", one.exports - none.exports, 1)
        place.origin.write("front page")
        await node.invalidate("front page")
        report.check("the value in the cache", await node.get("front page"), "front page, version 3")
        report.check("the value in the snapshot", await more[4].value, "front page, version 2")
        first.dispose()
        report.check("one of ten disposed of: snapshots", (await node.stats()).snapshots, 1)
        for snapshot in more:
            snapshot.dispose()
        report.check("all ten disposed of: snapshots", (await node.stats()).snapshots, 0)
        for _ in range(SNAPSHOTS):
            (await node.snapshot("front page")).dispose()
        last = await node.stats()
        tables = (last.exports - none.exports, last.imports - none.imports, session.stats().imports - 1)
        report.check(
            f"after {SNAPSHOTS:,} more, exports and imports more than before, and the client's", tables, (0, 0, 0)
        )
        async with started(CLIENT, "front page", place.a_url, "--hold") as holder:
            report.check("another process holds one: snapshots", (await node.stats()).snapshots, 1)
            await holder.kill()
        while (await node.stats()).snapshots:
            pass
        report.check("after kill -9 of it: snapshots", (await node.stats()).snapshots, 0)


async def what_goes_wrong(report: Report, place: Place) -> None:
    report.section("What bad values get")
    origin = place.origin
    origin.broken.add("archive")
    origin.gate.clear()
    before = (await place.a.stats()).misses
    readers = [asyncio.ensure_future(place.a.get("archive")) for _ in range(READERS)]
    while (await place.a.stats()).misses < before + READERS:
        pass
    origin.gate.set()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    report.check(
        "readers of what cannot be loaded that are told so",
        sum(isinstance(one, LoadFailed) for one in outcomes),
        READERS,
    )
    report.say(str(outcomes[0]))
    report.check("loads from the origin", origin.loads["archive"], 1)
    origin.broken.clear()
    report.check("mended, it is there at once: no error is kept", await place.a.get("archive"), "archive, version 1")
    sizes = [len(await place.a.get("film")), len(await place.a.get("film"))]
    report.check("characters of a value that is too large to keep, read twice", sizes, [1_000_000, 1_000_000])
    report.check("loads from the origin", origin.loads["film"], 2)


async def a_node_dies(report: Report, place: Place) -> None:
    report.section("A node dies")
    urls = [place.b_program.url, place.a_url]
    client = connect(urls, NodeStub, reconnect=Reconnect(first=0.01))
    async with client as node:
        report.check("a client of it reads", await node.get("front page"), "front page, version 3")
        await place.b_program.kill()
        report.check("after kill -9, from the other node", await node.get("front page"), "front page, version 3")
        invalidated = await place.a.invalidate("front page")
        report.check("nodes told", len(invalidated.told), 0)
        report.check("nodes that were not to be reached", invalidated.unreachable, ["b"])
        options = ("--port", "0", "--origin", place.origin_url, "--peer", place.a_url)
        async with started(SERVER, "--name", "b", *options):
            report.check("started again, it is told", (await node.invalidate("front page")).told, ["b"])
            report.check("copies that the first node has kept meanwhile", (await place.a.stats()).kept, 0)


if __name__ == "__main__":
    run("distributed_cache", distributed_cache)
