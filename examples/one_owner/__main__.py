"""`python -m examples.one_owner`: two workers, with clients at both, one of which leaves. `--backplane redis://...` has
them share a Redis in place of what is in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

from capnweb_runtime import AnyStub, RpcError, connect
from capnweb_runtime.scale import Backplane, FencedStore, LeaseLost, MemoryBackplane, MemoryStore, open_backplane
from examples.form.report import Report
from examples.form.running import run
from examples.one_owner.client import outbid
from examples.one_owner.generated.auctions import HouseStub
from examples.one_owner.schemas.auctions import Standing, TooLow
from examples.one_owner.server import Worker, working

BIDS = 50
"""Bids that each of two bidders has taken."""


def engine_of(url: str) -> Callable[[], Backplane]:
    """What opens the engine's backplane once more, as another worker. What is in memory is shared here by a store."""
    if url == "memory:":
        return partial(MemoryBackplane, MemoryStore())
    return partial(open_backplane, url, name=f"one-owner-{secrets.token_hex(4)}")


async def one_owner(url: str, report: Report) -> None:
    """Everything that the README claims."""
    engine, secret = engine_of(url), secrets.token_hex(32)
    async with AsyncExitStack() as stack:
        mine, theirs = [await stack.enter_async_context(engine()) for _ in range(2)]
        second = await stack.enter_async_context(working(theirs, secret))
        async with working(mine, secret) as first:
            await at_once(report, first, second)
            await through(report, second)
            await strangers(report, first)
            await elections(report, first, second)
            before = await mine.holder("own/Auction/lamp")
        assert before is not None
        await afterwards(report, second)
        await out_of_date(report, mine, before.fence)


async def at_once(report: Report, first: Worker, second: Worker) -> None:
    """Clients of two workers bid for one lamp."""
    report.section("Two workers, and one lamp")
    async with (
        connect(first.server.url, HouseStub) as here,
        connect(second.server.url, HouseStub) as there,
        await here.auction("lamp") as lamp,
        await there.auction("lamp") as same,
    ):
        await lamp.standing()  # the first worker is asked first
        await asyncio.gather(outbid(lamp, "Ada", BIDS), outbid(same, "Bob", BIDS))
        standing = await same.standing()
    report.check("auctions that were made of that name", first.made + second.made, ["lamp"])
    report.check("bids that were taken, of both", standing.bids, 2 * BIDS)
    report.check("the highest, as each was one more than the last", standing.highest, 2 * BIDS)
    stats = second.cluster.stats()
    report.check("objects, and sessions with others, of the second worker", (stats.objects, stats.links), (0, 1))


async def through(report: Report, second: Worker) -> None:
    """What goes through the second worker to the owner."""
    report.section("Through another worker")
    session, seen = connect(second.server.url, HouseStub), list[Standing]()
    async with session as house:
        before = session.stats().round_trips
        standing = await house.auction("lamp").bid("Cid", 200)
        report.check("round trips to find the lamp and to bid", session.stats().round_trips - before, 1)
        async with await house.auction("lamp") as lamp:
            await lamp.watch(seen.append)
            for amount in (201, 202, 203):
                standing = await lamp.bid("Cid", amount)
            report.check("bids of which the owner has told who watches", [one.highest for one in seen], [201, 202, 203])
    report.check("bids by now", standing.bids, 2 * BIDS + 4)


async def strangers(report: Report, first: Worker) -> None:
    """Somebody has found the port at which workers meet."""
    report.section("Who is none of the workers")
    async with connect(first.cluster.url, AnyStub) as gate:
        await report.refused("somebody who guesses at the workers' own port", gate.call("enter", "guessed"), RpcError)
    report.check("refused there, by now", first.cluster.stats().refused, 1)


async def elections(report: Report, first: Worker, second: Worker) -> None:
    """Both workers want to do what one at a time may do."""
    report.section("One at a time closes the books")
    leading = most = turns = 0

    async def close_the_books(worker: Worker) -> None:
        nonlocal leading, most, turns
        async with worker.cluster.leader("books"):
            leading, turns = leading + 1, turns + 1
            most = max(most, leading)
            await asyncio.sleep(0.01)
            leading -= 1

    await asyncio.gather(close_the_books(first), close_the_books(second))
    report.check("workers that did, and the most at a time", (turns, most), (2, 1))


async def afterwards(report: Report, second: Worker) -> None:
    """The owner has left; a client of the other worker goes on."""
    report.section("The owner has left")
    async with connect(second.server.url, HouseStub) as house, await house.auction("lamp") as lamp:
        standing = await lamp.bid("Ada", 300)
        report.check("the bid after that is number", standing.bids, 2 * BIDS + 5)
        report.check("auctions that the second worker has taken over", second.made, ["lamp"])
        error = await report.refused("a bid that the owner before had taken already", lamp.bid("Bob", 203), TooLow)
        report.check("the highest bid", error.highest, 300)


async def out_of_date(report: Report, backplane: Backplane, fence: int) -> None:
    """The first owner wakes up, and believes that the lamp is still its own."""
    report.section("An owner that does not know that it was succeeded")
    store = FencedStore(backplane, fence)
    await report.refused("a bid that it still writes", store.save("auction/lamp", b"{}"), LeaseLost)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.one_owner", description=__doc__)
    parser.add_argument("--backplane", default="memory:", help="URL of the engine (default: %(default)s)")
    run("one_owner", partial(one_owner, parser.parse_args().backplane))
