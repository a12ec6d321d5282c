"""Topics whose events have a type. Rule: what is published can be read again, or is refused where it is published; what
cannot be read is a gap.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from capnweb_runtime.observe import logger_named
from capnweb_runtime.scale.contract import Backplane, Cursor, Event, Gap, Subscription
from capnweb_runtime.scale.schema import TopicBatch, TopicEvent, TopicGap
from capnweb_runtime.scale.topic_target import TopicTarget, describe

if TYPE_CHECKING:
    from pydantic import TypeAdapter

logger = logger_named("capnweb_runtime.scale")

D = TypeVar("D")
TargetT = TypeVar("TargetT")

BATCH_EVENTS: Final = 64
BATCH_BYTES: Final = 1024 * 1024
"""What a batch holds at most; the last event of it may pass the second."""
_SHARED_EVENTS: Final = 128
"""Events that are kept as they were read, of all topics of this process: subscribers who are told of the same event at
about the same time have it read once. Each has at most `Bounds.event_bytes`."""


class Topic(Generic[D]):
    """A topic of a backplane, of events of one type.

    Parameters:
        backplane: where it is.
        name: its name; see `Backplane.publish`.
        model: the type, such as a pydantic model; for one of several, a `RootModel` of a union.
    """

    def __init__(self, backplane: Backplane, name: str, model: type[D]) -> None:
        self.name = name
        self._backplane = backplane
        self._model = model

    async def publish(self, data: D, *, id: str | None = None) -> str:
        """Append an event.

        Parameters:
            data: the event.
            id: one that was published to this topic within the last two minutes is not published again.

        Returns:
            The cursor behind it, or behind the one that had its id.

        Raises:
            TypeError: it is not of the topic's type, or would not be the same once it is read again.
            BackplaneUnavailable: whether it was published is not known: do so again with the same id.
            ValueError: it is larger than a backplane carries.
        """
        return str(await self._backplane.publish(self.name, _written(self._model, data), id=id))

    def subscribe(self, after: str | None = None) -> TopicSubscription[D]:
        """The events, in order; an async context manager, and an iterator.

        Parameters:
            after: a cursor of this topic, behind what was processed before; None begins with what is published after
                entering.

        Raises:
            ValueError: that is no cursor.
        """
        return self._subscription(after, lambda event: _read(self._model, event))

    def target(self, kind: Callable[[], TargetT]) -> TargetT:
        """What a method returns whose result a schema declares as `Events[...]`.

        Parameters:
            kind: the generated class of targets, such as `EventsSaidTarget`.

        Raises:
            TypeError: that is the class of another interface, or of another type of events.
        """
        return TopicTarget.implementing(kind, self._model, self._shared)

    def _shared(self, after: str | None) -> TopicSubscription[D]:
        """A subscription whose events may be those of others as well: they are passed on, and not changed."""
        return self._subscription(after, lambda event: _read_once(self._model, event))

    def _subscription(
        self, after: str | None, read: Callable[[Event], TopicEvent[D] | TopicGap]
    ) -> TopicSubscription[D]:
        cursor = None if after is None else Cursor.parse(after)
        return TopicSubscription(self._backplane.subscribe(self.name, cursor), read)


class TopicSubscription(Generic[D]):
    """One subscriber of a topic; see `Topic.subscribe`.

    Parameters:
        subscription: the backplane's.
        read: makes an event what it was published as.
    """

    def __init__(self, subscription: Subscription, read: Callable[[Event], TopicEvent[D] | TopicGap]) -> None:
        self._subscription = subscription
        self._read = read

    @property
    def cursor(self) -> str:
        """Behind what was last handed out, or where it began. Keep it, to resume there."""
        return str(self._subscription.cursor)

    async def batch(self) -> TopicBatch[D]:
        """What has come, 64 items and about 1 MiB at most; waits for the first. Empty when nothing more comes."""
        items = await self._subscription.batch(BATCH_EVENTS, BATCH_BYTES)
        return TopicBatch(items=[self._typed(item) for item in items], cursor=self.cursor)

    async def __aenter__(self) -> Self:
        await self._subscription.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._subscription.__aexit__(*exc)

    def __aiter__(self) -> AsyncIterator[TopicEvent[D] | TopicGap]:
        return self

    async def __anext__(self) -> TopicEvent[D] | TopicGap:
        return self._typed(await anext(self._subscription))

    def _typed(self, item: Event | Gap) -> TopicEvent[D] | TopicGap:
        return self._read(item) if isinstance(item, Event) else TopicGap(reason=item.reason, cursor=str(item.cursor))


@lru_cache(maxsize=256)
def _made_adapter(model: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415  # who only follows topics needs none

    return TypeAdapter(model)


_adapter: Callable[[Any], TypeAdapter[Any]] = _made_adapter
"""Reads and writes events of a type."""


def _written(model: type[D], data: D) -> bytes:
    """An event as it is published. Raises TypeError unless it can be read again as it is."""
    adapter = _adapter(model)
    try:
        written = adapter.dump_json(data, by_alias=True, warnings="error")
        read = adapter.validate_json(written)
    except Exception as error:
        raise TypeError(f"a topic of {describe(model)} cannot carry {describe(type(data))}: {error}") from error
    if adapter.dump_python(read) != adapter.dump_python(data):
        raise TypeError(
            f"this {describe(type(data))} is another one once it is read from JSON, in which events are kept: it may"
            " hold nan or bytes, or change on validation"
        )
    return written


def _read(model: type[D], event: Event) -> TopicEvent[D] | TopicGap:
    try:
        data: D = _adapter(model).validate_json(event.data)
    except ValueError as error:  # what pydantic raises is one
        logger.warning("the event at %s is no %s: %s", event.cursor, describe(model), error)
        return TopicGap(reason="unreadable", cursor=str(event.cursor))
    return TopicEvent(cursor=str(event.cursor), data=data)


_read_once: Callable[[Any, Event], TopicEvent[Any] | TopicGap] = lru_cache(maxsize=_SHARED_EVENTS)(_read)
