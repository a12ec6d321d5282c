"""Submitters who are told what became of their tasks. Rule: everybody is told once, and nobody is waited for long."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable

from capnweb_runtime import CallbackStub
from examples.task_queue.schemas.task_queue import Finished

logger = logging.getLogger(__name__)


class Callbacks:
    """Functions of submitters, by task.

    Parameters:
        patience: seconds that one may take.
        on_told: called whenever one has answered, or was given up.
    """

    def __init__(self, patience: float, on_told: Callable[[], None]) -> None:
        self._patience = patience
        self._on_told = on_told
        self._waiting: defaultdict[int, list[CallbackStub[[Finished], None]]] = defaultdict(list)
        self._telling: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many are being told."""
        return len(self._telling)

    def tasks(self) -> list[int]:
        """Those that somebody is to be told of."""
        return [*self._waiting]

    def add(self, task: int, callback: CallbackStub[[Finished], None]) -> None:
        """Keeps a function until its task has ended."""
        self._waiting[task].append(callback.dup())  # the one that was passed ends with the call that brought it

    def tell(self, finished: Finished) -> None:
        """Begins to tell everybody who has asked about a task."""
        for callback in self._waiting.pop(finished.task, ()):
            telling = asyncio.create_task(self._call(callback, finished))
            self._telling.add(telling)
            telling.add_done_callback(self._told)

    async def _call(self, callback: CallbackStub[[Finished], None], finished: Finished) -> None:
        """Tells one. Whoever is gone, raises or sleeps holds nobody up: they can still ask."""
        with callback:
            try:
                async with asyncio.timeout(self._patience):
                    await callback(finished)
            except Exception as error:
                logger.info("somebody was not told of task %d: %r", finished.task, error)

    def _told(self, telling: asyncio.Task[None]) -> None:
        self._telling.discard(telling)
        self._on_told()
