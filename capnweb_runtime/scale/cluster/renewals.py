"""Keeps the leases of a worker. Rule: one task for all of them, each at a random time of its own, a bounded number at
once; who has lost a lease is told before anybody else can have it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from capnweb_runtime.objects.stub import outside
from capnweb_runtime.observe import logger_named
from capnweb_runtime.scale.contract import Lease

logger: Final = logger_named("capnweb_runtime.cluster")

_PART: Final = 3
"""A lease is renewed after about a third of its time, so that two attempts may fail."""
_LOOKS: Final = 10
"""How often in the time of a lease it is looked whether it is still held."""
_AT_ONCE: Final = 32


class _Kept:
    """A lease that is kept."""

    __slots__ = ("due", "lease", "on_lost", "renewing")

    def __init__(self, lease: Lease, due: float, on_lost: Callable[[], object]) -> None:
        self.lease = lease
        self.due = due
        self.on_lost = on_lost
        self.renewing: asyncio.Task[None] | None = None


class Renewals:
    """The leases that a worker holds.

    Parameters:
        ttl: seconds for which each is granted.
        clock: monotonic seconds.
        chance: a number from 0 to 1.
    """

    def __init__(
        self, ttl: float, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        self._ttl = ttl
        self._clock = clock
        self._chance = chance
        self._kept: dict[int, _Kept] = {}  # by the lease's identity
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, lease: Lease, on_lost: Callable[[], object]) -> None:
        """Keeps a lease from here on.

        Parameters:
            lease: the lease.
            on_lost: called once, without arguments, when it is lost; never after `remove`.
        """
        self._kept[id(lease)] = _Kept(lease, self._next(), on_lost)
        if self._task is None:
            with outside():
                self._task = asyncio.get_running_loop().create_task(self._run())

    def remove(self, lease: Lease) -> None:
        """Keeps it no longer; it is the caller's to release."""
        kept = self._kept.pop(id(lease), None)
        if kept is not None and kept.renewing is not None:
            kept.renewing.cancel()

    async def close(self) -> None:
        """Keeps none any longer."""
        for kept in list(self._kept.values()):
            self.remove(kept.lease)
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _next(self) -> float:
        """When one is to be renewed that was granted now."""
        return self._clock() + self._ttl / _PART * (0.6 + 0.4 * self._chance())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._kept:
            for key, kept in list(self._kept.items()):
                if not kept.lease.held:
                    if self._kept.pop(key, None) is not None:
                        self._tell(kept)
                elif kept.renewing is None and self._clock() >= kept.due:
                    kept.renewing = loop.create_task(self._renew(kept))
            await asyncio.sleep(self._ttl / _LOOKS)
        self._task = None

    async def _renew(self, kept: _Kept) -> None:
        try:
            async with self._at_once:
                await kept.lease.renew()
            kept.due = self._next()
        except Exception as error:  # of an engine's library, whatever it is: the others are renewed all the same
            logger.warning("the lease %r could not be renewed, and is tried again: %s", kept.lease.name, error)
            kept.due = self._clock() + self._ttl / _LOOKS * self._chance()
        finally:
            kept.renewing = None

    def _tell(self, kept: _Kept) -> None:
        if kept.renewing is not None:
            kept.renewing.cancel()
        logger.warning(
            "the lease %r was lost: this process stood still, or the engine could not be reached or has lost it",
            kept.lease.name,
        )
        try:
            kept.on_lost()
        except Exception:  # of one owner: the others' leases are kept
            logger.exception("what was to end with the lease %r has failed", kept.lease.name)
