"""Bots: `python -m examples.game_state.client ws://127.0.0.1:8080/rpc --players 20` has them walk until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from random import Random

from capnweb_runtime import connect
from capnweb_runtime.connecting.connect import Connecting
from examples.game_state.generated.game import FigureStub, GameStub, ScreenTarget
from examples.game_state.mirror import Mirror
from examples.game_state.schemas.game import Delta, Full, IllegalMove
from examples.game_state.world import STEPS


class Screen(ScreenTarget):
    """A client's side: takes updates, one after another.

    Attributes:
        mirror: the state as this client knows it.
        ticks: of the updates, in the order in which they came.
        fulls: how many of them were full states.
        looks: cleared makes this client one that does not answer, until it is set again.
    """

    def __init__(self) -> None:
        self.mirror = Mirror()
        self.ticks: list[int] = []
        self.fulls = 0
        self.looks = asyncio.Event()
        self.looks.set()
        self._news = asyncio.Event()

    async def show(self, update: Full | Delta) -> None:
        self.mirror.take(update)
        self.ticks.append(update.tick)
        self.fulls += isinstance(update, Full)
        self._news.set()
        await self.looks.wait()

    async def until(self, tick: int) -> None:
        """Wait until the state of a tick is known."""
        while self.mirror.tick < tick:
            self._news.clear()
            await self._news.wait()


class Bot:
    """A player.

    Attributes:
        session: how it is connected.
        game: the door.
        screen: what it sees.
        figure: its figure.
    """

    def __init__(self, session: Connecting[GameStub], game: GameStub, screen: Screen, figure: FigureStub) -> None:
        self.session = session
        self.game = game
        self.screen = screen
        self.figure = figure

    async def step(self, chance: Random) -> None:
        """Take a step somewhere, if there is a way."""
        for direction in chance.sample(list(STEPS), len(STEPS)):
            try:
                await self.figure.move(direction)
            except IllegalMove:
                continue
            return


@asynccontextmanager
async def playing(url: str, name: str) -> AsyncGenerator[Bot]:
    """Play for as long as the block lasts."""
    session = connect(url, GameStub)
    async with session as game:
        screen = Screen()
        async with await game.join(name, screen) as figure:
            yield Bot(session, game, screen, figure)


async def walk(url: str, name: str) -> None:
    """Take a step a tick, for ever."""
    chance = Random(name)
    async with playing(url, name) as bot:
        while True:
            await bot.screen.until(bot.screen.mirror.tick + 1)
            await bot.step(chance)


async def main(url: str, players: int) -> None:
    """Have several walk."""
    await asyncio.gather(*(walk(url, f"bot {number}") for number in range(1, players + 1)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.game_state.client", description=__doc__)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--players", type=int, default=20, help="how many (default: %(default)s)")
    told = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(main(told.url, told.players))
