"""Topics and those who listen to them. Rule: each subscriber is told one batch at a time, by a task of its own, so that
none can hold up another one or a publisher.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from capnweb_runtime import CallbackStub, SessionError
from examples.pubsub.generated.pubsub import PubSubTarget, SubscriptionTarget
from examples.pubsub.log import Log
from examples.pubsub.schemas.pubsub import Batch, Gap, Stats, Status, Subscribed, TooManyTopics

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """What one server takes upon itself.

    Attributes:
        topics: how many there may be.
        keep: events that are kept of each.
        batch: events that are delivered at a time.
        failures: after so many in a row a subscription is ended.
    """

    topics: int = 1000
    keep: int = 1000
    batch: int = 100
    failures: int = 3


class Subscription(SubscriptionTarget):
    """One subscriber: a place in a log, and a function that is told what comes after it.

    Parameters:
        log: of the topic.
        number: the event after which to begin; None if the subscriber comes from a log that is gone.
        deliver: the function.
        bounds: how much it is told at a time, and how often it may fail.
        on_end: called when the subscription is given up.

    Attributes:
        number: the event that was delivered last.
    """

    def __init__(
        self,
        log: Log,
        number: int | None,
        deliver: CallbackStub[[Batch], None],
        bounds: Bounds,
        on_end: Callable[[], None],
    ) -> None:
        self.number = log.last - len(log) if number is None else number
        self._log = log
        self._deliver = deliver.dup()  # the one that was passed ends with the call that brought it
        self._bounds = bounds
        self._on_end = on_end
        self._delivered = self._missed = self._failures = 0
        self._telling = asyncio.create_task(self._tell([Gap(missed=None)] if number is None else []))

    def status(self) -> Status:
        is_live = not self._telling.done()
        return Status(is_live=is_live, delivered=self._delivered, missed=self._missed, failures=self._failures)

    def dispose(self) -> None:
        self._telling.cancel()
        self._deliver.dispose()
        self._on_end()

    async def _tell(self, first: list[Gap]) -> None:
        in_a_row = 0
        while in_a_row < self._bounds.failures:
            if not first:
                await self._log.wait(self.number)
            missed, events = self._log.after(self.number, self._bounds.batch)
            gap, first = first or ([Gap(missed=missed)] if missed else []), []
            number = self.number + missed + len(events)
            try:
                await self._deliver(Batch(entries=[*gap, *events], cursor=self._log.cursor(number)))
            except SessionError:
                return  # the subscriber is gone; `dispose` follows
            except Exception as error:
                in_a_row += 1
                self._failures += 1
                logger.info("a subscriber has failed %d times in a row: %r", in_a_row, error)
            else:
                in_a_row = 0
                self._delivered += len(events)
                self._missed += missed
            self.number = number


class Hub(PubSubTarget):
    """The main object of all sessions.

    Parameters:
        bounds: what it takes upon itself.
        tables: gives how many imports and exports all sessions have.
    """

    def __init__(self, bounds: Bounds, tables: Callable[[], tuple[int, int]] = lambda: (0, 0)) -> None:
        self._bounds = bounds
        self._tables = tables
        self._topics: dict[str, Log] = {}
        self._subscriptions = 0

    def publish(self, topic: str, text: str) -> int:
        return self._log(topic).append(text)

    def subscribe(
        self, topic: str, deliver: CallbackStub[[Batch], None], after: str | None = None
    ) -> Subscribed[SubscriptionTarget]:
        log = self._log(topic)
        number = log.last if after is None else log.place(after)
        subscription = Subscription(log, number, deliver, self._bounds, self._ended)
        self._subscriptions += 1
        return Subscribed(cursor=log.cursor(subscription.number), subscription=subscription)

    def stats(self) -> Stats:
        imports, exports = self._tables()
        events = sum(len(log) for log in self._topics.values())
        return Stats(
            topics=len(self._topics),
            events=events,
            subscriptions=self._subscriptions,
            imports=imports,
            exports=exports,
        )

    def _ended(self) -> None:
        self._subscriptions -= 1

    def _log(self, topic: str) -> Log:
        log = self._topics.get(topic)
        if log is None:
            if len(self._topics) >= self._bounds.topics:
                raise TooManyTopics(f"there are {len(self._topics)} topics, and no room for {topic!r}")
            log = self._topics[topic] = Log(uuid4().hex, self._bounds.keep)
        return log
