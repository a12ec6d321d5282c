"""The game: `python -m examples.game_state.server --port 8080`, for programs and, with a page, for browsers."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from examples.form.website import serve_until_told, website_options
from examples.game_state.arena import Arena
from examples.game_state.generated.game import FigureTarget, GameTarget, ScreenStub
from examples.game_state.schemas.game import Direction, Stats
from examples.game_state.world import World

PAGE = Path(__file__).parent / "page"


class Figure(FigureTarget):
    """A figure of a client. It leaves the board when the client lets go of it, and when its session ends."""

    def __init__(self, arena: Arena, name: str, screen: ScreenStub) -> None:
        self._arena = arena
        self._player = arena.world.add(name)
        self._viewer = arena.open(screen.dup())

    @property
    def id(self) -> int:
        return self._player.id

    def move(self, direction: Direction) -> None:
        self._arena.world.move(self._player, direction)

    def dispose(self) -> None:
        self._arena.close(self._viewer)
        self._arena.world.remove(self._player)


class Game(GameTarget):
    """The door.

    Parameters:
        arena: where.
        stats: says how the server is doing.
    """

    def __init__(self, arena: Arena, stats: Callable[[], Stats]) -> None:
        self._arena = arena
        self._stats = stats

    def join(self, name: str, screen: ScreenStub) -> Figure:
        return Figure(self._arena, name, screen)

    def stats(self) -> Stats:
        return self._stats()


def mounted(arena: Arena) -> CapnwebAiohttp:
    """The game, to be mounted."""

    def stats() -> Stats:
        sessions, totals, counts = rpc.stats().sessions, rpc.totals(), arena.counts
        return Stats(
            tick=arena.world.tick,
            players=len(arena.world.players),
            sessions=sessions.now,
            queued_bytes=totals.queued_bytes,
            imports=totals.imports,
            exports=totals.exports,
            deltas=counts.deltas,
            fulls=counts.fulls,
            skipped=counts.skipped,
        )

    rpc = CapnwebAiohttp(lambda peer: Game(arena, stats))
    return rpc


async def main(options: argparse.Namespace) -> None:
    """Serve, and tick, until a signal."""
    arena = Arena(World())
    ticking = asyncio.create_task(arena.run(options.rate))
    await serve_until_told(PAGE, mounted(arena), options)
    ticking.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.game_state.server", description=__doc__)
    website_options(parser)
    parser.add_argument("--rate", type=float, default=20, help="ticks a second (default: %(default)s)")
    asyncio.run(main(parser.parse_args()))
