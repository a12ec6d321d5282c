"""Who is in a room, as all workers see it: one value for each room, with its members and what may not have been told
yet. Rule: a change and what is to be told of it are written together, so that whoever dies in between is spoken for by
whoever writes next.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from capnweb_runtime.scale.contract import Backplane
from capnweb_runtime.scale.schema import PresenceChange
from capnweb_runtime.scale.waiting import pause

Tell: TypeAlias = Callable[[PresenceChange, str], Awaitable[object]]
"""Publishes a change under an id, by which it is published once, also if it is told again."""


@dataclass
class Roll:
    """The value of a room.

    Attributes:
        room: which.
        members: for each the worker that has it, and what was said of it; in the order of coming.
        untold: changes that may not have been told yet, by id.
    """

    room: str
    members: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    untold: dict[str, PresenceChange] = field(default_factory=dict[str, PresenceChange])

    def put(self, member: str, worker: str, value: str) -> None:
        """It is there, and that worker has it from now on. Who was there already has not come."""
        if member not in self.members:
            self._note("joined", member, value)
        self.members[member] = worker, value

    def remove(self, member: str, kind: Literal["left", "lost"]) -> None:
        """It is gone."""
        _, value = self.members.pop(member)
        self._note(kind, member, value)

    def _note(self, kind: Literal["joined", "left", "lost"], member: str, value: str) -> None:
        self.untold[secrets.token_hex(8)] = PresenceChange(kind, self.room, member, value)


Edit: TypeAlias = Callable[[Roll], None]
"""Changes a roll. It may run several times, each time on what was read anew."""


class Rooms:
    """The rolls of all rooms. What a process changes in one while that is being written is written together after it.

    Parameters:
        backplane: where they are.
        tell: tells of changes.
        is_gone: whether a worker is no more, so that its members are lost.
        chance: a number from 0 to 1.
    """

    def __init__(
        self,
        backplane: Backplane,
        tell: Tell,
        is_gone: Callable[[str], bool],
        chance: Callable[[], float],
    ) -> None:
        self._backplane = backplane
        self._tell = tell
        self._is_gone = is_gone
        self._chance = chance
        self._waiting: dict[str, list[tuple[Edit, asyncio.Future[None]]]] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def members(self, room: str) -> dict[str, str]:
        """Who is there, with what was said of them. Raises `BackplaneUnavailable`."""
        roll, _ = await self._read(room)
        if roll.untold or self._gone(roll):
            await self.edit(room, lambda _: None)
            roll, _ = await self._read(room)
        return {member: value for member, (_, value) in roll.members.items()}

    async def edit(self, room: str, edit: Edit) -> None:
        """Change a roll, have those be lost in it whose worker is gone, and tell of all that.

        Raises:
            ValueError: its members are more than fit into a value.
            BackplaneUnavailable: whether it was changed is not known; do it again.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if room in self._waiting:
            self._waiting[room].append((edit, done))
        else:
            self._waiting[room] = [(edit, done)]
            writing = asyncio.create_task(self._write(room))
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)
        await done

    async def close(self) -> None:
        """Waits until all is written that was begun."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def _write(self, room: str) -> None:
        """Writes until nothing waits; a task of its own, so that whoever gives up takes nobody along."""
        while edits := self._waiting[room]:
            self._waiting[room] = []
            failure: Exception | None = None
            try:
                await self._change(room, [edit for edit, done in edits if not done.done()])
            except Exception as error:  # of the engine, or of what tells: it is the callers'
                failure = error
            for _, done in edits:
                if done.done():
                    pass
                elif failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
        del self._waiting[room]

    async def _change(self, room: str, edits: list[Edit]) -> None:
        attempt = 0
        while True:
            roll, revision = await self._read(room)
            told = {*roll.untold}
            before = dict(roll.members)
            await self._publish(roll)
            for edit in edits:
                edit(roll)
            for member in self._gone(roll):
                roll.remove(member, "lost")
            if not told and roll.members == before:
                return
            written = await self._put(roll, revision)
            if written is not None:
                break
            attempt += 1
            await asyncio.sleep(pause(attempt, self._chance))
        if roll.untold:
            await self._publish(roll)
            await self._put(roll, written)  # if somebody else was faster, that one has told of it as well

    def _gone(self, roll: Roll) -> list[str]:
        """Members whose worker is no more."""
        gone = {worker for worker in {worker for worker, _ in roll.members.values()} if self._is_gone(worker)}
        return [member for member, (worker, _) in roll.members.items() if worker in gone]

    async def _publish(self, roll: Roll) -> None:
        for id, change in roll.untold.items():
            await self._tell(change, id)
        roll.untold.clear()

    async def _read(self, room: str) -> tuple[Roll, int]:
        value = await self._backplane.get(_key(room))
        return (Roll(room), 0) if value is None else (_parsed(room, value.data), value.revision)

    async def _put(self, roll: Roll, revision: int) -> int | None:
        """Writes a roll where that revision is; None if it is no more."""
        key = _key(roll.room)
        if not roll.members and not roll.untold:
            return 0 if revision == 0 or await self._backplane.delete(key, expect=revision) else None
        try:
            return await self._backplane.put(key, _written(roll), expect=revision)
        except ValueError as error:
            raise ValueError(
                f"the room {roll.room[:40]!r} has {len(roll.members)} members, which is more than fit into a value: say"
                f" less of each, or make several rooms of it ({error})"
            ) from error


def _key(room: str) -> str:
    return f"presence/room/{room}"


def _written(roll: Roll) -> bytes:
    untold = {id: [change.kind, change.member, change.value] for id, change in roll.untold.items()}
    return json.dumps([roll.members, untold], ensure_ascii=False, separators=(",", ":")).encode()


def _parsed(room: str, data: bytes) -> Roll:
    members, untold = json.loads(data)
    return Roll(
        room,
        {member: (worker, value) for member, (worker, value) in members.items()},
        {id: PresenceChange(kind, room, member, value) for id, (kind, member, value) in untold.items()},
    )
