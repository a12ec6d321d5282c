"""Chromium, headless, and a server of pages for it. Rule: a page says itself what became of it; nothing is polled."""

from __future__ import annotations

import asyncio
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

PATIENCE: Final = 60
"""Seconds after which a page that says nothing is taken for hung."""
FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0"),
)


class Pages:
    """What a page is given, and what became of it.

    Parameters:
        files: content of each path, with its type.
        plan: what the page is to do.
    """

    def __init__(self, files: Mapping[str, tuple[str, str]], plan: Any) -> None:
        self._files = files
        self._plan = plan
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request of the browser's."""
        if request.path == "/plan":
            return web.json_response(self._plan)
        if request.path == "/done":
            outcome = await request.json()
            if not self.outcome.done():
                self.outcome.set_result(outcome)
            return web.Response()
        if request.path not in self._files:
            return web.Response(status=404)
        text, kind = self._files[request.path]
        return web.Response(text=text, content_type=kind)


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Opens a page for as long as the block lasts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            "chromium", *FLAGS, f"--user-data-dir={profile}", url, stdout=DEVNULL, stderr=PIPE, cwd=Path(profile)
        )
        assert process.stderr is not None
        said = asyncio.create_task(process.stderr.read())  # or it stops once the pipe is full
        try:
            yield process
        finally:
            process.kill()
            await process.wait()
            await said


async def outcome_of(files: Mapping[str, tuple[str, str]], plan: Any, port: int, host: str = "localhost") -> Any:
    """What a page says that became of it.

    Parameters:
        files: see `Pages`; "/" is the page.
        plan: what the page is to do.
        port: where the pages are served; 0 means any.
        host: the page's.
    """
    pages = Pages(files, plan)
    runner = web.ServerRunner(web.Server(pages.handle))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        where = runner.addresses[0][1]
        async with browsing(f"http://{host}:{where}/"):
            return await asyncio.wait_for(pages.outcome, PATIENCE)
    finally:
        await runner.cleanup()
