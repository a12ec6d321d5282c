"""The analytics: `python -m examples.streaming_analytics.server --port 8080`; a page draws what is ingested."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from capnweb_runtime import ReadableStream
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from examples.form.website import serve_until_told, website_options
from examples.streaming_analytics.engine import Engine
from examples.streaming_analytics.generated.analytics import AnalyticsTarget
from examples.streaming_analytics.hub import Hub
from examples.streaming_analytics.schemas.analytics import Closed, Row, Spec

PAGE = Path(__file__).parent / "page"


class Analytics(AnalyticsTarget):
    """Each call is a generator or a loop of its own: it takes rows when it has room for what comes of them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def analyze(self, rows: ReadableStream[list[Row]], spec: Spec) -> AsyncIterator[Closed]:
        engine = Engine(spec)
        async for chunk in rows:
            engine.add(chunk)
            if windows := engine.closed():
                yield Closed(windows=windows, late=engine.late)  # waits while too much has not been read
        yield Closed(windows=engine.rest(), late=engine.late)

    async def ingest(self, rows: ReadableStream[list[Row]]) -> int:
        taken = 0
        async for chunk in rows:
            self._hub.take(chunk)
            taken += len(chunk)
        return taken

    def watch(self) -> AsyncIterator[Closed]:
        return self._hub.watch()


def mounted(hub: Hub) -> CapnwebAiohttp:
    """The analytics, to be mounted."""
    return CapnwebAiohttp(lambda peer: Analytics(hub))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.streaming_analytics.server", description=__doc__)
    website_options(parser)
    asyncio.run(serve_until_told(PAGE, mounted(Hub()), parser.parse_args()))
