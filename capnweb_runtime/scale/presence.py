"""Who is where, over all workers. Rule: a member whose connection was lost is there until its time is over, and who
comes back before that, to whichever worker, has never been away.

A worker keeps one lease for all its members, and renews it: that is all that being there costs. Whoever sees that the
lease has expired clears up after that worker. See docs/scale.md.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Literal, Self, TypeVar

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.observe import logger_named
from capnweb_runtime.scale.contract import Backplane, Event, Subscription
from capnweb_runtime.scale.presence_rooms import Roll, Rooms, Tell
from capnweb_runtime.scale.presence_workers import HEARTBEATS, Workers
from capnweb_runtime.scale.schema import PresenceChange
from capnweb_runtime.scale.topics import Topic
from capnweb_runtime.scale.waiting import pause

logger = logger_named("capnweb_runtime.scale")

T = TypeVar("T")

_AT_ONCE: Final = 16
"""Rooms that are cleared up at the same time."""


class Membership:
    """One member's being in a room, as `Presence.join` gives it. It is over when the member leaves, is lost, or joins
    again.

    Attributes:
        room: name of the room.
        member: name of the member.
        value: text that was given about the member.
    """

    def __init__(self, presence: Presence, room: str, member: str, value: str) -> None:
        self.room = room
        self.member = member
        self.value = value
        self._presence = presence

    async def leave(self) -> None:
        """Takes the member out of the room, after a goodbye: the others are told "left" at once.

        Raises:
            BackplaneUnavailable: the engine did not answer. It is tried again by itself.
        """
        await self._presence.leave(self)

    def lose(self) -> None:
        """Notes that the member's connection was lost. Unless the member joins again within `ttl` seconds, at any
        worker, it is taken out of the room, and the others are told "lost".
        """
        self._presence.lose(self)


class Presence:
    """Lists of who is in which room, over all workers of a server. Make one in each worker, and enter it with `async
    with`.

    Parameters:
        backplane: backplane that all workers share.
        ttl: seconds that a member stays in its rooms after its connection, or its worker, was lost. All workers have to
            give the same.
        every: seconds between the signs of life that this worker gives; at most a third of `ttl`.
        tell: async function that is called with each change, a `PresenceChange`, and an id, to publish it under, so
            that it is published once. None publishes it to `topic(room)`.
        clock: function that gives seconds on a clock that never goes back; for tests.
        sleep: async function that waits for a number of seconds; for tests.
        chance: function that gives a number from 0 to 1; for tests.

    Raises:
        ValueError: `every` is not more than 0, or is more than a third of `ttl`.
    """

    def __init__(
        self,
        backplane: Backplane,
        *,
        ttl: float = 30.0,
        every: float = 10.0,
        tell: Tell | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not 0 < every <= ttl / 3:
            raise ValueError(
                f"{every=} has to be more than 0, and a third of {ttl=} at most: signs of life may get lost"
            )
        self._backplane = backplane
        self._ttl = ttl
        self._every = every
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._sooner = asyncio.Event()
        self._workers = Workers(backplane, ttl, clock, chance, self._sooner.set)
        self._rooms = Rooms(backplane, tell or self._publish, self._workers.is_gone, chance)
        self._members: dict[tuple[str, str], Membership] = {}
        self._going: dict[Membership, tuple[float, Literal["left", "lost"]]] = {}  # who is gone at what time, and how
        self._noted: frozenset[str] = frozenset()  # rooms that others would clear up after this worker
        self._noted_as = ""  # under this name
        self._noting = asyncio.Lock()
        self._heartbeats: Subscription | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # ---- for users

    async def join(self, room: str, member: str, value: str = "") -> Membership:
        """Puts a member into a room, and tells the others "joined". If the member is in the room already, or was lost
        for less than `ttl` seconds, nobody is told, and the membership that it had before is over.

        Parameters:
            room: name of the room; it need not exist.
            member: name of the member, unique in the room: that of a user, or of one of the connections of a user.
            value: short text that others get with the name, such as a name to show.

        Returns:
            The membership, to be left or lost later.

        Raises:
            BackplaneUnavailable: the engine did not answer, and it is not certain that the member is in the room: call
                this again.
            ValueError: a name is too long, or the room is full.
        """
        membership = Membership(self, room, member, value)
        before = self._members.get((room, member))
        self._members[room, member] = membership
        try:
            await self._note()
            await self._rooms.edit(room, lambda roll: roll.put(member, self._workers.id, value))
        except BaseException:
            if self._is_current(membership) and before is not None:
                self._members[room, member] = before
            else:  # it may be there: see to it that it is not, unless it is tried again
                self.lose(membership)
            raise
        if before is not None:
            self._going.pop(before, None)
        return membership

    async def members(self, room: str) -> dict[str, str]:
        """Lists who is in a room.

        Parameters:
            room: name of the room.

        Returns:
            The members by name, in the order in which they joined, with the text that was given about each.

        Raises:
            BackplaneUnavailable: the engine did not answer.
        """
        return await self._rooms.members(room)

    def topic(self, room: str) -> Topic[PresenceChange]:
        """Gives the topic to which the changes of a room are published, unless `tell` does something else with them.

        Parameters:
            room: name of the room.
        """
        return Topic(self._backplane, f"presence/{room}", PresenceChange)

    def lose(self, membership: Membership) -> None:
        """See `Membership.lose`."""
        if self._is_current(membership) and membership not in self._going:
            self._going[membership] = self._clock() + self._ttl, "lost"
            self._sooner.set()

    async def leave(self, membership: Membership) -> None:
        """See `Membership.leave`."""
        if self._is_current(membership):
            self._going[membership] = self._clock() + self._every, "left"  # if this fails, it is tried again
            self._sooner.set()
            await self._remove(membership, "left")

    async def close(self) -> None:
        """Ends this worker's part, as leaving `async with` does. Its members stay for `ttl` seconds, in which they may
        join again at another worker.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._rooms.close()
        if self._heartbeats is not None:
            await self._heartbeats.__aexit__()

    async def __aenter__(self) -> Self:
        self._heartbeats = await self._backplane.subscribe(HEARTBEATS).__aenter__()
        await self._workers.refresh()
        self._tasks = [
            asyncio.create_task(run) for run in (self._listen(self._heartbeats), self._beat(), self._watch())
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ---- what runs meanwhile

    async def _listen(self, heartbeats: Subscription) -> None:
        async for item in heartbeats:
            if isinstance(item, Event):
                self._workers.heard(item.data.decode())
            else:
                self._workers.postpone()

    async def _beat(self) -> None:
        attempt = 0
        while True:
            await self._sleep(min(pause(attempt, self._chance), self._every) if attempt else self._every)
            try:
                await self._workers.refresh()
                if self._workers.former:
                    await self._again(self._workers.former)
                await self._note(exactly=True)
                attempt = 0
            except Exception as error:  # whatever it is: all members would be lost without this task
                self._failed("refreshed", error)
                attempt += 1

    async def _watch(self) -> None:
        """Sees to those whose time is over: members and workers."""
        attempt = 0
        while True:
            now = self._clock()
            going = [one for one, (until, _) in self._going.items() if until <= now]
            overdue = [worker for worker, due in self._workers.due.items() if due <= now]
            try:
                await _all(self._go, going)
                await _all(self._look, overdue)
                attempt = 0
            except Exception as error:  # as above
                self._failed("cleared up", error)
                attempt += 1
            await self._until_due(attempt)

    def _failed(self, what: str, error: Exception) -> None:
        unforeseen = None if isinstance(error, BackplaneUnavailable) else error
        logger.warning("presence cannot be %s: %s", what, error, exc_info=unforeseen)
        self._workers.postpone()

    async def _until_due(self, attempt: int) -> None:
        """Waits until something is due, or may be due sooner; after a failure for a while."""
        if attempt:
            await self._sleep(pause(attempt, self._chance))
            return
        due = min([*(until for until, _ in self._going.values()), *self._workers.due.values()], default=None)
        self._sooner.clear()
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._sooner.wait())]
        if due is not None:
            waiting.append(asyncio.ensure_future(self._sleep(max(due - self._clock(), 0.0))))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    async def _go(self, membership: Membership) -> None:
        """Its time is over, unless it has come back just now."""
        if membership in self._going:
            await self._remove(membership, self._going[membership][1])

    async def _look(self, worker: str) -> None:
        """Clears up after a worker, if it is gone and nobody else does."""
        clearing = await self._workers.look(worker)
        if clearing is not None:
            try:
                await _all(lambda room: self._rooms.edit(room, lambda _: None), await self._workers.rooms(worker))
                await self._workers.erase(worker)
                self._workers.forget(worker)
            finally:
                await clearing.release()

    # ---- what this worker has

    async def _again(self, former: list[str]) -> None:
        """This worker was taken for gone, or may have been: what it has is put where it was, under its new name."""
        names = [*former]
        await self._note()

        async def renew(membership: Membership) -> None:
            def edit(roll: Roll) -> None:
                found = roll.members.get(membership.member)
                stays = found is not None and found[0] in names
                returns = found is None and membership not in self._going
                if self._is_current(membership) and (stays or returns):  # else it has come back elsewhere
                    roll.put(membership.member, self._workers.id, membership.value)

            await self._rooms.edit(membership.room, edit)

        await _all(renew, [*self._members.values()])
        for name in names:
            await self._workers.erase(name)
            former.remove(name)

    async def _remove(self, membership: Membership, kind: Literal["left", "lost"]) -> None:
        def edit(roll: Roll) -> None:
            found = roll.members.get(membership.member)
            if self._is_current(membership) and found is not None and self._workers.is_ours(found[0]):
                roll.remove(membership.member, kind)

        await self._rooms.edit(membership.room, edit)
        if self._is_current(membership):
            del self._members[membership.room, membership.member]
        self._going.pop(membership, None)

    def _is_current(self, membership: Membership) -> bool:
        return self._members.get((membership.room, membership.member)) is membership

    async def _note(self, *, exactly: bool = False) -> None:
        """Others know where this worker has members, before it has them there."""
        async with self._noting:
            rooms = frozenset(room for room, _ in self._members)
            noted = self._noted if self._noted_as == self._workers.id else frozenset[str]()
            if not rooms <= noted or (exactly and rooms != noted):
                await self._workers.note(rooms)
                self._noted, self._noted_as = rooms, self._workers.id

    async def _publish(self, change: PresenceChange, id: str) -> None:
        await self.topic(change.room).publish(change, id=id)


async def _all(do: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
    """Does something with each item, some at a time, and raises what one has raised."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(item: T) -> None:
        async with limit:
            await do(item)

    done = await asyncio.gather(*map(one, items), return_exceptions=True)
    for outcome in done:
        if outcome is not None:
            raise outcome
