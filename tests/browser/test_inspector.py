"""The inspector's page in Chromium: what it shows, that it asks nobody but its server, and that a text stays a text.

With CAPNWEB_SCREENSHOTS=folder the pictures that the tests take are kept there.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.connecting.connect import Connecting
from capnweb_runtime.inspector import Inspector
from capnweb_runtime.serving.server import Server
from examples.demo.server import Accounts, Front
from examples.inspected.traffic import SlowFront, client
from generated.accounts import PublicApiStub
from tests.browser.devtools import Browser, Page, browser
from tests.needs import needs_chromium
from tests.runtime.transports.example_api import Example, ExampleStub

pytestmark = [needs_chromium]

FOLDER: Final = os.environ.get("CAPNWEB_SCREENSHOTS")
HOSTILE: Final = '</script><img src=x onerror="document.title=1"><b>bold</b>\u202e\x1b[31m'


@asynccontextmanager
async def accounts_served(**options: Any) -> AsyncIterator[tuple[Server, Accounts]]:
    accounts = Accounts()

    def front(_: object) -> Front:
        return Front(accounts)

    async with serve(front, "127.0.0.1", 0, path="/rpc", **{"inspector": "calls", **options}) as server:
        yield server, accounts


@asynccontextmanager
async def opened(server: Server, **options: Any) -> AsyncIterator[Page]:
    """The page of a server, which says at the end that nothing was wrong with it."""
    async with browser() as running:
        page = await shown(running, server, **options)
        yield page
        assert page.complaints == []
        own = {
            f"http://127.0.0.1:{server.port}/inspector",
            f"ws://127.0.0.1:{server.port}/inspector/session",
            server.url,
        }
        assert {url for url in page.requests if not url.startswith("data:")} <= own


async def shown(running: Browser, server: Server, **options: Any) -> Page:
    page = await running.open(server.inspector_url, **options)
    await page.until("document.querySelector('.state')?.textContent === 'Live'")
    return page


async def picture(page: Page, name: str) -> None:
    if FOLDER is not None:
        keep(Path(FOLDER), f"{name}.png", await page.screenshot())


def keep(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def texts(selector: str) -> str:
    return f"[...document.querySelectorAll('{selector}')].map(one => one.textContent)"


async def press_button(page: Page, text: str) -> None:
    await page.evaluate(f"[...document.querySelectorAll('button')].find(one => one.textContent === '{text}').click()")


async def choose(page: Page, label: str, value: str) -> None:
    field = f"document.querySelector('select[aria-label=\"{label}\"]')"
    await page.evaluate(f"{field}.value = '{value}'; {field}.dispatchEvent(new Event('change'))")


async def go(page: Page, where: str) -> None:
    await page.evaluate(f"location.hash = '#/{where}'")


async def test_the_token_leaves_the_address_and_a_reload_needs_none() -> None:
    async with accounts_served() as (server, _), opened(server) as page:
        token = server.inspector_url.partition("#")[2]
        assert await page.evaluate("location.href") == f"http://127.0.0.1:{server.port}/inspector#/overview"
        assert not any(token in url for url in page.requests[1:])
        await page.tell("Page.reload")
        await page.until("document.querySelector('.state')?.textContent === 'Live'")


async def test_a_wrong_token_is_asked_for_again() -> None:
    settings = Inspector(wrong_token_delay=0.0)
    async with accounts_served(inspector=settings) as (server, _), browser() as running:
        url, _, token = server.inspector_url.partition("#")
        page = await running.open(f"{url}#wrong-token-wrong-token")
        await page.until("document.querySelector('form.door')?.textContent.includes('not the token')")
        await picture(page, "door")
        await page.evaluate(f"document.querySelector('.door input').value = '{token}'")
        await press_button(page, "Open")
        await page.until("document.querySelector('.state')?.textContent === 'Live'")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_traffic_is_shown_in_every_view(dark: bool) -> None:
    accounts, chance = Accounts(), Random(1)

    def front(_: object) -> SlowFront:
        return SlowFront(accounts, chance)

    name = "dark" if dark else "light"
    async with (
        serve(front, "127.0.0.1", 0, path="/rpc", inspector="calls") as server,
        opened(server, dark=dark) as page,
    ):
        clients = [asyncio.create_task(client(server.url, accounts, Random(at), pause=0.2)) for at in range(12)]
        try:
            await go(page, "sessions")
            await page.until("document.querySelectorAll('tr.item').length === 12")
            await picture(page, f"sessions-{name}")
            await go(page, "calls")
            await page.until("document.querySelectorAll('.calls .item').length > 60")
            await page.until("document.querySelector('.item[data-state=failed]')")
            await page.until("document.querySelector('.item[aria-level=\"3\"]')")
            await picture(page, f"calls-{name}")
            await go(page, "messages")
            await page.until("document.querySelectorAll('.frame').length > 60")
            await picture(page, f"messages-{name}")
            await go(page, "overview")
            await page.until("document.querySelector('[data-tile=calls] .line').getAttribute('d').length > 60")
            await picture(page, f"overview-{name}")
            light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (light == "rgb(20, 21, 20)") is dark
            await press_button(page, "Pause")
            await page.until("document.querySelector('.state').textContent === 'Paused'")
        finally:
            for one in clients:
                one.cancel()
            await asyncio.gather(*clients, return_exceptions=True)


async def test_everything_can_be_reached_with_the_keyboard() -> None:
    async with accounts_served() as (server, _), opened(server) as page, connect(server.url, PublicApiStub) as api:
        await page.press("3")
        await page.until("document.querySelector('[aria-current=page]').textContent === 'Calls'")
        await page.until("document.querySelector('main input[type=search]')")
        await api.authenticate("secret").me()
        await page.until("document.querySelectorAll('.calls .item').length === 2")
        await page.evaluate("document.querySelector('.calls .item[tabindex=\"0\"]').focus()")
        await page.press("ArrowDown")
        assert "AuthedApi.me" in await page.evaluate("document.activeElement.textContent")
        await page.press("Enter")
        await page.until("document.querySelector('.item[aria-expanded=true] .detail')?.checkVisibility()")
        await page.press("/")
        assert await page.evaluate("document.activeElement.type") == "search"
        await page.press("Escape")
        await page.press("2")
        await page.until("document.querySelectorAll('tr.item').length === 1")
        await page.evaluate("document.querySelector('tr.item[tabindex=\"0\"]').focus()")
        await page.press("Enter")
        await page.until(f"{texts('h2')}.includes('Session 1')")
        await page.until("document.querySelectorAll('table.still tbody tr').length >= 2")
        await picture(page, "session")
        await page.press("p")
        await page.until("document.querySelector('.state').textContent === 'Paused'")


async def test_hostile_texts_stay_texts() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True) as server,
        opened(server) as page,
        connect(server.url, ExampleStub) as example,
    ):
        for view in ("calls", "messages"):
            await go(page, view)
            await page.until("document.querySelector('main input[type=search]')")
            await page.until(f"document.title.startsWith('{view.capitalize()}')")
            await example.echo({HOSTILE: HOSTILE})
            with pytest.raises(ValueError, match="script"):
                await example.fail(HOSTILE)
            await page.until("document.querySelector('main').textContent.includes('onerror=')")
            assert await page.evaluate("document.querySelectorAll('main img, main b, main script').length") == 0
        await picture(page, "hostile")
        assert await page.evaluate("document.title") == "Messages · Inspector"


async def test_a_thousand_sessions_are_shown_in_parts_and_found() -> None:
    async with accounts_served() as (server, _), opened(server) as page, many(server, 1_000) as clients:
        await go(page, "sessions")
        await page.until(f"{texts('.note')}.includes('1–100 of 1,000 sessions')")
        assert await page.evaluate("document.querySelectorAll('tr.item').length") == 100
        await press_button(page, "Next")
        await page.until(f"{texts('.note')}.includes('101–200 of 1,000 sessions')")
        await picture(page, "thousand")
        field = "document.querySelector('main input[type=search]')"
        await page.evaluate(f"{field}.value = '#77'; {field}.dispatchEvent(new Event('input'))")
        await page.until(f"{texts('.note')}.some(text => text.includes('of 1,000 sessions') && !text.includes('–'))")
        await go(page, "calls")
        await page.until("document.title.startsWith('Calls')")
        await asyncio.gather(*(one.authenticate("secret").me() for one in clients[::40]))
        await page.until("document.querySelectorAll('.calls .item').length === 50")


@asynccontextmanager
async def many(server: Server, count: int) -> AsyncIterator[list[PublicApiStub]]:
    """Sessions, opened a hundred at a time."""
    opening: list[Connecting[PublicApiStub]] = [connect(server.url, PublicApiStub) for _ in range(count)]
    stubs: list[PublicApiStub] = []
    try:
        for at in range(0, count, 100):
            stubs += await asyncio.gather(*(one.__aenter__() for one in opening[at : at + 100]))
        yield stubs
    finally:
        await asyncio.gather(*(one.__aexit__(None, None, None) for one in opening[: len(stubs)]))


async def test_the_schema_is_shown_with_what_its_docstrings_say() -> None:
    async with accounts_served() as (server, _), opened(server) as page:
        await go(page, "schema")
        await page.until("document.querySelector('.member')")
        assert await page.evaluate(texts(".index a")) == ["PublicApi", "AuthedApi", "Subscription", "Profile"]
        assert "Sign in. A token that is not valid" in await page.evaluate(
            "document.querySelector('.described').innerText"
        )
        await page.evaluate("document.querySelectorAll('.index a')[1].click()")
        await page.until(f"{texts('.signature code')}.includes('get_profile(user_id: int) → Profile')")
        await picture(page, "schema")


async def test_what_is_read_only_offers_no_calls() -> None:
    async with accounts_served(inspector=True) as (server, _), opened(server) as page:
        assert not await page.evaluate("[...document.querySelectorAll('nav a')].at(-1).checkVisibility()")
        await go(page, "schema")
        await page.until("document.querySelector('.member')")
        assert await page.evaluate("document.querySelectorAll('.member .button').length") == 0
        await go(page, "try")
        await page.until("document.querySelector('.state').textContent === 'Live'")
        assert server.stats().sessions.now == 0


async def call(page: Page, method: str, **fields: str) -> str:
    """Calls a method of what is chosen, and gives what the result says."""
    before = await page.evaluate("document.querySelectorAll('.entry').length")
    await choose(page, "Method", method)
    for value in fields.values():
        await page.evaluate(f"document.querySelector('.inputs input').value = '{value}'")
    await press_button(page, "Call")
    settled = "document.querySelector('.entry .note').textContent.startsWith('1 round trip')"
    await page.until(f"document.querySelectorAll('.entry').length === {before + 1} && {settled}")
    return str(await page.evaluate("document.querySelector('.entry .result').innerText"))


async def test_calls_are_made_on_what_is_held_and_can_be_copied(tmp_path: Path) -> None:
    async with accounts_served() as (server, accounts), opened(server) as page:
        await page.evaluate("navigator.clipboard.writeText = text => { window.copied = text; }")
        await go(page, "try/authenticate")
        await page.until("document.querySelector('.inputs input')?.type === 'password'")
        await page.evaluate("document.querySelector('.inputs input').value = 'secret'")
        await press_button(page, "Hold without waiting")
        await page.until(f"{texts('.held .use')}.includes('$1 AuthedApi')")
        assert await page.evaluate(texts(".entry .bar .note")) == ["no round trip"]
        await choose(page, "Object", "$1")
        assert await call(page, "get_profile", user_id="2") == '{id: 2, name: "Grace", tags: ["compilers"]}'
        assert await call(page, "get_profile", user_id="9") == "LookupError: no user 9"
        assert await call(page, "user_name") == '"Ada"'
        await call(page, "download", name="profiles.csv")
        await page.until("document.querySelector('.entry .result').innerText.endsWith('end of the stream: 4 items')")
        await choose(page, "Method", "friends")
        await choose(page, "For each item", "$1 get_profile")
        await choose(page, "Field of each result", "name")
        await press_button(page, "Call")
        await page.until(f'{texts(".entry .result")}.includes(\'["Grace", "Barbara"]\')')
        assert (await call(page, "watch")) == "$2 Subscription"
        await accounts.rename(2, "Grace H.")
        await page.until(f"{texts('.calls-back')}.some(text => text.startsWith('on_change('))")
        assert "6 round trips in this session" in await page.evaluate("document.querySelector('.results').textContent")
        assert "secret" not in await page.evaluate("document.querySelector('.history').textContent")
        await picture(page, "try")
        await accounts.rename(2, HOSTILE)
        await page.until(f"{texts('.calls-back')}.some(text => text.includes('</b>\\\\u{{202e}}'))")
        assert await page.evaluate("document.querySelectorAll('main img').length") == 0
        await press_button(page, "Copy as TypeScript")
        await page.until(f"{texts('button')}.includes('Copied')")
        assert ".map((item) => authedApi.get_profile(item).name)" in await page.evaluate("window.copied")
        await press_button(page, "Copy as Python")
        await page.until("window.copied.startsWith('import asyncio')")
        program = await page.evaluate("window.copied")
        said = await run(re.sub(r"        print\(await authed_api\.get_profile\(9\)\)\n", "", program), tmp_path)
    assert "tags=['compilers']" in said
    assert "Barbara" in said


async def run(program: str, folder: Path) -> str:
    """What a copied program prints."""
    file = folder / "copied.py"
    file.write_text(program)
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "TOKEN": "secret", "PYTHONPATH": root}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(file)), env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_a_fault_in_a_form_is_said_beside_the_field() -> None:
    async with accounts_served() as (server, _), opened(server) as page:
        await go(page, "try/authenticate")
        await page.until("document.querySelector('.inputs input')")
        await page.evaluate("document.querySelector('.inputs input').value = 'secret'")
        await press_button(page, "Call")
        await page.until(f"{texts('.held .use')}.includes('$1 AuthedApi')")
        await choose(page, "Object", "$1")
        await choose(page, "Method", "get_profile")
        await page.evaluate("document.querySelector('.inputs input').value = 'two'")
        await press_button(page, "Call")
        await page.until(f"{texts('.fault')}.includes('is no whole number')")
