"""The chat: `python -m examples.bidirectional_chat.server --port 8080`, for programs and, with a page, for browsers."""

from __future__ import annotations

import argparse
import asyncio
from hmac import compare_digest
from pathlib import Path

from capnweb_runtime import ConnectionLost
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from examples.bidirectional_chat.generated.chat import ChatTarget, HouseTarget, MemberStub, RoomTarget
from examples.bidirectional_chat.rooms import PASSWORD, Place, Room, Why
from examples.bidirectional_chat.schemas.chat import NameTaken, News, NoSuchRoom, NotHere, Said, WrongPassword
from examples.form.website import serve_until_told, website_options

PAGE = Path(__file__).parent / "page"
ROOMS = ("hall", "library")


class Hall:
    """What all sessions share.

    Parameters:
        password: of the door.
        kept: events that each room keeps.
        patience: seconds that a member has to answer.
    """

    def __init__(self, password: str = PASSWORD, *, kept: int = 1000, patience: float = 30.0) -> None:
        self.password = password
        self.patience = patience
        self.rooms = {name: Room(name, kept) for name in ROOMS}
        self.houses: dict[str, House] = {}


class Chat(ChatTarget):
    """The door, one for each session."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    async def enter(self, name: str, password: str, member: MemberStub) -> House:
        if not compare_digest(password.encode(), self._hall.password.encode()):
            raise WrongPassword
        houses = self._hall.houses
        while (holder := houses.get(name)) is not None:
            if await holder.answers():
                raise NameTaken(name)
            holder.end("lost")
        return House(self._hall, name, member.dup())


class House(HouseTarget):
    """What a member may do, for as long as it holds this or its session lasts.

    Parameters:
        hall: what all share.
        name: the member's, which nobody has.
        member: what the client has handed over; owned.
    """

    def __init__(self, hall: Hall, name: str, member: MemberStub) -> None:
        self._hall = hall
        self._name = name
        self._member = member
        self._places: list[Place] = []
        hall.houses[name] = self
        member.on_broken(lambda error: self.end("lost" if isinstance(error, ConnectionLost) else "left"))

    def rooms(self) -> list[str]:
        return list(self._hall.rooms)

    def join(self, room: str, after: int | None = None) -> Seat:
        if self._hall.houses.get(self._name) is not self:
            raise NotHere
        found = self._hall.rooms.get(room)
        if found is None:
            raise NoSuchRoom(room, self.rooms())
        if self._name in found.places:
            found.places[self._name].leave("left")
        place = Place(found, self._name, self._member, after, self._hall.patience)
        self._places = [*(each for each in self._places if each.here), place]
        return Seat(found, self._name, place)

    async def answers(self) -> bool:
        """Whether the member is still there."""
        try:
            async with asyncio.timeout(self._hall.patience):
                await self._member.alive()
        except Exception:  # whatever is wrong with it, the name is not in use
            return False
        return True

    def dispose(self) -> None:
        self.end("left")

    def end(self, why: Why) -> None:
        """Leave every room, and give the name back; does nothing the second time."""
        if self._hall.houses.get(self._name) is self:
            del self._hall.houses[self._name]
            for place in self._places:
                place.leave(why)
            self._member.dispose()


class Seat(RoomTarget):
    """What a member holds of a room. Who lets go of it has left."""

    def __init__(self, room: Room, name: str, place: Place) -> None:
        self._room = room
        self._name = name
        self._place = place

    def say(self, text: str) -> int:
        if not self._place.here:
            raise NotHere
        return self._room.log.add(lambda number: Said(number=number, name=self._name, text=text))

    def present(self) -> list[str]:
        return list(self._room.places)

    def history(self, after: int, most: int = 100) -> News:
        return self._room.log.after(after, most)

    def dispose(self) -> None:
        self._place.leave("left")


def chat(hall: Hall) -> CapnwebAiohttp:
    """The chat, to be mounted."""
    return CapnwebAiohttp(lambda peer: Chat(hall))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.bidirectional_chat.server", description=__doc__)
    website_options(parser)
    parser.add_argument("--password", default=PASSWORD, help="of the door (default: %(default)s)")
    parser.add_argument("--kept", type=int, default=1000, help="events that a room keeps (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=30, help="seconds for an answer (default: %(default)s)")
    told = parser.parse_args()
    asyncio.run(serve_until_told(PAGE, chat(Hall(told.password, kept=told.kept, patience=told.patience)), told))
