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
    """A topic of a backplane whose events are values of one type, checked when they are published and when they are
    read.

    Parameters:
        backplane: the backplane that has the topic.
        name: name of the topic; it need not exist.
        model: type of the events that pydantic can write as JSON, such as a pydantic model or a dataclass. For events
            of several types it is a `RootModel` of their union.
    """

    def __init__(self, backplane: Backplane, name: str, model: type[D]) -> None:
        self.name = name
        self._backplane = backplane
        self._model = model

    async def publish(self, data: D, *, id: str | None = None) -> str:
        """Appends an event to the topic.

        Parameters:
            data: the event.
            id: text that names the event. If an event with this id was published to the topic within the last two
                minutes (`Bounds.dedupe_seconds`), nothing is published. None publishes in any case.

        Returns:
            The position behind the event, or behind the one that has the same id, as text.

        Raises:
            TypeError: the event is not of the topic's type, or would not be the same once it is read from JSON.
            BackplaneUnavailable: the engine did not answer, and may have published the event: publish it again with the
                same id.
            ValueError: the event is larger than `Bounds.event_bytes`, or a name is too long.
        """
        return str(await self._backplane.publish(self.name, _written(self._model, data), id=id))

    def subscribe(self, after: str | None = None) -> TopicSubscription[D]:
        """Subscribes to the topic, in a process that has the backplane.

        Parameters:
            after: cursor of this topic behind which to begin, as text; None begins with what is published after the
                subscription was entered.

        Returns:
            The events in their order; enter it with `async with`, and iterate over it.

        Raises:
            ValueError: `after` is no cursor.
        """
        return self._subscription(after, lambda event: _read(self._model, event))

    def target(self, kind: Callable[[], TargetT]) -> TargetT:
        """Makes the target that gives the topic to clients: a method whose result the schema declares as `Events[Said]`
        returns `topic.target(EventsSaidTarget)`.

        Parameters:
            kind: class of targets that was generated for `Events` of the topic's type.

        Raises:
            TypeError: it is the class of another interface, or of events of another type.
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
    """The events of a topic, as `Topic.subscribe` gives them: enter it with `async with`, and iterate over it with
    `async for`, in one task. It gives a `TopicEvent` for each event, and a `TopicGap` where some may be missing.

    Parameters:
        subscription: subscription of the backplane to read.
        read: function that makes a typed event, or a gap, of an event's bytes.
    """

    def __init__(self, subscription: Subscription, read: Callable[[Event], TopicEvent[D] | TopicGap]) -> None:
        self._subscription = subscription
        self._read = read

    @property
    def cursor(self) -> str:
        """The position behind the last event or gap that was given, or where the subscription begins, as text. Keep it,
        to go on there later.
        """
        return str(self._subscription.cursor)

    async def batch(self) -> TopicBatch[D]:
        """Waits for events and gaps, and gives all that have come: at most 64, of about 1 MiB together.

        Returns:
            The batch; without items when nothing more will come.
        """
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
