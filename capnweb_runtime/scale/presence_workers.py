"""Which workers are alive, as one of them knows it. Rule: a worker is taken for gone only once its lease is; that it
has not been heard of for long is no more than a reason to look. An engine that was away lets the leases of all expire:
whoever had no answer for long believes nothing, and waits for everybody anew.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from typing import Final

from capnweb_runtime.scale.contract import Backplane, Lease

HEARTBEATS: Final = "presence"
"""The topic on which every worker says that it is there."""

_AGAIN: Final = 0.5
"""Seconds after which one looks again after a worker that ought to be gone. By chance as many are waited before one
looks for the first time, so that not all workers look at once."""

_GONE: Final = 1_000
"""Workers that are remembered as gone."""


class Workers:
    """This worker, and those that it has heard of.

    Parameters:
        backplane: what they share.
        ttl: seconds without a word after which a worker is gone.
        clock: monotonic seconds.
        chance: a number from 0 to 1.
        on_new: called when another one has become known.

    Attributes:
        id: what this one is called now: another name once its lease was lost.
        former: what it was called before, where it may still have members under that name.
        due: when to look after each of the others.
    """

    def __init__(
        self,
        backplane: Backplane,
        ttl: float,
        clock: Callable[[], float],
        chance: Callable[[], float],
        on_new: Callable[[], None],
    ) -> None:
        self.id = ""
        self.former: list[str] = []
        self.due: dict[str, float] = {}
        self._backplane = backplane
        self._ttl = ttl
        self._clock = clock
        self._chance = chance
        self._on_new = on_new
        self._lease: Lease | None = None
        self._asked: float | None = None  # when the engine was asked last for what it then granted
        self._gone: dict[str, None] = {}

    async def refresh(self) -> None:
        """Stay alive, with all that this worker has, and say so. If its lease was lost, it goes on under another name.
        Raises `BackplaneUnavailable`.
        """
        asked = self._clock()
        if self._lease is None or not await self._lease.renew():
            worker = secrets.token_hex(8)
            self._lease = await self._backplane.acquire(_lease(worker), b"", self._ttl)
            if self.id:
                self.former.append(self.id)
            self.id = worker
        if self.former or not self._is_in_touch():
            self.postpone()
        self._asked = asked
        await self._backplane.publish(HEARTBEATS, self.id.encode())

    def heard(self, worker: str) -> None:
        """A worker has said that it is there."""
        if not self.is_ours(worker):
            is_new = worker not in self.due
            self.due[worker] = self._clock() + self._ttl + self._chance() * _AGAIN
            if is_new:
                self._on_new()

    def postpone(self) -> None:
        """Something may have been missed, or the engine was away, with the leases of all: wait for every one anew."""
        for worker in [*self.due]:
            self.heard(worker)

    def is_ours(self, worker: str) -> bool:
        """Whether that is this one."""
        return worker == self.id or worker in self.former

    def is_gone(self, worker: str) -> bool:
        """Whether a worker is no more. One of which nothing is known has its time from now on, like all others: if its
        lease has expired, the engine may have been away and have just come back.
        """
        if worker in self._gone:
            return True
        if worker not in self.due:
            self.heard(worker)
        return False

    async def look(self, worker: str) -> Lease | None:
        """One that has not been heard of for long is looked after.

        Returns:
            If it is gone, and it is ours to clear up after it: what says so to others. Release it then.
        """
        self.due[worker] = self._clock() + _AGAIN
        if await self._backplane.holder(_lease(worker)) is not None or not self._is_in_touch():
            return None
        self._is_no_more(worker)
        clearing = await self._backplane.acquire(f"presence/clearing/{worker}", b"", max(self._ttl, 10.0))
        if clearing is None and await self._backplane.get(_rooms(worker)) is None:  # it has been done
            self.forget(worker)
        return clearing

    def forget(self, worker: str) -> None:
        """Nothing is left of it."""
        self._is_no_more(worker)
        self.due.pop(worker, None)

    async def rooms(self, worker: str) -> list[str]:
        """Where a worker has members, or has had some."""
        value = await self._backplane.get(_rooms(worker))
        rooms: list[str] = [] if value is None else json.loads(value.data)
        return rooms

    async def note(self, rooms: Iterable[str]) -> None:
        """Write down where this worker has members, for whoever clears up after it."""
        named = sorted(rooms)
        if not named:
            await self.erase(self.id)
            return
        try:
            await self._backplane.put(_rooms(self.id), json.dumps(named, ensure_ascii=False).encode())
        except ValueError as error:
            raise ValueError(f"a worker cannot have members in {len(named)} rooms: {error}") from error

    async def erase(self, worker: str) -> None:
        """Delete what it has written down."""
        await self._backplane.delete(_rooms(worker))

    def _is_in_touch(self) -> bool:
        """Whether the engine has answered all the time that a worker has to be silent for its lease to expire: the
        others refresh theirs three times in it, as this one does.
        """
        return self._asked is None or self._clock() - self._asked <= self._ttl / 2

    def _is_no_more(self, worker: str) -> None:
        self._gone[worker] = None
        while len(self._gone) > _GONE:
            del self._gone[next(iter(self._gone))]


def _lease(worker: str) -> str:
    return f"presence/worker/{worker}"


def _rooms(worker: str) -> str:
    return f"presence/rooms/{worker}"
