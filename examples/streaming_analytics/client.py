"""A source: `python -m examples.streaming_analytics.client ws://127.0.0.1:8080/rpc` ingests rows until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from random import Random

from capnweb_runtime import connect
from examples.streaming_analytics.generated.analytics import AnalyticsStub
from examples.streaming_analytics.schemas.analytics import Row, Spec, Window

KEYS = ("ada", "bob", "eve")


def made_up(seed: int, disorder: int = 0) -> Iterator[Row]:
    """Rows without end, one a millisecond on the average.

    Parameters:
        seed: of chance.
        disorder: milliseconds by which a row may be late.
    """
    chance, now = Random(seed), disorder
    while True:
        now += chance.randrange(3)
        yield Row(now - chance.randint(0, disorder), chance.choice(KEYS), chance.randrange(-100, 1000))


class Source:
    """Sends rows in chunks, which is what makes a stream of small things fast.

    Parameters:
        rows: what to send.
        chunk: rows in a chunk.

    Attributes:
        sent: rows that the stream has taken off our hands.
    """

    def __init__(self, rows: Iterable[Row], chunk: int = 500) -> None:
        self._rows = iter(rows)
        self._chunk = chunk
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[list[Row]]:
        while rows := list(islice(self._rows, self._chunk)):
            yield rows  # waits while too much is on its way
            self.sent += len(rows)


async def windows_of(api: AnalyticsStub, source: Source, spec: Spec) -> tuple[list[Window], int]:
    """Send rows and read windows, both at the same time.

    Returns:
        All windows, and how many rows were late.
    """
    windows: list[Window] = []
    late = 0
    async for closed in api.analyze(source, spec):
        windows += closed.windows
        late = closed.late
    return windows, late


async def live(rate: float) -> AsyncIterator[list[Row]]:
    """Rows of now, a tenth of a second at a time."""
    chance, levels = Random(), dict.fromkeys(KEYS, 500.0)
    while True:
        await asyncio.sleep(0.1)
        now = int(time.time() * 1000)
        for key in KEYS:
            levels[key] += chance.gauss(0, 20) + (500 - levels[key]) / 50
        yield [Row(now, key, int(levels[key] + chance.gauss(0, 30))) for _ in range(int(rate / 30)) for key in KEYS]


async def main(url: str, rate: float) -> None:
    """Ingest until somebody ends it."""
    async with connect(url, AnalyticsStub) as api:
        await api.ingest(live(rate))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.streaming_analytics.client", description=__doc__)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--rate", type=float, default=3000, help="rows a second (default: %(default)s)")
    told = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(main(told.url, told.rate))
