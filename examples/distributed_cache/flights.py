"""One load for all nodes: who has the lease of a key loads its value, and tells the others what came of it.

Rule: nobody takes a value that may be older than what was dropped. Drops and outcomes stand in one topic, which has one
order, and an outcome says up to where its loader had read when it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from capnweb_runtime.scale import Backplane, BackplaneUnavailable, Cursor, Lease
from examples.distributed_cache.news import NEWS, Landed
from examples.distributed_cache.schemas.distributed_cache import LoadFailed

LEASE = 12.0
"""Seconds that a load may take before somebody else begins another."""
PATIENCE = 1.0
"""Seconds after which whoever waits for another node sees whether that is still at it."""
SOON = 0.02
"""Seconds after a load that is of no use here, in which its loader lets go of the key."""
_DROPS = 10_000
"""Keys whose last drop is known one by one."""


class Flights:
    """Loads of values, under way here or at another node.

    Parameters:
        backplane: what the nodes share.
        load: gives the value of a key, or raises.
        largest: bytes of a value that others are told. A larger one each node loads for itself.
    """

    def __init__(self, backplane: Backplane, load: Callable[[str], Awaitable[str]], largest: int) -> None:
        self._backplane = backplane
        self._load = load
        self._largest = largest
        self._waiting: dict[str, asyncio.Future[str | None]] = {}
        self._drops: dict[str, int] = {}  # where in the topic a key was dropped last
        self._floor = 0  # up to where anything may have been dropped
        self._at: Cursor | None = None

    async def load(self, key: str) -> str:
        """The value of a key. Raises LoadFailed."""
        patience = PATIENCE
        while True:
            outcome = self._waiting.setdefault(key, asyncio.get_running_loop().create_future())
            began = self._at
            try:
                lease = await self._backplane.acquire(lease_name(key), b"", LEASE)
            except BackplaneUnavailable:
                self._waiting.pop(key, None)
                return await self._alone(key)
            if lease is not None:
                return await self._for_all(key, began, lease)
            try:
                async with asyncio.timeout(patience):
                    if (value := await asyncio.shield(outcome)) is not None:
                        return value
                patience = SOON
            except TimeoutError:
                patience = PATIENCE

    def begin(self, at: Cursor) -> None:
        """Nothing is known of what was dropped up to here."""
        self._at, self._floor = at, at.offset
        self._drops.clear()

    def dropped(self, key: str, at: Cursor) -> None:
        """What was being loaded then may be older."""
        if len(self._drops) >= _DROPS:
            self.begin(at)
        self._at = at
        self._drops[key] = at.offset

    def landed(self, outcome: Landed, at: Cursor) -> None:
        """A node has loaded something, or failed to."""
        self._at = at
        waiting = self._waiting.pop(outcome.key, None)
        if waiting is None or waiting.done():
            return
        began = Cursor.parse(outcome.began)
        if began.epoch != at.epoch or began.offset < self._drops.get(outcome.key, self._floor):
            waiting.set_result(None)
        elif outcome.error is None:
            waiting.set_result(outcome.value)
        else:
            waiting.set_exception(LoadFailed(outcome.key, outcome.error))
            waiting.exception()  # if nobody waits any more, it is nobody's error

    async def _for_all(self, key: str, began: Cursor | None, lease: Lease) -> str:
        outcome = Landed(key=key, began=str(began))
        try:
            value = await self._alone(key)
            if len(value.encode()) <= self._largest:
                outcome.value = value
            return value
        except LoadFailed as error:
            outcome.error = error.why
            raise
        finally:
            try:
                if began is not None:
                    await self._backplane.publish(NEWS, outcome.model_dump_json().encode())
                await lease.release()
            except BackplaneUnavailable:
                self._waiting.pop(key, None)  # whoever waits looks again, in a while

    async def _alone(self, key: str) -> str:
        try:
            return await self._load(key)
        except Exception as error:
            raise LoadFailed(key, str(error)) from error


def lease_name(key: str) -> str:
    """What the lease of a key's load is called."""
    return f"load/{blake2b(key.encode(), digest_size=16).hexdigest()}"
