"""The game does what its README claims."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime import AnyStub, RpcError
from capnweb_runtime.testing import PairFixture
from examples.form.processes import started
from examples.form.testing import as_documented
from examples.game_state.arena import AHEAD, Arena
from examples.game_state.bytes_sent import bytes_sent, no_stats
from examples.game_state.client import Screen, playing, walk
from examples.game_state.generated.game import GameStub
from examples.game_state.mirror import Mirror, digest_of
from examples.game_state.schemas.game import Delta, Full, IllegalMove, Player
from examples.game_state.server import Game
from examples.game_state.world import STEPS, World

LIMIT = 60
"""Seconds in which whatever is waited for here has to come."""


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("game_state")
    assert ran.number("deltas, one for each client and tick") == 80 * 40 + 20 * 20
    assert ran.number("different states at the end, by hash") == 1
    assert ran.number("updates that were on their way to it at most") == AHEAD
    assert ran.number("entries on its export tables, likewise") == 0


def legal(world: World, player: Player, chance: Random) -> None:
    """A step somewhere, if there is a way."""
    for direction in chance.sample(list(STEPS), len(STEPS)):
        try:
            world.move(player, direction)
        except IllegalMove:
            continue
        return


@given(seed=st.integers(0, 2**32), ticks=st.integers(1, 20), joins=st.integers(0, 5))
def test_whenever_a_mirror_begins_it_is_equal_after_the_next_tick(seed: int, ticks: int, joins: int) -> None:
    chance, mirrors = Random(seed), [Mirror()]
    world = World(width=6, height=5, coins=8, seed=seed)
    mirrors[0].take(world.full())
    for _ in range(ticks):
        for _ in range(chance.randrange(8)):  # what happens in one tick, in any order
            players = list(world.players.values())
            what = chance.choice(("come", "go", "walk", "walk", "walk", "look"))
            if what == "come" and len(players) < 10:
                world.add("somebody")
            elif what == "look" and len(mirrors) <= joins:
                mirrors.append(Mirror())
                mirrors[-1].take(world.full())  # in the midst of a tick
            elif what == "go" and players:
                world.remove(chance.choice(players))
            elif what == "walk" and players:
                legal(world, chance.choice(players), chance)
        delta = world.advance()
        for mirror in mirrors:
            mirror.take(delta)
            assert mirror.digest() == digest_of(world.full())


def test_a_delta_that_does_not_follow_is_never_applied() -> None:
    mirror, world = Mirror(), World(seed=1)
    with pytest.raises(ValueError, match="tick 1 came after tick -1"):
        mirror.take(Delta(tick=1))
    mirror.take(world.full())
    first, second = world.advance(), world.advance()
    with pytest.raises(ValueError, match="tick 2 came after tick 0"):
        mirror.take(second)
    mirror.take(first)
    assert mirror.tick == 1


@pytest.mark.capnweb(no_leaks=True)
async def test_who_lets_go_of_a_figure_has_left_and_leaves_nothing(capnweb_pair: PairFixture) -> None:
    arena = Arena(World(seed=1))
    async with asyncio.timeout(LIMIT), capnweb_pair(Game(arena, no_stats), GameStub) as game:
        screen = Screen()
        async with await game.join("ada", screen):
            await screen.until(arena.tick())
            assert [each.name for each in arena.world.players.values()] == ["ada"]
    assert not arena.world.players
    assert not arena.viewers


async def test_a_client_that_cannot_apply_an_update_gets_a_full_state_next(capnweb_pair: PairFixture) -> None:
    class Forgetful(Screen):
        async def show(self, update: Full | Delta) -> None:
            if update.tick == 1:
                raise RpcError("I was not listening")
            await super().show(update)

    arena, screen = Arena(World(seed=1)), Forgetful()
    async with (
        asyncio.timeout(LIMIT),
        capnweb_pair(Game(arena, no_stats), GameStub) as game,
        await game.join("ada", screen),
    ):
        for _ in range(3):
            arena.tick()
            await arena.viewers[0].settled()
        assert screen.ticks == [0, 2, 3]
        assert screen.fulls == 2
        assert screen.mirror.digest() == digest_of(arena.world.full())


async def test_what_waits_for_a_client_that_never_answers_does_not_grow(capnweb_pair: PairFixture) -> None:
    arena, screen = Arena(World(seed=1)), Screen()
    screen.looks.clear()
    joined = capnweb_pair(Game(arena, no_stats), GameStub)
    async with asyncio.timeout(LIMIT), joined as game, await game.join("ada", screen):
        for _ in range(1000):
            arena.tick()
        await screen.until(AHEAD - 1)
        assert arena.viewers[0].most == AHEAD
        assert joined.server.stats().imports == 2 + AHEAD  # the client's main, its screen, and updates without answer
        assert arena.counts.skipped == 1000 - AHEAD + 1
        screen.looks.set()


@pytest.mark.parametrize("direction", ["up", "North", "", None, 1])
async def test_directions_that_the_schema_does_not_know_never_reach_the_world(
    capnweb_pair: PairFixture, direction: object
) -> None:
    arena = Arena(World(seed=1))
    async with capnweb_pair(Game(arena, no_stats), AnyStub) as untyped:
        with pytest.raises(TypeError, match="'direction'"):
            await untyped.call("join", "ada", Screen()).call("move", direction)


async def test_deltas_are_a_twentieth_of_full_states() -> None:
    full, deltas = await bytes_sent(players=100, moving=10, ticks=10)
    assert full * 10 > 20 * deltas


async def test_the_server_ticks_by_itself_and_bots_walk() -> None:
    async with (
        asyncio.timeout(LIMIT),
        started("examples.game_state.server", "--port", "0", "--rate", "100") as server,
        playing(server.url, "ada") as ada,
    ):
        walking = asyncio.create_task(walk(server.url, "bot"))
        seen: set[tuple[int, int]] = set()
        while len(seen) < 3:
            await ada.screen.until(ada.screen.mirror.tick + 1)
            seen |= {(each.x, each.y) for each in ada.screen.mirror.players.values() if each.name == "bot"}
        walking.cancel()
