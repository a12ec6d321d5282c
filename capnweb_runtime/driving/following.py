"""Streams that methods give, for those who follow a call to its end. Rule: whatever is put around a stream, its reader
and its writer notice nothing of.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Self

from capnweb_runtime.core.hook import Held, PromiseRef
from capnweb_runtime.observe import keep_context


def is_stream(value: object) -> bool:
    """Whether a method's result is a stream that this side writes. One that has come in and is passed on is not."""
    return hasattr(type(value), "__aiter__") and not isinstance(value, (Held, PromiseRef))


class _Around:
    """What is put around a stream.

    Parameters:
        stream: the stream.
    """

    def __init__(self, stream: AsyncIterable[Any]) -> None:
        self.__wrapped__ = stream
        self._chunks: AsyncIterator[Any] | None = None

    def __aiter__(self) -> Self:
        return self

    def _next(self) -> Awaitable[Any]:
        if self._chunks is None:
            self._chunks = aiter(self.__wrapped__)
        return anext(self._chunks)

    async def _close(self) -> None:
        close = getattr(self.__wrapped__, "aclose", None) or getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


class InContext(_Around):
    """A stream whose body runs in the Context in which this is made: that of the call that gave it.

    Parameters:
        stream: the stream.
    """

    def __init__(self, stream: AsyncIterable[Any]) -> None:
        super().__init__(stream)
        self._context = copy_context()

    async def __anext__(self) -> Any:
        try:
            return await _Stepped(self._context, self._next)
        except Exception as error:
            if not isinstance(error, StopAsyncIteration):
                self._context.copy().run(keep_context, error)
            raise

    async def aclose(self) -> None:
        """Ends the stream, wherever it is."""
        await _Stepped(self._context.copy(), self._close)


class Followed(_Around):
    """A stream that tells when it has ended.

    Parameters:
        stream: the stream.
        on_end: told once: with what its body has raised, or with None if it was read to its end, or given up.
    """

    def __init__(self, stream: AsyncIterable[Any], on_end: Callable[[BaseException | None], object]) -> None:
        super().__init__(stream)
        self._on_end: Callable[[BaseException | None], object] | None = on_end

    async def __anext__(self) -> Any:
        try:
            return await self._next()
        except Exception as error:
            self._tell(None if isinstance(error, StopAsyncIteration) else error)
            raise
        except BaseException:  # nobody reads any more
            self._tell(None)
            raise

    async def aclose(self) -> None:
        """Ends the stream, wherever it is."""
        try:
            await self._close()
        finally:
            self._tell(None)

    def _tell(self, error: BaseException | None) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(error)


class _Stepped:
    """An awaitable whose steps run in a Context, and otherwise in the task that awaits it.

    Parameters:
        context: the Context.
        make: makes the awaitable, in there.
    """

    def __init__(self, context: Context, make: Callable[[], Awaitable[Any]]) -> None:
        self._context = context
        self._make = make

    def __await__(self) -> Generator[Any, Any, Any]:
        run = self._context.run
        steps: Any = run(lambda: self._make().__await__())
        step: Callable[[], Any] = partial(next, steps)
        while True:
            try:
                waited_for = run(step)
            except StopIteration as end:
                return end.value
            try:
                step = partial(steps.send, (yield waited_for))
            except GeneratorExit:
                run(steps.close)
                raise
            except BaseException as error:  # the task was cancelled, say
                step = partial(steps.throw, error)
