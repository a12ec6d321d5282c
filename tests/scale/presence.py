"""Presence under `make chaos`: each worker has a member of its own, and others come back elsewhere when theirs is lost.

Rule: members of a worker that is killed, or stopped for long, are lost within their time and a second; nobody else is
ever lost, whatever becomes of the engine; and what is told of a room is what is listed of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.scale.fleet import PRESENCE_TTL as TTL
from tests.scale.fleet import Fleet
from tests.scale.generated.relay import RelayStub
from tests.scale.harms import ENGINE, KNOWN, Harms
from tests.scale.schedule import WORKERS
from tests.scale.schema.relay import Told
from tests.scale.subject import Subject
from tests.scale.subscriber import LOST, Broken, follow
from tests.scale.workers import Worker

ROOM = "hall"
ROAMING = 3
WITHIN = TTL + 1.0
"""Seconds until members of a worker are lost that is gone."""
SLACK = 1.5
"""Seconds that a busy machine may take in addition."""
NOTICED = 0.5
"""Seconds within which it is noticed that a connection was lost."""
RETURN = 0.5
"""Seconds within which a roaming member is back then, so that it has not been away: in the worst case the last that was
heard of its worker was a quarter of its time before."""
LATE = 3.0
"""Seconds within which a worker that goes on has said so, and what was lost is told, if the engine is well."""
AFTERWARDS = 5.0
"""Seconds for which workers may yet be without the engine that has come back."""


@dataclass
class Stay:
    """A member was at a worker for some time.

    Attributes:
        worker: its name.
        begin: when it was known to be there.
        end: when its connection was lost.
    """

    worker: str
    begin: float
    end: float = math.inf


class Room:
    """What is told of the room, and whether that may be.

    Parameters:
        harms: what was done to whom.

    Attributes:
        cursor: up to where it was told.
        there: whether each member is there, of whom something is known.
        lost: how often somebody was.
        stays: where each member was.
    """

    def __init__(self, harms: Harms) -> None:
        self.cursor = ""
        self.there: dict[str, bool] = {}
        self.lost = 0
        self.stays: dict[str, list[Stay]] = {}
        self._harms = harms
        self._began = asyncio.Event()

    async def begun(self) -> None:
        await self._began.wait()

    def see(self, told: Told) -> None:
        """The next item. Raises Broken."""
        self.cursor = told.cursor
        self._began.set()
        if told.gap:
            self.there.clear()
        elif told.data:
            change = json.loads(told.data)
            self.change(change["kind"], change["member"], time.monotonic())

    def change(self, kind: str, member: str, now: float) -> None:
        """Somebody has come or gone. Raises Broken."""
        is_there = kind == "joined"
        if self.there.get(member) is is_there and not self._is_told_again(now):
            raise Broken(f"{member} was told to have {kind} twice")
        self.there[member] = is_there
        if kind == "lost":
            self.lost += 1
            if self._was_well(member, now):
                raise Broken(f"{member} was lost, though nothing had been done to its worker in the {LATE:g} s before")

    def _is_told_again(self, now: float) -> bool:
        """Whether an engine that has forgotten what it was told may just be told it once more."""
        return any(harm.end + AFTERWARDS + LATE >= now for harm in self._harms.of(KNOWN))

    def _was_well(self, member: str, now: float) -> bool:
        """Whether a member was there all the time in which it could have been lost, at workers that were well."""
        covered = since = self._since(now)
        for stay in self.stays.get(member, []):
            if stay.end <= covered:
                continue
            is_away = stay.begin > covered + (RETURN if covered > since else 0.0)
            if is_away or self._harms.hit(max(stay.begin, since), min(stay.end - NOTICED, now), stay.worker):
                return False
            covered = stay.end
        return covered >= now

    def _since(self, now: float) -> float:
        """From when on it matters what was done to a worker for what is told now."""
        since = now - LATE
        for harm in sorted(self._harms.of(ENGINE), key=lambda harm: harm.begin, reverse=True):
            if harm.end + AFTERWARDS >= since:
                since = min(since, harm.begin - LATE / 2)
        return since


class Presence(Subject):
    """See above."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet)
        self.room = Room(fleet.harms)
        self.own: dict[str, str] = {}  # the worker of each member that has no other

    async def begin(self) -> None:
        self.goes_on(follow(self.room, self.fleet.urls, f"presence/{ROOM}"))
        await self.room.begun()
        for slot in range(WORKERS):
            self.goes_on(self.stay(slot))
        for number in range(ROAMING):
            self.goes_on(self.roam(number))
        self.goes_on(self.ask())
        await self.heal()

    async def heal(self) -> None:
        """Everybody is told, and listed by every worker, to be where they are."""
        while self.left():  # noqa: ASYNC110  (of what there is no event for, as below)
            await asyncio.sleep(0.05)
        for slot in range(WORKERS):
            while await self.listed(slot) != self.due():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def left(self) -> list[str]:
        due = self.due()
        wrong = [member for member, is_there in self.room.there.items() if is_there != (member in due)]
        return [f"{sorted(due)} are there, and of {sorted(wrong)} something else was told last"] if wrong else []

    def judge(self) -> None:
        self.counts["members lost"] = self.room.lost
        self.counts["members back elsewhere"] = sum(len(stays) - 1 for stays in self.room.stays.values())

    def due(self) -> set[str]:
        """Who ought to be there."""
        own = {own_of(worker) for worker in self.fleet.workers if worker is not None}
        return own | {roaming(number) for number in range(ROAMING)}

    async def listed(self, slot: int) -> set[str]:
        """Who is there, as a worker says; nobody, if it does not answer."""
        worker = self.fleet.workers[slot]
        if worker is not None:
            with contextlib.suppress(*LOST):
                async with asyncio.timeout(10), self.fleet.session(worker) as api:
                    return {*await api.members(ROOM)}
        return set()

    # ---- who takes part

    async def stay(self, slot: int) -> None:
        """The member that the worker of a slot has of its own."""
        while True:
            worker = self.fleet.workers[slot]
            if worker is not None:
                self.own[own_of(worker)] = worker.name
                with contextlib.suppress(*LOST):
                    async with self.fleet.session(worker) as api:
                        await self.attend(api, own_of(worker), worker.name)
            await asyncio.sleep(0.02)

    async def roam(self, number: int) -> None:
        """One who comes back at the next worker at once."""
        for turn in itertools.count(number):
            worker = self.fleet.workers[turn % WORKERS]
            if worker is not None:
                with contextlib.suppress(*LOST):
                    async with self.fleet.session(worker) as api:
                        await self.attend(api, roaming(number), worker.name)
            await asyncio.sleep(0.02)

    async def attend(self, api: RelayStub, member: str, worker: str) -> None:
        """Be there until the worker is lost."""
        stay: Stay | None = None
        try:
            async for _ in api.attend(ROOM, member):
                stay = Stay(worker, time.monotonic())
                self.room.stays.setdefault(member, []).append(stay)
        finally:
            if stay is not None:
                stay.end = time.monotonic()

    async def ask(self) -> None:
        """Nobody is listed who has been gone for longer than may be."""
        for turn in itertools.count():
            worker = self.fleet.workers[turn % WORKERS]
            if worker is not None:
                with contextlib.suppress(*LOST):
                    async with self.fleet.session(worker) as api:
                        asked = time.monotonic()
                        self.check(await api.members(ROOM), worker, asked)
            await asyncio.sleep(0.1)

    def check(self, listed: Sequence[str], asked: Worker, when: float) -> None:
        """Raises Broken if a worker lists somebody who has been gone for longer than may be, though nothing has been
        done to it or the engine since.
        """
        for member in listed:
            for gone in self.harms.of(self.own.get(member, "")):
                late = when - gone.begin - WITHIN
                is_late = gone.end >= time.monotonic() and late > SLACK and asked.since < gone.begin
                if is_late and not self.harms.hit(gone.begin - TTL, math.inf, ENGINE, asked.name):
                    raise Broken(f"{member} is listed by {asked.name}, {late:.2f} s after it ought to have been lost")


def own_of(worker: Worker) -> str:
    return f"the member of {worker.name}"


def roaming(number: int) -> str:
    return f"member {number}"
