"""`python -m examples.game_state`: a hundred clients over sockets, one that is slow, and some that break the rules."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from random import Random

from capnweb_runtime import AnyStub, connect
from examples.form.report import Report, approximately
from examples.form.running import run
from examples.form.website import serve_page
from examples.game_state.arena import AHEAD, Arena
from examples.game_state.bytes_sent import bytes_sent
from examples.game_state.client import Bot, Screen, playing
from examples.game_state.generated.game import GameStub
from examples.game_state.mirror import digest_of
from examples.game_state.schemas.game import GameFull, IllegalMove
from examples.game_state.server import PAGE, mounted
from examples.game_state.world import World

EARLY, LATE = 80, 20
TICKS = 20  # before the late ones join, and once more after that
MOVING = 10  # how many take a step in each tick
SEED_OF_THREE = 12  # with it, ada comes to be in the middle of three cells and bob to the east of her


async def game(report: Report) -> None:
    """Everything that the README claims."""
    arena = Arena(World(seed=1))
    async with serve_page(PAGE, mounted(arena)) as website:
        await hundred(report, website.rpc, arena)
        await slow(report, website.rpc, arena)
    await refusals(report)
    await cost(report)


async def hundred(report: Report, url: str, arena: Arena) -> None:
    """Clients that join early and late, and all see the same."""
    report.section(f"{EARLY} clients, {TICKS} ticks, {LATE} more clients, {TICKS} more ticks")
    async with AsyncExitStack() as stack:
        bots = [await stack.enter_async_context(playing(url, f"bot {number}")) for number in range(EARLY)]
        late = range(EARLY, EARLY + LATE)
        begun = time.perf_counter()
        await play(arena, bots)
        bots += [await stack.enter_async_context(playing(url, f"bot {number}")) for number in late]
        await play(arena, bots)
        taken = time.perf_counter() - begun
        seen = [bot.screen for bot in bots]
        fulls = sum(screen.fulls for screen in seen)
        report.check("full states, one for each client", fulls, EARLY + LATE)
        deltas = EARLY * 2 * TICKS + LATE * TICKS
        report.check("deltas, one for each client and tick", sum(len(screen.ticks) for screen in seen) - fulls, deltas)
        steps = {after - before for screen in seen for before, after in pairwise(screen.ticks)}
        report.check("ticks between one update and the next, at all clients", steps, {1})
        states = {screen.mirror.digest() for screen in seen}
        report.check("different states at the end, by hash", len(states), 1)
        report.check("it is the server's", states == {digest_of(arena.world.full())})
        report.say(f"{approximately((fulls + deltas) / taken, 'updates/s')}, both ends in this process")
        await monitored(report, bots, arena)


async def play(arena: Arena, bots: list[Bot]) -> None:
    """Have some take a step, tick, and wait until everybody knows; and so on."""
    chance = Random(1)
    for _ in range(TICKS):
        for bot in chance.sample(bots, MOVING):
            await bot.step(chance)
        tick = arena.tick()
        for bot in bots:
            await bot.screen.until(tick)


async def monitored(report: Report, bots: list[Bot], arena: Arena) -> None:
    """What both sides count, and what is left once everybody has left."""
    report.section("What is held, while they play and after")
    for viewer in arena.viewers:
        await viewer.settled()
    stats = await bots[0].game.stats()
    report.check("sessions, and players, that the server counts", [stats.sessions, stats.players], [100, 100])
    report.check("bytes that wait for clients", stats.queued_bytes, 0)
    report.check("deltas that were not sent", stats.skipped, 0)
    held = bots[0].session.stats()
    report.check("what a client's session holds: the door, and its figure", held.imports, 2)
    report.check("what it has handed over beside its end: its screen", held.exports - 1, 1)
    for bot in bots:
        bot.figure.dispose()
    stats = await bots[0].game.stats()
    with suppress(TimeoutError):  # releases have no answer: ask until the last one has arrived
        async with asyncio.timeout(5):
            while stats.players or stats.imports + stats.exports > 200:
                stats = await bots[0].game.stats()
    report.check("players on the board once all have left", stats.players, 0)
    report.check("entries on the server's import tables, beside one end of each session", stats.imports - 100, 0)
    report.check("entries on its export tables, likewise", stats.exports - 100, 0)


async def slow(report: Report, url: str, arena: Arena) -> None:
    """A client that does not answer for a while."""
    report.section("A client that does not answer for 50 ticks")
    async with playing(url, "quick") as quick, playing(url, "slow") as bot:
        slow_viewer = arena.viewers[-1]
        await slow_viewer.settled()
        bot.screen.looks.clear()
        before = len(bot.screen.ticks)
        first = arena.world.tick
        for _ in range(50):
            await quick.screen.until(arena.tick())
        report.check("updates that were on their way to it at most", slow_viewer.most, AHEAD)
        report.check("deltas that it was not sent", arena.counts.skipped, 50 - AHEAD)
        await bot.screen.until(first + AHEAD)
        bot.screen.looks.set()
        await slow_viewer.settled()
        await bot.screen.until(arena.tick())
        report.check("updates that it got", len(bot.screen.ticks) - before, AHEAD + 1)
        report.check("the last of them is a full state, its second", bot.screen.fulls, 2)
        report.check("its state is that of the server", bot.screen.mirror.digest(), digest_of(arena.world.full()))
        report.check("ticks that the quick client has missed", quick.screen.fulls - 1, 0)


async def refusals(report: Report) -> None:
    """What illegal moves get, on a board of three cells in a row, where bob stands to the east of ada."""
    report.section("What bad input gets")
    arena = Arena(World(width=3, height=1, coins=0, seed=SEED_OF_THREE))
    async with serve_page(PAGE, mounted(arena)) as website:
        async with playing(website.rpc, "ada") as ada, playing(website.rpc, "bob"):
            for direction in ("north", "east"):
                why = await report.refused(f"a step to the {direction}", ada.figure.move(direction), IllegalMove)
                report.say(str(why))
            await ada.figure.move("west")
            why = await report.refused("another step in the same tick", ada.figure.move("east"), IllegalMove)
            report.say(str(why))
            report.check("where ada is", [each.x for each in arena.world.players.values() if each.name == "ada"], [0])
            async with connect(website.rpc, GameStub) as game:
                full = await report.refused("a third player where two have room", game.join("eve", Screen()), GameFull)
                report.say(str(full))
        async with connect(website.rpc, AnyStub) as untyped:
            wrong = await report.refused("a player without a name", untyped.call("join", "", None), TypeError)
            report.say(str(wrong))


async def cost(report: Report) -> None:
    """What a client with 99 others is sent, byte by byte."""
    report.section(f"Bytes for a client, 100 players of whom {MOVING} move in each tick")
    full, deltas = await bytes_sent(players=100, moving=MOVING, ticks=2 * TICKS)
    report.at_most("a full state", full, 6000, "bytes")
    report.at_most("a delta, on the average", deltas / (2 * TICKS), 300, "bytes")
    report.at_least("so many times as much are full states", full * 2 * TICKS / deltas, 20)


if __name__ == "__main__":
    run("game_state", game)
