"""Methods that block, in threads. Rule: what runs in a thread sees the call's context, and touches no stub: those
belong to the event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from capnweb_runtime.core.calls import CallHandle
from capnweb_runtime.driving.asyncio_host import AsyncioHost, is_coroutine_function
from capnweb_runtime.driving.handle import IN_THREAD, ON_LOOP
from capnweb_runtime.observe import logger

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Runs a plain method (`def`) of a target in a thread, so that other calls go on while it blocks.

    Without it a plain method runs on the event loop. That is fastest for a method that computes a little, but one that
    reads a file or asks a database stops every session meanwhile. Calls in threads begin in the order in which they
    came, and then run side by side, in the event loop's default thread pool::

        class Library(LibraryTarget):
            @in_thread
            def book(self, number: int) -> Book:
                return Book.model_validate_json(Path(f"{number}.json").read_bytes())

    A thread cannot be interrupted: the method runs to its end even if the call is cancelled. It must not use stubs,
    which belong to the event loop.

    Parameters:
        function: the method; it runs in a copy of the call's Context, so that it sees its context variables.

    Returns:
        A coroutine function with the same parameters, which takes the place of the method.

    Raises:
        TypeError: the method is async, or a generator.
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

    setattr(run, IN_THREAD, True)
    return run


def threads_of(count: int) -> Executor:
    """Threads for the plain methods of a server.

    Parameters:
        count: how many methods run at a time; others wait for their turn.
    """
    return ThreadPoolExecutor(count, thread_name_prefix="capnweb")


def on_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function that belongs to the event loop as an async one, which no thread runs; any other as it is."""
    if not getattr(function, ON_LOOP, False) or is_coroutine_function(function):
        return function

    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return run


class ThreadedHost(AsyncioHost):
    """Runs plain functions that a peer calls in threads, and what is async on the loop."""

    __slots__ = ()

    def call(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, in_turn: bool = False
    ) -> Any:
        """Calls the function after every call that came before it has begun; see `AsyncioHost.start`."""
        function = on_loop(function)
        if is_coroutine_function(function) or inspect.isasyncgenfunction(function):
            return self.start(function, args, kwargs, in_turn=in_turn)
        return self.start(self._in_thread, (function, args, kwargs), {}, in_turn=in_turn)

    def handle(self, function: Callable[..., Any]) -> CallHandle | None:
        """See `AsyncioHost.handle`."""
        function = on_loop(function)
        return super().handle(function) if is_coroutine_function(function) else None

    async def _in_thread(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        run = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
        result = await self._loop.run_in_executor(self.threads, run)
        return await result if inspect.isawaitable(result) else result


class WatchedHost(AsyncioHost):
    """Tells in debug mode which functions hold the loop, and all sessions with it, for longer than the loop's
    `slow_callback_duration`.
    """

    __slots__ = ()

    def call(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, in_turn: bool = False
    ) -> Any:
        """Calls the function; see `AsyncioHost.start`."""
        return self.start(self.watching(function), args, kwargs, in_turn=in_turn)

    def watching(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that does the same, and is watched; an async one from each wait to the next."""
        name = getattr(function, "__qualname__", "a function")
        if is_coroutine_function(function):
            return _stepping(function, self._loop, name)
        if inspect.isasyncgenfunction(function):
            return _yielding(function, self._loop, name)
        return _watched(function, self._loop, name)


class WatchedThreadedHost(WatchedHost, ThreadedHost):
    """Runs plain functions in threads, and tells which async ones hold the loop."""

    __slots__ = ()

    def call(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, in_turn: bool = False
    ) -> Any:
        """See `ThreadedHost.call`."""
        return ThreadedHost.call(self, self.watching(function), args, kwargs, in_turn=in_turn)

    def watching(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """See `WatchedHost.watching`; what runs in a thread holds nobody."""
        is_async = is_coroutine_function(function) or inspect.isasyncgenfunction(function)
        return super().watching(function) if is_async else function


def _stepping(function: Callable[..., Any], loop: asyncio.AbstractEventLoop, name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    async def stepping(*args: Any, **kwargs: Any) -> Any:
        return await _Steps(function(*args, **kwargs), loop, name)

    return stepping


def _yielding(function: Callable[..., Any], loop: asyncio.AbstractEventLoop, name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    async def yielding(*args: Any, **kwargs: Any) -> Any:
        source = function(*args, **kwargs)
        try:
            while True:
                try:
                    chunk = await _Steps(source.__anext__(), loop, name)
                except StopAsyncIteration:
                    return
                yield chunk
        finally:
            await source.aclose()

    return yielding


def _watched(function: Callable[..., Any], loop: asyncio.AbstractEventLoop, name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        begun = loop.time()
        try:
            result = function(*args, **kwargs)
        finally:
            _tell_if_slow(loop, begun, name, "await what takes long, or mark it with @in_thread")
        # Of an async function in the clothes of a plain one.
        return _stepping(lambda: result, loop, name)() if asyncio.iscoroutine(result) else result

    return watched


class _Steps(Generator[Any, Any, Any]):
    """A coroutine that is awaited and watched, from each wait to the next."""

    __slots__ = ("_coroutine", "_loop", "_name")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._name = name

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    def send(self, value: Any) -> Any:
        """Runs it up to its next wait."""
        return self._step(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        """Runs it up to its next wait, from an error."""
        return self._step(self._coroutine.throw, *error)

    def close(self) -> None:
        """Ends it where it waits."""
        self._coroutine.close()

    def _step(self, run: Callable[..., Any], *args: Any) -> Any:
        begun = self._loop.time()
        try:
            return run(*args)
        finally:
            advice = "between two waits: await what takes long, or give it to asyncio.to_thread"
            _tell_if_slow(self._loop, begun, self._name, advice)


def _tell_if_slow(loop: asyncio.AbstractEventLoop, begun: float, name: str, advice: str) -> None:
    taken = loop.time() - begun
    if taken >= loop.slow_callback_duration:
        logger.warning("%s held up every session for %.3f s: %s", name, taken, advice)
