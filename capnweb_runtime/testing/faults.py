"""What goes wrong between two ends in one process: a line that is cut, that is slow, that nobody reads. Rule: nothing
here waits for a clock on the wall; what is held back goes on when the test says so, or in the next turns of the loop.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost
from capnweb_runtime.transports.memory import MemoryWire

_TURNS = 50
"""Turns of the loop in which what arrives gets to those who wait for it, and what they do then is sent."""


class Clock:
    """A clock for tests, which stands still until the test puts it forward.

    Attributes:
        now: seconds that it shows; 0 at first.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def call_at(self, when: float, callback: Callable[[], None]) -> None:
        """Has a function called when the clock has come to a time; functions for the same time are called in the order
        in which they were given.

        Parameters:
            when: the time, as of `now`.
            callback: function without parameters.
        """
        heapq.heappush(self._due, (when, next(self._order), callback))

    async def advance(self, seconds: float) -> None:
        """Puts the clock forward. Everything that is due meanwhile happens, in order, before this returns.

        Parameters:
            seconds: how far.
        """
        until = self.now + seconds
        await _turns()  # what has been asked for is sent now, and not later
        while self._due and self._due[0][0] <= until:
            self.now, _, callback = heapq.heappop(self._due)
            callback()
            await _turns()  # what comes of it may be due before the end, too
        self.now = until
        await _turns()


async def _turns() -> None:
    """Lets what happens at a time happen."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class Lane:
    """One direction of the line between the two ends of a `pair`: `Faults.to_server` or `Faults.to_client`. Its faults
    may be changed at any time, and concern the messages that have not arrived yet.

    Parameters:
        faults: the faults that it belongs to.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._queue: deque[tuple[float, int, Callable[[], None]]] = deque()  # when it is due, its bytes, what delivers
        self._held = False
        self._allowed = 0  # messages that pass though it is held
        self._delay = 0.0
        self._left: int | None = None  # bytes that still pass
        self._rate: int | None = None  # bytes of a turn
        self._credit = 0
        self._turn_due = False

    def cut_after(self, size: int) -> None:
        """Cuts the line at the first message that does not fit into a number of bytes; that message is lost.

        Parameters:
            size: bytes that may still arrive; 0 cuts it at the next message.
        """
        self._left = size

    def delay(self, seconds: float) -> None:
        """Delays everything that is sent from now on.

        Parameters:
            seconds: how much later it arrives, on `Faults.clock`, which the test puts forward; 0 ends the delay.
        """
        self._delay = seconds

    def hold(self) -> None:
        """Holds all messages back until `release`, as if the other side did not read."""
        self._held, self._allowed = True, 0

    def release(self, messages: int | None = None) -> None:
        """Lets messages arrive that are held back.

        Parameters:
            messages: how many of them; the others, and later ones, stay held. None lets all arrive, and ends the hold.
        """
        if messages is None:
            self._held = False
        else:
            self._allowed += messages
        self._go_on()

    def slow_reader(self, size: int | None) -> None:
        """Makes the other side read slowly, so that what waits makes the sender hold back.

        Parameters:
            size: bytes that it reads in each iteration of the event loop, 1 or more; None means all that there is.

        Raises:
            ValueError: `size` is less than 1; `hold` is for a side that reads nothing.
        """
        if size is not None and size < 1:
            raise ValueError("a slow reader reads 1 byte a turn at least; hold() is for one that reads none")
        self._rate, self._credit = size, 0
        self._go_on()

    @property
    def waiting(self) -> int:
        """How many messages have been sent and have not arrived yet."""
        return sum(size > 0 for _, size, _ in self._queue)

    def _mend(self) -> None:
        """Everything that has been sent arrives."""
        self._held, self._delay, self._left, self._rate = False, 0.0, None, None
        self._queue = deque((0.0, size, deliver) for _, size, deliver in self._queue)
        self._go_on()

    def _put(self, size: int, deliver: Callable[[], None]) -> None:
        due = self._faults.clock.now + self._delay
        self._queue.append((due, size, deliver))
        if self._delay:
            self._faults.clock.call_at(due, self._go_on)
        else:
            self._go_on()

    def _go_on(self) -> None:
        if not self._turn_due and self._queue:
            self._turn_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        if self._rate is not None:
            self._credit += self._rate
        while self._queue:
            due, size, deliver = self._queue[0]
            if due > self._faults.clock.now or (self._held and not self._allowed):
                return
            if self._rate is not None and size > self._credit:
                self._go_on()
                return
            if self._left is not None and size > self._left:
                self._faults.cut()
                return
            self._queue.popleft()
            self._pass(size)
            deliver()
        self._credit = 0

    def _pass(self, size: int) -> None:
        """Counts a message that arrives."""
        if self._held and size:
            self._allowed -= 1
        if self._left is not None:
            self._left -= size
        if self._rate is not None:
            self._credit -= size


class Faults:
    """Faults of the line between the two ends of a `pair`, for tests: `pair(target, XStub, faults=faults)`. There are
    none until the test asks for some. An instance is good for one pair.

    Attributes:
        clock: the clock by which delayed messages arrive.
        to_server: the direction of what the client sends.
        to_client: the direction of what the server sends.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.to_server = Lane(self)
        self.to_client = Lane(self)
        self._lost: Callable[[BaseException], None] | None = None

    def cut(self) -> None:
        """Cuts the line: messages that have not arrived are lost, and both sessions end with ConnectionLost."""
        for lane in (self.to_server, self.to_client):
            lane._queue.clear()
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(ConnectionLost("the line was cut"))

    def _mend(self) -> None:
        """Everything that has been sent arrives, so that the sessions can end as others do."""
        self.to_server._mend()
        self.to_client._mend()

    def _join(self, client: Connection, server: Connection) -> None:
        """Joins two connections by this line.

        Raises:
            RuntimeError: it joins others already.
        """
        if self._lost is not None:
            raise RuntimeError("these faults are those of another session: make new ones for each pair")
        loop = asyncio.get_running_loop()

        def lost(error: BaseException) -> None:
            client.lost(error)
            server.lost(error)

        self._lost = lost
        client.attach(_FaultyWire(loop, client, server, self.to_server))
        server.attach(_FaultyWire(loop, server, client, self.to_client))


class _FaultyWire(MemoryWire):
    """One direction of a line that is not to be relied upon."""

    def __init__(self, loop: asyncio.AbstractEventLoop, own: Connection, peer: Connection, lane: Lane) -> None:
        super().__init__(loop, own, peer)
        self._lane = lane

    def send(self, messages: list[Any], size: int) -> None:
        for message in messages:
            self._lane._put(len(message), partial(self.deliver, [message], len(message)))

    def send_end(self, reason: BaseException) -> None:
        self._lane._put(0, partial(self.end, reason))
