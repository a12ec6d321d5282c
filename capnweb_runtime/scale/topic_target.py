"""A topic as a capability: what implements `Events[...]` of a schema. Rule: a subscriber has one batch on its way at
most, and what comes meanwhile waits where it is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import Any, ClassVar, Protocol, Self, TypeVar, get_args, get_origin, get_type_hints

from capnweb_runtime.errors import BackplaneUnavailable, SessionError
from capnweb_runtime.objects.callbacks import CallbackStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import logger_named
from capnweb_runtime.scale.schema import TopicBatch, TopicGap, TopicUnavailable

logger = logger_named("capnweb_runtime.scale")

TargetT = TypeVar("TargetT")


class Subscribed(Protocol):
    """A subscription with types; see `TopicSubscription`."""

    @property
    def cursor(self) -> str: ...
    async def batch(self) -> TopicBatch[Any]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc: object) -> None: ...


Open = Callable[[str | None], Subscribed]
"""Subscribes after a cursor."""


class TopicTarget:
    """Implements an interface that the compiler has made of `Events[...]`, as the base beside it."""

    _open: Open

    @staticmethod
    def implementing(kind: Callable[[], TargetT], model: object, open: Open) -> TargetT:
        """An instance of a generated class of targets.

        Parameters:
            kind: the class.
            model: the type of the events.
            open: subscribes.

        Raises:
            TypeError: the class is that of another interface, or of another type of events.
        """
        implementation, told = _implementation(kind)
        if told != model:
            raise TypeError(
                f"{kind.__name__} tells of {describe(told)}, and this is a topic of {describe(model)}: "
                "give the class that was generated for Events of that"
            )
        made: Any = implementation()
        made._open = open
        target: TargetT = made
        return target

    async def subscribe(self, deliver: CallbackStub[[TopicBatch[Any]], None], after: str | None = None) -> RpcTarget:
        """See `Events`."""
        return _Telling(await self._subscribed(after), deliver)

    async def stream(self, after: str | None = None) -> AsyncIterator[TopicBatch[Any]]:
        """See `Events`."""
        return _Batches(await self._subscribed(after))

    async def _subscribed(self, after: str | None) -> Subscribed:
        try:
            return await self._open(after).__aenter__()
        except (BackplaneUnavailable, RuntimeError) as error:  # the latter once the backplane is closed: try elsewhere
            raise TopicUnavailable(str(error)) from error


class _Telling(RpcTarget):
    """Calls a function with one batch after another, until it fails, or this is disposed of, as it is by the end of the
    session.
    """

    def __init__(self, subscribed: Subscribed, deliver: CallbackStub[[TopicBatch[Any]], None]) -> None:
        self._subscribed = subscribed
        self._deliver = deliver.dup()  # the one that was passed ends with the call that brought it
        self._telling = asyncio.create_task(self._tell())

    async def dispose(self) -> None:
        self._telling.cancel()
        await self._end()

    async def _tell(self) -> None:
        batch: TopicBatch[Any] = TopicBatch(items=[], cursor=self._subscribed.cursor)
        told = batch.cursor
        try:
            await self._deliver(batch)
            while (batch := await self._subscribed.batch()).items:
                await self._deliver(batch)
                told = batch.cursor
            await self._deliver(_last(told))
        except SessionError:
            pass
        except Exception as error:  # a subscriber's own affair, and it has to know that this was the last one
            logger.info("a subscriber has failed and is told no more: %r", error)
            with contextlib.suppress(Exception):
                await self._deliver(_last(told))
        finally:
            await self._end()

    async def _end(self) -> None:
        self._deliver.dispose()
        await self._subscribed.__aexit__()


def _last(cursor: str) -> TopicBatch[Any]:
    return TopicBatch(items=[TopicGap("ended", cursor)], cursor=cursor)


class _Batches:
    """A stream of batches. What waits is bounded by the subscription, as the stream asks for no more than is read. That
    nobody reads any more is told by a write which fails, so that there is one now and then.

    Attributes:
        silence: seconds after which it says where it is, if nothing happens.
    """

    silence: ClassVar[float] = 30.0

    def __init__(self, subscribed: Subscribed) -> None:
        self._subscribed = subscribed
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TopicBatch[Any]:
        if not self._begun:
            self._begun = True
            return TopicBatch(items=[], cursor=self._subscribed.cursor)
        try:
            async with asyncio.timeout(self.silence):
                batch = await self._subscribed.batch()
        except TimeoutError:
            return TopicBatch(items=[], cursor=self._subscribed.cursor)
        if not batch.items:
            raise StopAsyncIteration
        return batch

    async def aclose(self) -> None:
        await self._subscribed.__aexit__()


@lru_cache(maxsize=256)
def _implementation(kind: Any) -> tuple[Any, object]:
    """A class of targets with its methods implemented, and the type of the events that they tell of.

    Raises:
        TypeError: it tells of none.
    """
    signature = get_type_hints(kind.subscribe) if "subscribe" in getattr(kind, "_rpc_members", ()) else {}
    taken = get_args(signature.get("deliver"))
    batch = taken[0][0] if taken and len(taken[0]) == 1 else None
    if get_origin(batch) is not TopicBatch:
        raise TypeError(
            f"{kind!r} is not made of Events[...]: give the class that was generated for it, such as EventsSaidTarget"
        )
    return type(kind.__name__, (TopicTarget, kind), {"__module__": kind.__module__}), get_args(batch)[0]


def describe(model: object) -> str:
    """A type as people write it."""
    return getattr(model, "__name__", repr(model))
