"""What has begun to arrive and not ended: messages, attachments, heads, bodies. Rule: all together have a bound, at
which whoever has sent the most goes first; and each has to make progress.

Nothing here is asked for a message that arrives whole, and one timer serves all connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from http import HTTPStatus
from typing import Final

from capnweb_runtime.limits import ServerLimits
from capnweb_runtime.serving.refusals import BUSY

ROOM: Final = 16
"""What is freed at a time of bytes that are too many, as a part of the bound: the search takes time, too."""


class Sender:
    """One connection, and what it has begun.

    Parameters:
        all_of_it: that of all connections.

    Attributes:
        unfinished: bytes of what it has begun to send.
        on_end: called with a status and a text when the connection has to go; set by the protocol that has it.
    """

    __slots__ = ("_all", "_ended", "_mark", "_marked", "_waits", "_watched", "on_end", "unfinished")

    def __init__(self, all_of_it: Unfinished) -> None:
        self._all = all_of_it
        self._ended = False
        self._waits = False
        self._watched = False
        self._mark = 0.0  # when its progress was looked at
        self._marked = 0  # bytes that were unfinished then
        self.unfinished = 0
        self.on_end: Callable[[HTTPStatus, str], object] | None = None

    def hold(self, size: int, anew: bool = False) -> None:
        """It has begun something that is not finished.

        Parameters:
            size: bytes of it so far; 0 if all is finished.
            anew: whether something was finished since the last time, so that this is something else.
        """
        before = self.unfinished
        if self._ended or not (size or before):
            return
        self.unfinished = size
        if anew or not before:
            self._mark = asyncio.get_running_loop().time()
            self._marked = 0
        self._all._held(self, size - before)

    def wait(self, waits: bool) -> None:
        """Whether it is this side that does not read on; that time is not counted."""
        self._waits = waits
        if self.unfinished and not waits:
            self._look_from(asyncio.get_running_loop().time())

    def forget(self) -> None:
        """There is no connection any more."""
        self.hold(0)
        self._ended = True
        self.on_end = None

    def end(self, status: HTTPStatus, text: str) -> None:
        """Ends the connection, in a turn of its own."""
        on_end = self.on_end
        self.hold(0)
        self._ended = True
        if on_end is not None:
            asyncio.get_running_loop().call_soon(on_end, status, text)

    def _look_from(self, now: float) -> None:
        self._mark, self._marked = now, self.unfinished

    def _due(self, now: float, seconds: float, growth: float) -> float | None:
        """When its progress is to be looked at; None if it has made too little."""
        if self._mark + seconds <= now:
            if not self._waits and self.unfinished - self._marked < growth:
                return None
            self._look_from(now)
        return self._mark + seconds


class Unfinished:
    """What all connections of a server have begun.

    Parameters:
        limits: the bounds of the server.
        most: how many bytes there may be.
        on_end: told of each connection that is ended, by the name of the bound.

    Attributes:
        bytes: how many there are.
        most: the same.
    """

    def __init__(self, limits: ServerLimits, most: int, on_end: Callable[[str], object]) -> None:
        self._seconds = limits.unfinished_seconds
        self._growth = limits.unfinished_seconds * limits.unfinished_rate
        self._on_end = on_end
        self._senders: set[Sender] = set()
        self._watched: list[tuple[float, int, Sender]] = []  # a heap: each once, by when it is to be looked at
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        self.bytes = 0
        self.most = most

    def __len__(self) -> int:
        return len(self._senders)

    def close(self) -> None:
        """Watches nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _held(self, sender: Sender, more: int) -> None:
        self.bytes += more
        if not sender.unfinished:
            self._senders.discard(sender)
            return
        self._senders.add(sender)
        if not sender._watched:
            sender._watched = True
            self._watch(sender, sender._mark + self._seconds)
        if more > 0 and self.bytes > self.most:
            self._shed()

    def _shed(self) -> None:
        """Ends the connections that hold the most, until there is some room."""
        enough = self.most * (ROOM - 1) // ROOM
        for sender in sorted(self._senders, key=lambda sender: sender.unfinished, reverse=True):
            if self.bytes <= enough:
                break
            self._on_end("unfinished_bytes")
            sender.end(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)

    # ---- one timer for all that is unfinished

    def _watch(self, sender: Sender, when: float) -> None:
        self._number += 1
        heappush(self._watched, (when, self._number, sender))
        if self._timer is None:  # else it is an earlier one: nothing is to be looked at sooner than what is new
            self._set_timer()

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_at(self._watched[0][0], self._look)

    def _look(self) -> None:
        """Looks at the progress of those whose time has come."""
        now = asyncio.get_running_loop().time()
        later: list[tuple[Sender, float]] = []
        while self._watched and self._watched[0][0] <= now:
            sender = heappop(self._watched)[2]
            due = sender._due(now, self._seconds, self._growth) if sender.unfinished else None
            if due is not None:
                later.append((sender, due))
                continue
            sender._watched = False
            if sender.unfinished:
                self._on_end("unfinished_seconds")
                sender.end(
                    HTTPStatus.REQUEST_TIMEOUT, f"What was begun did not go on: {self._seconds} s without progress."
                )
        for sender, due in later:
            self._watch(sender, due)
        self._timer = None
        if self._watched:
            self._set_timer()
