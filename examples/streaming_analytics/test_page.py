"""A page in a browser draws what is ingested, and ingests what the pointer does."""

from __future__ import annotations

import asyncio
import time

from capnweb_runtime import connect
from examples.form.website import installed_capnweb, serve_page
from examples.streaming_analytics.client import Source
from examples.streaming_analytics.generated.analytics import AnalyticsStub
from examples.streaming_analytics.hub import Hub
from examples.streaming_analytics.schemas.analytics import Row
from examples.streaming_analytics.server import PAGE, mounted
from tests.browser.devtools import browser
from tests.needs import INTEROP, needs_chromium, needs_node

LIMIT = 100
"""Seconds in which whatever is waited for here has to come."""


def figure(name: str) -> str:
    """An expression for one of the figures that the page shows."""
    return f"[...document.querySelectorAll('dt')].find(cell => cell.textContent === '{name}')?.nextSibling.textContent"


@needs_chromium
@needs_node
async def test_a_page_draws_what_others_ingest_and_ingests_its_pointer() -> None:
    now = int(time.time() * 1000) - 20_000
    rows = [Row(now + at, key, 400 + at % 700) for at in range(0, 10_000, 10) for key in ("ada", "bob")]
    async with (
        asyncio.timeout(LIMIT),
        serve_page(PAGE, mounted(Hub()), capnweb=installed_capnweb(INTEROP)) as website,
        connect(website.rpc, AnalyticsStub) as api,
        browser() as running,
    ):
        page = await running.open(website.page)
        await page.until("document.querySelector('#state')?.textContent === 'live'")
        assert await api.ingest(Source(rows)) == 2000
        await page.until(f"Number({figure('windows')}) >= 70")
        assert await page.evaluate("document.querySelector('#legend').innerText") == "ada\nbob"
        assert (
            await page.evaluate("document.querySelectorAll('#lines path')[1].getAttribute('d').split('L').length") > 30
        )
        for height in range(200, 300):
            await page.tell("Input.dispatchMouseEvent", type="mouseMoved", x=400, y=height)
        await page.tell("Input.dispatchMouseEvent", type="mouseMoved", x=401, y=300)
        pushing = asyncio.create_task(push(api))
        await page.until("document.querySelector('#legend').innerText.includes('pointer')")
        pushing.cancel()
        assert page.complaints == []


async def push(api: AnalyticsStub) -> None:
    """Rows of much later, so that all windows before close; again and again, as the pointer's may come after them."""
    later = int(time.time() * 1000)
    while True:
        await api.ingest(Source([Row(later, "ada", 500)]))
        later += 1
