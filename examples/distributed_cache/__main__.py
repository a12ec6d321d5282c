"""`python -m examples.distributed_cache`: misses, copies, lifetimes, references, and what goes wrong.

Both nodes are in this process, or with `--backplane redis://...` in processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial

from capnweb_runtime import Reconnect, connect, serve
from examples.distributed_cache.expiry import expire
from examples.distributed_cache.generated.distributed_cache import NodeStub
from examples.distributed_cache.origin import Origin
from examples.distributed_cache.schemas.distributed_cache import LoadFailed
from examples.distributed_cache.server import SECRET
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run
from examples.form.shared import Here, Servers

SERVER, CLIENT = "examples.distributed_cache.server", "examples.distributed_cache.client"
READERS = 100
READS = 2_000
KEYS = 200
CAPACITY = 50
SNAPSHOTS = 1_000


@dataclass(frozen=True)
class Place:
    """The origin, what starts nodes, two of them, and a client of each."""

    origin: Origin
    node: Callable[[], AbstractAsyncContextManager[Program | Here]]
    here: Program | Here
    there: Program | Here
    a: NodeStub
    b: NodeStub


async def distributed_cache(report: Report, backplane: str) -> None:
    """Everything that the README claims."""
    os.environ[SECRET] = secrets.token_hex(16)
    origin, servers = Origin(), Servers(backplane)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        from_origin = ("--origin", (await enter(serve(lambda peer: origin, "127.0.0.1", 0))).url)
        node = partial(servers.started, SERVER, *from_origin, "--capacity", str(CAPACITY))
        here, there = await enter(node()), await enter(node())
        a, b = await enter(connect(here.url, NodeStub)), await enter(connect(there.url, NodeStub))
        for part in (single_flight, two_nodes, hit_rate, references, what_goes_wrong, a_node_dies):
            await part(report, Place(origin, node, here, there, a, b))
    await expire(report)


async def missing(node: NodeStub, key: str, number: int, before: int = 0) -> list[asyncio.Task[str]]:
    """So many readers who have all missed a value."""
    readers = [asyncio.ensure_future(node.get(key)) for _ in range(number)]
    while (await node.stats()).misses < before + number:
        pass
    return readers


async def heard(node: NodeStub, key: str, value: str) -> str:
    """What a node has of a key, once it has heard that another value was dropped."""
    while (found := await node.get(key)) != value:
        pass
    return found


async def single_flight(report: Report, place: Place) -> None:
    report.section(f"{READERS} clients of each of two nodes miss the same value at the same moment")
    place.origin.gate.clear()
    readers = await missing(place.a, "front page", READERS) + await missing(place.b, "front page", READERS)
    while not (await place.a.stats()).shared:
        pass
    place.origin.gate.set()
    values = await asyncio.gather(*readers)
    report.check("they get", " or ".join(sorted(set(values))), "front page, version 1")
    report.check("loads from the origin", place.origin.loads["front page"], 1)
    stats = await place.a.stats()
    report.check("misses at one node that waited for it", stats.joined, READERS - 1)
    report.check("and the next one", (await place.a.get("front page"), (await place.a.stats()).hits), (values[0], 1))


async def two_nodes(report: Report, place: Place) -> None:
    report.section("Two nodes have a copy")
    report.check("the other node has", await place.b.get("front page"), "front page, version 1")
    place.origin.write("front page")
    report.check("the origin is changed: it still has", await place.b.get("front page"), "front page, version 1")
    await place.a.invalidate("front page")
    report.check("invalidated at one node, which has", await place.a.get("front page"), "front page, version 2")
    version = await heard(place.b, "front page", "front page, version 2")
    report.check("the other node hears of it, and has", version, "front page, version 2")


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
    session = connect(place.here.url, NodeStub)
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
        async with started(CLIENT, "front page", place.here.url, "--hold") as holder:
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
    readers = await missing(place.a, "archive", READERS, before)
    origin.gate.set()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    told = sum(isinstance(one, LoadFailed) for one in outcomes)
    report.check("readers of what cannot be loaded that are told so", told, READERS)
    report.say(str(outcomes[0]))
    report.check("loads from the origin", origin.loads["archive"], 1)
    origin.broken.clear()
    report.check("mended, it is there at once: no error is kept", await place.a.get("archive"), "archive, version 1")
    sizes = [len(await place.a.get("film")), len(await place.a.get("film"))]
    report.check("characters of a value that is too large to keep, read twice", sizes, [1_000_000, 1_000_000])
    report.check("loads from the origin", origin.loads["film"], 2)


async def a_node_dies(report: Report, place: Place) -> None:
    report.section("A node dies")
    client = connect([place.there.url, place.here.url], NodeStub, reconnect=Reconnect(first=0.01))
    async with client as node:
        version = await heard(node, "front page", "front page, version 3")
        report.check("a client of it reads", version, "front page, version 3")
        await place.there.kill()
        report.check("once it is gone, from the other node", await node.get("front page"), "front page, version 3")
        async with place.node() as program, connect(program.url, NodeStub) as again:
            await again.get("front page")
            report.check("started again, it has copies", (await again.stats()).kept, 1)
            await node.invalidate("front page")
            while (await again.stats()).kept:
                pass
            report.check("and hears what is dropped: copies", (await again.stats()).kept, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.distributed_cache", description=__doc__)
    parser.add_argument("--backplane", default="memory:", help="what nodes share (default: %(default)s)")
    run("distributed_cache", partial(distributed_cache, backplane=parser.parse_args().backplane))
