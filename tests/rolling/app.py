"""The program that is restarted: its text, so that a test can write another version of it."""

from __future__ import annotations

TEXT = """
import asyncio, os, pathlib
from capnweb_runtime.errors import SessionError
from capnweb_runtime.scale import Cursor, Event
from tests.rolling.generated.rooms import RoomTarget
from tests.rolling.schema.rooms import Said, Served

VERSION = 1
leaving = None

class Room(RoomTarget):
    def __init__(self, backplane):
        self.backplane = backplane
        self.telling = set()

    def who(self):
        return Served(process=os.getpid(), version=VERSION)

    async def say(self, id):
        await self.backplane.publish("room", id.encode(), id=id)
        return self.who()

    async def listen(self, after, on_said):
        room = self.backplane.subscribe("room", Cursor.parse(after) if after else None)
        await room.__aenter__()
        self.telling.add(asyncio.create_task(self.tell(room, on_said.dup())))
        return str(room.cursor)

    async def tell(self, room, on_said):
        async for item in room:
            text = item.data.decode() if isinstance(item, Event) else f"gap {item.reason}"
            try:
                await on_said(Said(cursor=str(item.cursor), text=text))
            except SessionError:
                break
        await room.__aexit__()

    async def wait(self):
        print("waiting", flush=True)
        while not pathlib.Path("open").exists() and not (leaving and leaving.is_set()):
            await asyncio.sleep(0.02)
        return self.who()

    def dispose(self):
        for task in self.telling:
            task.cancel()

def rooms(worker):
    global leaving
    leaving = worker.leaving
    return lambda peer: Room(worker.backplane)

def alone(peer):
    return Room(None)
"""
