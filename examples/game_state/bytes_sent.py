"""Measures what a client is sent. Both ends are in this process, and what counts is the text of each message."""

from __future__ import annotations

from random import Random

from capnweb_runtime.testing import pair, record
from examples.game_state.arena import Arena
from examples.game_state.client import Screen
from examples.game_state.generated.game import GameStub
from examples.game_state.schemas.game import IllegalMove, Stats
from examples.game_state.server import Game
from examples.game_state.world import STEPS, World


def no_stats() -> Stats:
    """There is nobody who asks."""
    raise NotImplementedError


async def bytes_sent(players: int, moving: int, ticks: int) -> tuple[int, int]:
    """What a client is sent.

    Parameters:
        players: on the board, the client among them.
        moving: of them, in each tick.
        ticks: how many.

    Returns:
        Bytes of the full state that it began with, and of all deltas together.
    """
    arena, chance, screen, wire = Arena(World(seed=1)), Random(1), Screen(), record()
    for number in range(1, players):
        arena.world.add(f"bot {number}")
    arena.tick()
    async with pair(Game(arena, no_stats), GameStub, record=wire) as game, await game.join("ada", screen):
        for _ in range(ticks):
            for player in chance.sample(list(arena.world.players.values()), moving):
                try:
                    arena.world.move(player, chance.choice(list(STEPS)))
                except IllegalMove:
                    continue
            await screen.until(arena.tick())
    shown = [message.text for message in wire.wire if message.sender == "server" and '"show"' in message.text]
    return len(shown[0].encode()), sum(len(text.encode()) for text in shown[1:])
