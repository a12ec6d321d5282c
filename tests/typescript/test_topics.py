"""A topic that is followed by a client written against generated TypeScript."""

from __future__ import annotations

import asyncio
from pathlib import Path

from capnweb_runtime import serve
from capnweb_runtime.scale import MemoryBackplane, Topic
from tests.needs import needs_node_typescript
from tests.typescript.generated.topics import EventsSaidTarget, RoomTarget
from tests.typescript.node import program
from tests.typescript.schema.topics import Said


class Room(RoomTarget):
    def __init__(self, topic: Topic[Said]) -> None:
        self._topic = topic

    def events(self) -> EventsSaidTarget:
        return self._topic.target(EventsSaidTarget)

    async def say(self, text: str) -> str:
        return await self._topic.publish(Said(text=text))


@needs_node_typescript
async def test_it_is_told_of_events_and_gaps_and_where_it_is(programs: Path) -> None:
    backplane = MemoryBackplane()
    room = Room(Topic(backplane, "room", Said))
    async with (
        serve(lambda peer: room, "127.0.0.1", 0, path="/rpc") as server,
        program(programs, "topics.js", server.url) as client,
    ):
        said = await client.rest()
        async with asyncio.timeout(30):
            for _ in iter(lambda: backplane._hub._feeds, {}):
                await asyncio.sleep(0)
    assert said == [
        "live: one, two true",
        "behind a cursor: three true",
        "from the beginning: one, two, three",
        "of another life: gap: epoch",
        "no cursor: Error",
        "a stream: one, two, three",
    ]
