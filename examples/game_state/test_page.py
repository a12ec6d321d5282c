"""A page in a browser plays like any other client, and sees the same."""

from __future__ import annotations

import asyncio

from examples.form.website import installed_capnweb, serve_page
from examples.game_state.arena import Arena
from examples.game_state.client import playing
from examples.game_state.server import PAGE, mounted
from examples.game_state.world import World
from tests.browser.devtools import browser
from tests.needs import INTEROP, needs_chromium, needs_node

LIMIT = 100
"""Seconds in which whatever is waited for here has to come."""


def number(name: str) -> str:
    """An expression for one of the numbers that the page shows."""
    cells = "[...document.querySelectorAll('dt')]"
    return f"Number({cells}.find(cell => cell.textContent === '{name}')?.nextSibling.textContent)"


@needs_chromium
@needs_node
async def test_a_page_plays_and_its_state_is_that_of_all_others() -> None:
    arena = Arena(World(seed=2))
    async with (
        asyncio.timeout(LIMIT),
        serve_page(PAGE, mounted(arena), capnweb=installed_capnweb(INTEROP)) as website,
        playing(website.rpc, "bot") as bot,
        browser() as running,
    ):
        page = await running.open(website.page)
        await page.until("document.querySelector('form button:enabled')")
        await page.evaluate("document.querySelector('form input').value = 'ada'")
        await page.evaluate("document.querySelector('form button').click()")
        await page.until(f"{number('players')} === 2")
        ada = next(each for each in arena.world.players.values() if each.name == "ada")
        before = ada.x
        for _ in range(5):
            arena.tick()
        await page.until(f"{number('tick')} === 5")
        await page.press("ArrowLeft")
        await page.until(f"{number('steps')} === 1")
        assert ada.x == before - 1
        await page.press("ArrowUp")
        await page.until(f"{number('refused')} === 1")
        tick = arena.tick()
        await bot.screen.until(tick)
        await page.until(f"{number('tick')} === 6")
        assert await page.evaluate("digest()") == bot.screen.mirror.digest()
        assert await page.evaluate(number("deltas")) == 6
        assert await page.evaluate(number("full states")) == 1
        assert page.complaints == []
        await page.tell("Page.navigate", url="about:blank")
        while len(arena.world.players) > 1:
            await bot.screen.until(arena.tick())
