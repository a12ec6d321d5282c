"""Work that many want and one does. Rule: it belongs to nobody who waits for it: whoever gives up, or has a deadline,
leaves it to the others, and it sees nothing of the Context of whoever came first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, TypeVar

from capnweb_runtime.errors import SessionClosed

K = TypeVar("K")
V = TypeVar("V")


class Once(Generic[K, V]):
    """Work in progress, by what it is for.

    Attributes:
        context: it runs in copies of this.
    """

    def __init__(self) -> None:
        self.context = Context()
        self._tasks: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def of(self, key: K, make: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What the work gives or raises that is in progress for a key, or that begins now.

        Parameters:
            key: what it is for.
            make: begins it.

        Raises:
            SessionClosed: `cancel` has ended it.
        """
        task = self._tasks.get(key)
        if task is None:
            loop = asyncio.get_running_loop()
            task = self._tasks[key] = loop.create_task(make(), context=self.context.copy())
            task.add_done_callback(lambda done: self._done(key, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            raise SessionClosed("the cluster was closed meanwhile") from None

    async def settled(self, key: K) -> None:
        """Waits until no work is in progress for a key."""
        task = self._tasks.get(key)
        if task is not None:
            await asyncio.wait([task])

    def cancel(self) -> None:
        """Ends all of it."""
        for task in tuple(self._tasks.values()):
            task.cancel()

    async def end(self, within: float) -> None:
        """Waits until all that is in progress has ended, and no longer than so many seconds: what has not, is ended."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks.values()), timeout=within)
            self.cancel()

    def _done(self, key: K, task: asyncio.Task[V]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled():
            task.exception()  # which may be nobody's to see
