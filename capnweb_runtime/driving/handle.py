"""One call that can be cancelled, on asyncio. Rule: what is cancelled is the task that runs the call; what was given up
before that began never begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Final

IN_THREAD: Final = "__capnweb_in_thread__"
"""Attribute of functions that run in a thread, which nothing can interrupt."""
ON_LOOP: Final = "__capnweb_on_loop__"
"""Attribute of plain functions that belong to the event loop, also where others run in threads."""


class Handle:
    """Runs a function of the application, once, so that it can be cancelled.

    Parameters:
        function: the function, sync or async.
        is_async: whether calling it runs none of its body; calls of such functions need not wait for each other.

    Attributes:
        function: what to call in place of it.
    """

    __slots__ = ("_function", "_given_up", "_task", "function")

    def __init__(self, function: Callable[..., Any], is_async: bool) -> None:
        self._function = function
        self._task: asyncio.Future[Any] | None = None
        self._given_up = False
        self.function: Callable[..., Any] = self._run if is_async else self._call

    def cancel(self) -> None:
        """See `capnweb_runtime.core.hook.CallHandle.cancel`. A task that goes on all the same is left alone."""
        self._given_up = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self, *args: Any, **kwargs: Any) -> Any:
        self._begin()
        return await self._function(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        if self._given_up:
            raise asyncio.CancelledError
        result = self._function(*args, **kwargs)
        if isinstance(result, asyncio.Future):  # it has begun
            self._task = result
            return result
        return self._wait(result) if isawaitable(result) else result

    async def _wait(self, result: Awaitable[Any]) -> Any:
        self._begin()
        return await result

    def _begin(self) -> None:
        if self._given_up:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()
