"""Topics and those who listen to them. Rule: a subscriber is a place in a topic; what waits for one is bounded, and
what it misses by that is a gap.
"""

from __future__ import annotations

from collections.abc import Callable

from capnweb_runtime.scale import Backplane, Topic
from examples.pubsub.generated.pubsub import EventsNewsTarget, PubSubTarget
from examples.pubsub.schemas.pubsub import News, Stats


class Hub(PubSubTarget):
    """The main object of all sessions.

    Parameters:
        backplane: where the topics are.
        tables: gives how many imports and exports all sessions have.
    """

    def __init__(self, backplane: Backplane, tables: Callable[[], tuple[int, int]] = lambda: (0, 0)) -> None:
        self._backplane = backplane
        self._tables = tables

    async def publish(self, topic: str, text: str, id: str | None = None) -> str:
        return await self._named(topic).publish(News(text=text), id=id)

    def topic(self, name: str) -> EventsNewsTarget:
        return self._named(name).target(EventsNewsTarget)

    def stats(self) -> Stats:
        imports, exports = self._tables()
        return Stats(imports=imports, exports=exports)

    def _named(self, name: str) -> Topic[News]:
        return Topic(self._backplane, f"news/{name}", News)
