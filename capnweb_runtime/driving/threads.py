"""Methods that block, in threads. Rule: what runs in a thread sees the call's context, and touches no stub: those
belong to the event loop.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Runs a plain method of a target in a thread, so that it holds nobody up while it blocks.

    A plain `def` runs on the event loop, which is the fastest there is for what computes a little, and stops every
    session for what reads a file or asks a database. Calls of one session are begun in their order all the same, and
    then run side by side, in the default threads of the loop::

        class Library(LibraryTarget):
            @in_thread
            def book(self, number: int) -> Book:
                return Book.model_validate_json(Path(f"{number}.json").read_bytes())

    Parameters:
        function: a plain function; it gets a copy of the call's Context.

    Returns:
        A coroutine function of the same parameters.

    Raises:
        TypeError: the function is async, or a generator.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} is async: it does not block the loop; leave @in_thread out")
    if inspect.isgeneratorfunction(function):
        raise TypeError(
            f"{function.__qualname__} is a generator, of which a thread would run nothing: return a list, "
            "or write an async generator"
        )

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(function, *args, **kwargs)

    return run
