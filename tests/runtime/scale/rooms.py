"""A worker of the house of `schema/rooms.py`."""

from __future__ import annotations

from capnweb_runtime.scale import Backplane, Topic
from tests.runtime.scale.generated.rooms import EventsSaidTarget, HouseTarget, RoomTarget
from tests.runtime.scale.schema.rooms import Said


class House(HouseTarget):
    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane

    def room(self, name: str) -> Room:
        return Room(Topic(self._backplane, f"room/{name}", Said))

    def forgotten(self, name: str) -> EventsSaidTarget:
        return Topic(self._backplane, f"room/{name}", Said).target(EventsSaidTarget)


class Room(RoomTarget):
    def __init__(self, topic: Topic[Said]) -> None:
        self._topic = topic

    def events(self) -> EventsSaidTarget:
        return self._topic.target(EventsSaidTarget)

    async def say(self, number: int, text: str = "") -> str:
        return await self._topic.publish(Said(number=number, text=text), id=str(number))
