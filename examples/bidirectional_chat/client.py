"""A terminal client: `python -m examples.bidirectional_chat.client ws://127.0.0.1:8080/rpc --name ada`.

What you type is said; `/who` lists who is there, `/quit` or the end of the input leaves. A lost connection is made
again, and what was said meanwhile is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from secrets import token_hex

from capnweb_runtime import AnyStub, CapnwebError, Connected, Reconnect, connect
from examples.bidirectional_chat.generated.chat import ChatStub, HouseStub, MemberTarget, RoomStub
from examples.bidirectional_chat.listening import Event, Listener
from examples.bidirectional_chat.schemas.chat import Came, NameTaken, NoSuchRoom, Said, WrongPassword
from examples.bidirectional_chat.server import PASSWORD

WHY = {"left": "has left", "lost": "was lost"}


def shown(event: Event) -> str:
    """An event as a line. What others write must not steer the terminal, as escape sequences do."""
    if isinstance(event, Said):
        line = f"{event.name}: {event.text}"
    else:
        line = f"* {event.name} {'is here' if isinstance(event, Came) else WHY[event.why]}"
    return "".join(character if character.isprintable() else "�" for character in line)


class Member(MemberTarget):
    """Somebody in a room, also after connections were lost.

    Attributes:
        listener: hears what happens; its cursor says from where to go on.
        house: of the present session.
        room: likewise; set when all is there again.
        hearing: likewise.
    """

    house: HouseStub
    room: RoomStub
    hearing: AnyStub

    def __init__(self, name: str, password: str, room: str, listener: Listener) -> None:
        self.listener = listener
        self._who = name, password, token_hex(16)
        self._where = room

    async def come_in(self, chat: ChatStub, info: Connected | None = None) -> None:
        """Enter, hear what we have missed, and join the room where we were; called for each session."""
        self.house = await chat.enter(*self._who, self)
        self.hearing = await self.house.events(self._where).subscribe(self.listener.deliver, self.listener.cursor)
        self.room = await self.house.join(self._where)

    def go(self) -> None:
        """Leave, and keep the session."""
        for held in (self.hearing, self.room, self.house):
            held.dispose()


@asynccontextmanager
async def entered(
    url: str, name: str, listener: Listener, *, password: str = PASSWORD, room: str = "hall"
) -> AsyncGenerator[Member]:
    """Be in a room for as long as the block lasts, and come back whenever the connection was lost."""
    member = Member(name, password, room, listener)
    async with connect(url, ChatStub, reconnect=Reconnect(on_connect=member.come_in)):
        try:
            yield member
        finally:
            member.go()


async def typed() -> AsyncIterator[str]:
    """Lines of the standard input. They are read in a thread, which nobody waits for at the end."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        with open(0, "rb", buffering=0, closefd=False) as stdin:
            for line in stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace").strip())
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


async def talk(member: Member, lines: AsyncIterator[str], show: Callable[[str], None]) -> None:
    """Say what is typed."""
    async for line in lines:
        try:
            if line == "/quit":
                return
            if line == "/who":
                show("* here: " + ", ".join(await member.room.present()))
            elif line:
                await member.room.say(line)
        except (CapnwebError, TypeError) as error:  # lost, too long
            show(f"! not said: {error}")


async def main(url: str, name: str, password: str, room: str) -> None:
    """Talk until the input ends."""
    show = partial(print, flush=True)
    listener = Listener(lambda event: show(shown(event)), lambda reason: show(f"* something is missing: {reason}"))
    async with entered(url, name, listener, password=password, room=room) as member:
        await talk(member, typed(), show)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.bidirectional_chat.client", description=__doc__)
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--name", required=True, help="under which the others see you")
    parser.add_argument("--password", default=PASSWORD, help="of the door (default: %(default)s)")
    parser.add_argument("--room", default="hall", help="where to (default: %(default)s)")
    told = parser.parse_args()
    try:
        asyncio.run(main(told.url, told.name, told.password, told.room))
    except (WrongPassword, NameTaken, NoSuchRoom) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
