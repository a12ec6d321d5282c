"""One leader of many. Rule: a block of code runs in one process at a time, and is cancelled when it no longer may."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from types import TracebackType
from typing import Final

from capnweb_runtime.errors import BackplaneUnavailable, LeaseLost
from capnweb_runtime.scale.cluster.renewals import Renewals, logger
from capnweb_runtime.scale.contract import Backplane, Lease

_ASKS: Final = 5
"""How often in the time of a lease it is asked for."""


class Leader:
    """A block that one process runs; made by `Cluster.leader`. Entering waits until this process leads. When the lease
    is lost, the block is cancelled where it waits, and leaves with LeaseLost.

    Parameters:
        backplane: keeps the lease.
        renewals: keep it ours.
        name: what is led.
        value: what the lease says of who has it.
        ttl: its time, in seconds.
    """

    def __init__(self, backplane: Backplane, renewals: Renewals, name: str, value: bytes, ttl: float) -> None:
        self._backplane = backplane
        self._renewals = renewals
        self._name = name
        self._value = value
        self._ttl = ttl
        self._lease: Lease | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._lost = False

    async def __aenter__(self) -> Lease:
        if self._lease is not None:
            raise RuntimeError("cluster.leader(...) leads once; call it again for another time")
        self._lease = lease = await self._elected()
        self._task = asyncio.current_task()
        self._cancelling = 0 if self._task is None else self._task.cancelling()
        self._renewals.add(lease, self._over)
        return lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._lease is not None
        self._renewals.remove(self._lease)
        if not self._lost:
            with suppress(BackplaneUnavailable):  # then it expires in its time
                await self._lease.release()
            return
        cancelled = self._task is not None and self._task.uncancel() > self._cancelling  # by somebody else, too
        if kind is None or (kind is asyncio.CancelledError and not cancelled):
            raise LeaseLost(
                f"this process no longer leads {self._name!r}: it stood still, or the engine could not be reached or "
                "has lost the lease; enter cluster.leader(...) again"
            ) from error

    def _over(self) -> None:
        self._lost = True
        if self._task is not None:
            self._task.cancel()

    async def _elected(self) -> Lease:
        while True:
            try:
                lease = await self._backplane.acquire(f"lead/{self._name}", self._value, self._ttl)
                if lease is not None:
                    return lease
            except BackplaneUnavailable as error:
                logger.warning("nobody can be elected to lead %r now, and it is tried again: %s", self._name, error)
            await asyncio.sleep(self._ttl / _ASKS * (0.5 + random.random() / 2))
