"""The chat: `python -m examples.bidirectional_chat.server --port 8080`, for programs and, with a page, for browsers.
With `--backplane redis://127.0.0.1/0` as many of them as there are ports.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from capnweb_runtime import ConnectionLost, GoingAway
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from capnweb_runtime.scale import Backplane, Bounds, Membership, Presence, PresenceChange, Topic, open_backplane
from examples.bidirectional_chat.generated.chat import (
    ChatTarget,
    EventsHappenedTarget,
    HouseTarget,
    MemberStub,
    RoomTarget,
)
from examples.bidirectional_chat.schemas.chat import (
    Came,
    Happened,
    NameTaken,
    NoSuchRoom,
    Said,
    Went,
    WrongPassword,
)
from examples.form.website import serve_until_told, website_options

PAGE = Path(__file__).parent / "page"
PASSWORD = "correct horse"
"""Of the door, unless the server is told another."""
ROOMS = ["hall", "library"]
DOOR = "door"
"""Where everybody is who has come in, under a name of their own."""


class Hall:
    """What all sessions share, with those of other servers; an async context manager.

    Parameters:
        backplane: where rooms are, and who is in them.
        password: of the door.
        ttl: seconds that a member has to come back after the connection was lost.
    """

    def __init__(self, backplane: Backplane, password: str = PASSWORD, *, ttl: float = 30.0) -> None:
        self.backplane = backplane
        self.password = password
        self.presence = Presence(backplane, ttl=ttl, every=ttl / 3, tell=self._tell)

    def topic(self, room: str) -> Topic[Happened]:
        return Topic(self.backplane, f"room/{room}", Happened)

    async def _tell(self, change: PresenceChange, id: str) -> None:
        """Who comes and goes is told among what is said."""
        if change.room != DOOR:
            name = change.member
            event = Came(name=name) if change.kind == "joined" else Went(name=name, why=change.kind)
            await self.topic(change.room).publish(Happened(event), id=id)


class Chat(ChatTarget):
    """The door, one for each session."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    async def enter(self, name: str, password: str, key: str, member: MemberStub) -> House:
        if not compare_digest(password.encode(), self._hall.password.encode()):
            raise WrongPassword
        proof = sha256(key.encode()).hexdigest()
        entering = await self._hall.backplane.acquire(f"entering/{name}", b"", 10.0)
        if entering is None:  # somebody is on the doorstep with it
            raise NameTaken(name)
        try:
            if (await self._hall.presence.members(DOOR)).get(name, proof) != proof:
                raise NameTaken(name)
            return House(self._hall, await self._hall.presence.join(DOOR, name, proof), member.dup())
        finally:
            await entering.release()


class House(HouseTarget):
    """What a member may do, for as long as it holds this or its session lasts.

    Parameters:
        hall: what all share.
        door: the member's name, which nobody else has.
        member: what the client has handed over; owned.

    Attributes:
        was_lost: whether its session ended without a goodbye.
    """

    def __init__(self, hall: Hall, door: Membership, member: MemberStub) -> None:
        self.was_lost = False
        self._hall = hall
        self._door = door
        self._member = member
        member.on_broken(self._broken)

    def rooms(self) -> list[str]:
        return ROOMS

    def events(self, room: str) -> EventsHappenedTarget:
        return self._hall.topic(known(room)).target(EventsHappenedTarget)

    async def join(self, room: str) -> Seat:
        return Seat(self._hall, self, await self._hall.presence.join(known(room), self._door.member))

    def _broken(self, error: BaseException) -> None:
        self.was_lost = isinstance(error, ConnectionLost | GoingAway)  # the latter if this server restarts

    async def dispose(self) -> None:
        self._member.dispose()
        await self.end(self._door)

    async def end(self, place: Membership) -> None:
        """Leave it; or, without a goodbye, be there until it is certain that nobody comes back."""
        if self.was_lost:
            place.lose()
        else:
            await place.leave()


class Seat(RoomTarget):
    """What a member holds of a room. Who lets go of it has left."""

    def __init__(self, hall: Hall, house: House, place: Membership) -> None:
        self._hall = hall
        self._house = house
        self._place = place

    async def say(self, text: str) -> str:
        said = Said(name=self._place.member, text=text)
        return await self._hall.topic(self._place.room).publish(Happened(said))

    async def present(self) -> list[str]:
        return [*await self._hall.presence.members(self._place.room)]

    async def dispose(self) -> None:
        await self._house.end(self._place)


def known(room: str) -> str:
    """A room that there is."""
    if room not in ROOMS:
        raise NoSuchRoom(room, ROOMS)
    return room


def chat(hall: Hall) -> CapnwebAiohttp:
    """The chat, to be mounted."""
    return CapnwebAiohttp(lambda peer: Chat(hall))


@asynccontextmanager
async def opened(url: str = "memory:", *, kept: int = 1000, ttl: float = 30.0) -> AsyncGenerator[Hall]:
    """A hall on the backplane of a URL, of which each room keeps so many events, and as many wait for each member."""
    bounds = Bounds(history_events=kept, recent_events=kept, queue_events=kept)
    async with open_backplane(url, bounds=bounds, name="chat") as backplane:
        hall = Hall(backplane, ttl=ttl)
        async with hall.presence:
            yield hall


async def main(told: argparse.Namespace) -> None:
    async with opened(told.backplane, kept=told.kept, ttl=told.ttl) as hall:
        hall.password = told.password
        await serve_until_told(PAGE, chat(hall), told)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.bidirectional_chat.server", description=__doc__)
    website_options(parser)
    parser.add_argument("--backplane", default="memory:", help="where the rooms are (default: %(default)s)")
    parser.add_argument("--password", default=PASSWORD, help="of the door (default: %(default)s)")
    parser.add_argument("--kept", type=int, default=1000, help="events that a room keeps (default: %(default)s)")
    parser.add_argument("--ttl", type=float, default=30, help="seconds to come back in (default: %(default)s)")
    asyncio.run(main(parser.parse_args()))
