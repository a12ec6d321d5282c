"""A subscriber: `python -m examples.pubsub.client ws://127.0.0.1:8080/ TOPIC --cursor cursor.txt`.

It prints what is published. It may be killed and started again at any time: with its cursor in a file, it goes on from
there.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from capnweb_runtime import Reconnect, connect
from capnweb_runtime.scale import TopicGap, follow
from examples.pubsub.generated.pubsub import PubSubStub


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
    async with (
        connect(url, PubSubStub, reconnect=Reconnect()) as api,
        follow(api.topic(topic), after=noted(file)) as events,
    ):
        if events.cursor is not None:  # who is killed before anything was published has a cursor, too
            note(file, events.cursor)
        print("serving", url, flush=True)
        async for item in events:
            note(file, item.cursor)  # what has been printed has been noted
            print(f"gap: {item.reason}" if isinstance(item, TopicGap) else item.data.text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.pubsub.client", description=__doc__)
    parser.add_argument("url", help="where the server is")
    parser.add_argument("topic", help="what to subscribe to")
    parser.add_argument("--cursor", type=Path, default="cursor.txt", help="where to go on (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.url, options.topic, options.cursor))
