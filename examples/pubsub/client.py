"""A subscriber: `python -m examples.pubsub.client ws://127.0.0.1:8080/ TOPIC --cursor cursor.txt`.

It prints what is published. It may be killed and started again at any time: with its cursor in a file, it goes on from
there.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from capnweb_runtime import Connected, Reconnect, connect
from examples.pubsub.generated.pubsub import PubSubStub, SubscriptionStub
from examples.pubsub.schemas.pubsub import Batch, Gap


class Reader:
    """Follows a topic over as many sessions as it takes.

    Parameters:
        topic: which.
        handle: awaited with each batch; when it has returned, the batch counts as handled.
        cursor: what was handled last, in another session or process; None begins with what is published from now on.

    Attributes:
        cursor: what has been handled.
    """

    def __init__(self, topic: str, handle: Callable[[Batch], Awaitable[None]], cursor: str | None = None) -> None:
        self.topic = topic
        self.cursor = cursor
        self._handle = handle
        self._subscription: SubscriptionStub | None = None

    async def subscribe(self, api: PubSubStub, info: Connected) -> None:
        """Subscribes anew; for `Reconnect.on_connect`."""
        subscribed = await api.subscribe(self.topic, self._deliver, self.cursor)
        self._subscription = subscribed.subscription  # holding it is being subscribed
        if self.cursor is None:
            self.cursor = subscribed.cursor

    async def _deliver(self, batch: Batch) -> None:
        await self._handle(batch)
        self.cursor = batch.cursor


def noted(file: Path) -> str | None:
    """The cursor in a file; None if there is none yet."""
    return file.read_text("ascii") if file.exists() else None


def note(file: Path, cursor: str) -> None:
    """Keeps a cursor in a file, which is never half written."""
    new = file.with_suffix(".new")
    new.write_text(cursor, "ascii")
    new.replace(file)


async def main(url: str, topic: str, file: Path) -> None:
    """Print what is published, for ever."""
    ready = asyncio.Event()

    async def show(batch: Batch) -> None:
        await ready.wait()
        note(file, batch.cursor)
        for entry in batch.entries:  # what has been printed has been noted
            print(f"missed {entry.missed}" if isinstance(entry, Gap) else f"{entry.number} {entry.text}", flush=True)

    reader = Reader(topic, show, noted(file))
    async with connect(url, PubSubStub, reconnect=Reconnect(on_connect=reader.subscribe)):
        print("serving", url, flush=True)
        ready.set()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.pubsub.client", description=__doc__)
    parser.add_argument("url", help="where the server is")
    parser.add_argument("topic", help="what to subscribe to")
    parser.add_argument("--cursor", type=Path, default="cursor.txt", help="where to go on (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.url, options.topic, options.cursor))
