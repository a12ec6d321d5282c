"""A client that follows a topic from whichever worker there is, and what it has to see. Rule: numbers come one after
the other; where one is missing or comes again, a gap was told before.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from capnweb_runtime import SessionClosed, connect
from capnweb_runtime.connecting.connect import Connecting
from capnweb_runtime.errors import RpcError
from tests.scale.generated.relay import RelayStub
from tests.scale.schema.relay import Told, Unavailable

LOST = (SessionClosed, RpcError, Unavailable, OSError, TimeoutError)
"""What a worker that is killed, stopped, or without its engine comes to."""


class Broken(AssertionError):
    """Something was promised, and was not so."""


class Record:
    """What one subscriber has seen.

    Parameters:
        latest: gives the last number that the application's own database has, which is read after a gap. A number is
            there before it is published.
        who: for what is said of it.
    """

    def __init__(self, latest: Callable[[], int], who: str = "a subscriber") -> None:
        self.cursor = ""
        self.last = 0
        self.events = 0
        self.again = 0  # events that the database had told of already
        self.gaps: list[str] = []
        self.who = who
        self.since = self.until_then = time.monotonic()  # when it began, and was told something last
        self._latest = latest
        self._known = 0  # up to where the database was read last
        self._reached = asyncio.Event()

    def see(self, told: Told) -> None:
        """The next item. Raises Broken."""
        self.cursor = told.cursor
        self.until_then = time.monotonic()
        if told.gap:
            self.gaps.append(told.gap)
            self.last = self._known = self._latest()
        elif told.data:
            self._see(int(told.data))
        self._reached.set()

    def _see(self, number: int) -> None:
        if number == self.last + 1:
            self.last = number
            self.events += 1
        elif number <= self._known:
            self.again += 1
        else:
            what = "again" if number <= self.last else "and none between them"
            raise Broken(f"{self.who} was told {number} after {self.last}, {what}, and of no gap")

    def twin(self, who: str) -> Record:
        """Another subscriber, who has seen the same."""
        twin = Record(self._latest, who)
        twin.cursor, twin.last, twin._known = self.cursor, self.last, self._known
        return twin

    async def begun(self) -> None:
        """Wait until it follows: what is published from then on, it has to be told."""
        while not self.cursor:
            self._reached.clear()
            await self._reached.wait()

    async def until(self, number: int) -> None:
        """Wait until a number was seen, or was read from the database."""
        while self.last < number:
            self._reached.clear()
            await self._reached.wait()


class Follower(Protocol):
    """Whoever follows a topic.

    Attributes:
        cursor: where to go on; "" at first.
    """

    cursor: str

    def see(self, told: Told) -> None:
        """The next item. Raises Broken."""
        ...


async def follow(
    record: Follower, urls: Callable[[], Sequence[str]], topic: str, reading: asyncio.Event | None = None
) -> None:
    """Follow a topic until cancelled, on the next worker whenever one is lost.

    Parameters:
        record: told of all, and knows where to go on.
        urls: of the workers there are now.
        topic: which.
        reading: whether it reads; None if always.
    """
    for turn in itertools.count():
        with contextlib.suppress(*LOST):
            async with connection(urls(), turn) as api:
                async for told in api.follow(topic, record.cursor):
                    record.see(told)
                    if reading is not None:
                        await reading.wait()
        await asyncio.sleep(0.01)


async def publish(
    urls: Callable[[], Sequence[str]],
    topic: str,
    numbers: Iterable[int],
    write: Callable[[int], None],
    *,
    pause: float = 0.0,
    padding: int = 0,
    patience: float = 10.0,
) -> None:
    """Publish numbers in their order, each again until it is known to be done, under one id.

    Parameters:
        urls: of the workers there are now.
        topic: which.
        numbers: to publish.
        write: told before one is published: the application writes to its database, and publishes then.
        pause: seconds between two.
        padding: characters that each has at least.
        patience: seconds for an answer; then it is tried elsewhere, and may yet be done where it was tried before.
    """
    rest = iter(numbers)
    number = next(rest, None)
    for turn in itertools.count():
        if number is None:
            return
        with contextlib.suppress(*LOST):
            async with connection(urls(), turn) as api:
                while number is not None:
                    write(number)
                    async with asyncio.timeout(patience):
                        await api.publish(topic, f"{number:<{padding}}", f"number {number}")
                    number = next(rest, None)
                    await asyncio.sleep(pause)
        await asyncio.sleep(0.01)


def connection(urls: Sequence[str], turn: int) -> Connecting[RelayStub]:
    """To one of the workers. Raises ConnectionError if there are none."""
    if not urls:
        raise ConnectionError("no worker runs")
    return connect(urls[turn % len(urls)], RelayStub, keepalive=None, open_timeout=5.0, close_timeout=0.5)
