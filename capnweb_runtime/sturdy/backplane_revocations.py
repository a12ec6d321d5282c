"""Revocations that all processes of a service share through its backplane. Rule: one that was noted by any process is
seen by every question that is asked afterwards; an engine that does not answer, or has lost what it kept, is an error,
so that nothing is restored.

A revocation is a value of its own, `revoked/<id>`, which holds when its token expires. Values stay until they are
deleted; so the ids of a day are listed in further ones, `revoked-until/<day>/<part>`, by which they are deleted a week
after it. `revoked` names the life of all of them: an engine that has lost it has lost others.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.observe import logger_named
from capnweb_runtime.sturdy.revocations import GRACE

if TYPE_CHECKING:
    from capnweb_runtime.scale.contract import Backplane, Value

LIFE: Final = "revoked"
PART: Final = 1_000
"""Ids in one list: some 23 KB, which each revocation rewrites."""
DAY: Final = 86_400
KEPT: Final = 7
"""Days for which a revocation is kept when it is of no use any more: a process whose clock is wrong by less deletes
none that another one needs.
"""
_SWEPT: Final = "revoked-swept"

logger: Final = logger_named("capnweb_runtime.sturdy")


class BackplaneRevocations:
    """Keeps revocations in a backplane, for services of several processes. Revocations of tokens that have expired are
    deleted by and by.

    If the engine loses its data, a revoked reference could be restored. Every process that has asked before therefore
    raises `BackplaneUnavailable` from then on. Restore the engine's data, or start the processes again: they begin
    anew, and say so in the log.

    Parameters:
        backplane: backplane that all processes share. Enter it before the first use; it is not closed here.
        clock: function that gives seconds since 1970.
    """

    def __init__(self, backplane: Backplane, *, clock: Callable[[], float] = time.time) -> None:
        self._backplane = backplane
        self._clock = clock
        self._beginning = asyncio.Lock()
        self._life: bytes | None = None
        self._swept = 0  # the last day of which this process knows that nothing is kept

    async def revoke(self, id: str, expires: int) -> None:
        """Notes a token as revoked, for all processes.

        Parameters:
            id: id of the token; see `Claims.id`.
            expires: when the token expires, in seconds since 1970.

        Raises:
            BackplaneUnavailable: the engine did not answer, and may have noted it; or it has lost its data.
            ValueError: the id is longer than 140 bytes.
        """
        await self._same_life()
        if await self._backplane.get(_key(id)) is None:
            await self._list(id, (expires + GRACE) // DAY)
            await self._backplane.put(_key(id), str(expires).encode())
        await self._sweep(int(self._clock()) // DAY - KEPT)

    async def is_revoked(self, id: str) -> bool:
        """Tells whether a token was revoked, by any process.

        Parameters:
            id: id of the token; see `Claims.id`.

        Raises:
            BackplaneUnavailable: the engine did not answer, or has lost its data.
            ValueError: the id is longer than 140 bytes.
        """
        if self._life is None:
            await self._begin()
        found = await self._backplane.get(_key(id))
        # After the other question: what is lost in between would be taken for what never was.
        await self._same_life()
        return found is not None and int(found.data) + GRACE >= self._clock()

    async def _same_life(self) -> None:
        """Raises BackplaneUnavailable unless the engine has kept everything since it was first asked."""
        if self._life is None:
            await self._begin()
        found = await self._backplane.get(LIFE)
        if found is None or found.data != self._life:
            raise BackplaneUnavailable(
                "the engine has lost the revocations that it kept, so that nothing is restored: have its data back, or "
                "start the processes again, which forgets what was revoked"
            )

    async def _begin(self) -> None:
        """Learns of the life that there is, or begins one."""
        async with self._beginning:
            while self._life is None:
                found = await self._backplane.get(LIFE)
                life = secrets.token_hex(8).encode() if found is None else found.data
                if found is None:
                    if await self._backplane.put(LIFE, life, expect=0) is None:
                        continue  # another process was quicker
                    logger.warning("this backplane keeps no revocations yet; if it did before, they are lost")
                self._life = life

    async def _list(self, id: str, day: int) -> None:
        """Notes that an id is to be deleted after a day, in the first part that has room."""
        part = 0
        while True:
            found = await self._backplane.get(_part(day, part))
            ids = _ids(found)
            if len(ids) >= PART:
                part += 1
                continue
            listed = "\n".join([*ids, id]).encode()
            expected = 0 if found is None else found.revision
            if await self._backplane.put(_part(day, part), listed, expect=expected) is not None:
                return

    async def _sweep(self, until: int) -> None:
        """Deletes what was to be kept up to a day, as far as that has not been done."""
        if self._swept >= until:
            return
        found = await self._backplane.get(_SWEPT)
        swept = until - 1 if found is None else int(found.data)
        for day in range(swept + 1, until + 1):
            await self._sweep_day(day)
        if found is None or swept < until:
            await self._backplane.put(_SWEPT, str(until).encode(), expect=0 if found is None else found.revision)
        self._swept = until

    async def _sweep_day(self, day: int) -> None:
        part = 0
        while (found := await self._backplane.get(_part(day, part))) is not None:
            for id in _ids(found):
                await self._backplane.delete(_key(id))
            await self._backplane.delete(_part(day, part))
            part += 1


def _key(id: str) -> str:
    return f"revoked/{id}"


def _part(day: int, part: int) -> str:
    return f"revoked-until/{day}/{part}"


def _ids(found: Value | None) -> list[str]:
    return [] if found is None else found.data.decode().split("\n")
