"""A person at a terminal and a page in a browser are members like any other."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from examples.bidirectional_chat.client import entered
from examples.bidirectional_chat.listening import Heard
from examples.bidirectional_chat.schemas.chat import Came, Happened, Said, Went
from examples.bidirectional_chat.server import PAGE, PASSWORD, chat, opened
from examples.form.website import Website, installed_capnweb, serve_page
from tests.browser.devtools import Page, browser
from tests.needs import INTEROP, needs_chromium, needs_node

LIMIT = 100
"""Seconds in which whatever is waited for here has to come."""


@asynccontextmanager
async def served() -> AsyncGenerator[Website]:
    async with (
        asyncio.timeout(LIMIT),
        opened() as hall,
        serve_page(PAGE, chat(hall), capnweb=installed_capnweb(INTEROP)) as website,
    ):
        yield website


async def terminal(url: str, name: str, *arguments: str) -> asyncio.subprocess.Process:
    """The terminal client."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.bidirectional_chat.client", url, "--name", name, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_person_at_a_terminal_talks_to_the_others() -> None:
    ears = Heard()
    async with served() as website, entered(website.rpc, "ada", ears) as ada:
        bob = await terminal(website.rpc, "bob")
        assert bob.stdin is not None
        assert bob.stdout is not None
        assert await bob.stdout.readline() == b"* bob is here\n"
        await ada.room.say("Hello, \x1b[31mBob")
        assert (await bob.stdout.readline()).decode() == "ada: Hello, �[31mBob\n"
        bob.stdin.write(b"Hello, Ada\n/who\n" + b"x" * 501 + b"\n")
        answers = {await bob.stdout.readline() for _ in range(2)}
        assert answers == {b"bob: Hello, Ada\n", b"* here: ada, bob\n"}
        assert (await bob.stdout.readline()).startswith(b"! not said: argument 'text': expected str of length")
        bob.stdin.close()
        await ears.until(Went(name="bob", why="left"))
        assert await bob.wait() == 0
        assert "Hello, Ada" in ears.texts()


async def test_a_member_comes_back_by_itself_after_its_server_did_and_hears_what_it_missed() -> None:
    ears = Heard()
    async with AsyncExitStack() as staying, asyncio.timeout(LIMIT):
        hall = await staying.enter_async_context(opened())
        async with serve_page(PAGE, chat(hall)) as website:
            ada = await staying.enter_async_context(entered(website.rpc, "ada", ears))
            await ears.until(Came(name="ada"))
            before = ada.room
        await hall.topic("hall").publish(Happened(Said(name="bob", text="Are you there?")))
        port = int(website.page.rsplit(":", 1)[1].strip("/"))
        async with serve_page(PAGE, chat(hall), port=port):
            await ears.until(Said(name="bob", text="Are you there?"))
            for _ in iter(lambda: ada.room is not before, True):
                await asyncio.sleep(0)
            await ada.room.say("Yes")
            await ears.until(Said(name="ada", text="Yes"))
            assert ears.texts() == ["Are you there?", "Yes"]
            assert [each.kind for each in ears.events] == ["came", "said", "said"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "ada"), b"somebody else is called ada\n"),
        (("--name", "eve", "--password", "?"), b"that is not the password\n"),
        (("--name", "eve", "--room", "cellar"), b"there is no room cellar; there are: hall, library\n"),
    ],
)
async def test_a_person_who_is_not_let_in_is_told_why(arguments: tuple[str, ...], said: bytes) -> None:
    async with served() as website, entered(website.rpc, "ada", Heard()):
        eve = await terminal(website.rpc, *arguments[1:])
        _, complaint = await eve.communicate()
        assert (eve.returncode, complaint) == (1, said)


async def fill(page: Page, name: str, password: str) -> None:
    """Fill in the form at the door, and send it."""
    for field, value in (("name", name), ("password", password)):
        await page.evaluate(f"document.querySelector('#door input[name={field}]').value = '{value}'")
    await page.evaluate("document.querySelector('#door button').click()")


LINES = "[...document.querySelectorAll('#log li')].map(item => item.textContent)"


@needs_chromium
@needs_node
async def test_a_page_is_a_member_like_others() -> None:
    ears = Heard()
    async with served() as website, entered(website.rpc, "ada", ears) as ada, browser() as running:
        page = await running.open(website.page)
        await page.until("document.querySelector('#door button:enabled')")
        await fill(page, "bob", "?")
        await page.until("document.querySelector('#door p').textContent === 'that is not the password'")
        await fill(page, "ada", PASSWORD)
        await page.until("document.querySelector('#door p').textContent === 'somebody else is called ada'")
        await fill(page, "bob", PASSWORD)
        await page.until(f"{LINES}.includes('bob is here')")
        await page.until("document.querySelector('#present').innerText === 'ada\\nbob'")
        await ada.room.say("<img src=x onerror=alert(1)>")
        await page.until(f"{LINES}.includes('ada<img src=x onerror=alert(1)>')")
        assert await page.evaluate("document.querySelectorAll('#log img').length") == 0
        await page.evaluate("document.querySelector('#say input').value = 'Hello from a page'")
        await page.evaluate("document.querySelector('#say button').click()")
        await page.until(f"{LINES}.includes('bobHello from a page')")
        await page.tell("Page.navigate", url="about:blank")
        await ears.until(Went(name="bob", why="left"))
        assert "Hello from a page" in ears.texts()
        assert page.complaints == []


@needs_chromium
@needs_node
async def test_a_page_comes_back_after_its_server_did_and_shows_what_it_missed() -> None:
    async with opened() as hall, browser() as running, asyncio.timeout(LIMIT):
        async with serve_page(PAGE, chat(hall), capnweb=installed_capnweb(INTEROP)) as website:
            page = await running.open(website.page)
            await page.until("document.querySelector('#door button:enabled')")
            await fill(page, "bob", PASSWORD)
            await page.until("document.querySelector('#state').textContent === 'connected'")
        await page.until("document.querySelector('#state').textContent === 'connection lost'")
        await hall.topic("hall").publish(Happened(Said(name="ada", text="while you were away")))
        port = int(website.page.rsplit(":", 1)[1].strip("/"))
        async with serve_page(PAGE, chat(hall), port=port, capnweb=installed_capnweb(INTEROP)):
            await page.until("document.querySelector('#state').textContent === 'connected'")
            shown = await page.evaluate(LINES)
    assert shown == ["bob is here", "adawhile you were away"]
