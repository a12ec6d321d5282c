"""The bounds of a server as a whole. Rule: what is beyond one is refused, and what is being served goes on; what is
held by all together and has to shrink begins with whoever holds the most.

Each accepted connection is a `Guest` from its first moment to its loss, whatever protocol has it meanwhile. Sessions
count in `admission`, calls in `core.budget`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from http import HTTPStatus
from typing import Final, Protocol

from capnweb_runtime.core.budget import Running
from capnweb_runtime.limits import DEFAULT_SERVER_LIMITS, ServerLimits
from capnweb_runtime.serving.addresses import Address, address_of
from capnweb_runtime.serving.files import files_in_use, most_files
from capnweb_runtime.serving.refusals import BUSY, Refusals, Usage

MOST_CONNECTIONS: Final = 20_000
"""How many connections there may be however many files may be open, unless a server is told otherwise."""
LEAST_PER_ADDRESS: Final = 100
"""How many connections of one address there may be however few there may be in all."""
REFUSED_AT_A_TIME: Final = 16
"""Connections beyond a bound that are listened to until they can be answered; more get their answer at once."""
REFUSED_SECONDS: Final = 5.0
"""How long such a connection is listened to."""
ROOM: Final = 16
"""What is freed at a time of bytes that are too many, as a part of the bound: the search takes time, too."""


@dataclass(frozen=True, slots=True)
class ServerStats:
    """How near a server is to each of its bounds; see `ServerLimits`.

    Attributes:
        connections: those that are open.
        connections_per_address: those of the address that has the most.
        sessions: those that are open or being opened.
        calls: those that run.
        unfinished_bytes: bytes of what has begun and not ended; `refused` counts connections that were ended.
        unfinished_seconds: connections on which something is unfinished; `refused` counts those that were ended for it.
        reserved_files: files that are open in this process, and how many may be before new connections are refused.
    """

    connections: Usage
    connections_per_address: Usage
    sessions: Usage
    calls: Usage
    unfinished_bytes: Usage
    unfinished_seconds: Usage
    reserved_files: Usage


class Runs(Protocol):
    """What runs the calls of a session."""

    running: int


class Guest:
    """One accepted connection.

    Parameters:
        bounds: of the server that has accepted it.

    Attributes:
        refused: whether all it gets is the answer that the server is busy.
        at_once: whether it gets that without having asked.
        unfinished: bytes of what it has begun to send.
        on_end: called with a status and a text when the connection has to go; set by the protocol that has it.
    """

    __slots__ = (
        *("_bounds", "_ended", "_here", "_mark", "_marked", "_waits", "_watched", "address"),
        *("at_once", "on_end", "refused", "unfinished"),
    )

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._here = False
        self._ended = False
        self._waits = False
        self._watched = False
        self._mark = 0.0  # when its progress was looked at
        self._marked = 0  # bytes that were unfinished then
        self.address: Address | None = None
        self.refused = False
        self.at_once = False
        self.unfinished = 0
        self.on_end: Callable[[HTTPStatus, str], object] | None = None

    def came(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection. Does nothing if that is known."""
        if not self._here:
            self._here = True
            self._bounds._came(self, transport)

    def left(self) -> None:
        """The connection is lost. Does nothing if that is known."""
        self.hold(0)
        self._ended = True
        self.on_end = None
        if self._here:
            self._here = False
            self._bounds._left(self)

    def patience(self, seconds: float) -> float:
        """How long to wait for it, of these many seconds."""
        return min(seconds, REFUSED_SECONDS) if self.refused else seconds

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
        self._bounds._held(self, size - before)

    def wait(self, waits: bool) -> None:
        """Whether it is this side that does not read on; that time is not counted."""
        self._waits = waits
        if self.unfinished and not waits:
            self._look_from(asyncio.get_running_loop().time())

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


class Bounds:
    """What a server has, and may have.

    Parameters:
        limits: the bounds.

    Attributes:
        limits: the same.
        calls: those in progress, for the hosts of all sessions.
        connections: how many are open.
        unfinished: bytes of what they have begun.
        on_room: told when a connection is lost.
    """

    def __init__(self, limits: ServerLimits = DEFAULT_SERVER_LIMITS) -> None:
        self.limits = limits
        self._most_files = most_files(limits.reserved_files)
        self._last_files = (self._most_files + most_files(0)) // 2  # half of those in reserve are for refusals
        self.most_connections = min(self._most_files, MOST_CONNECTIONS)
        if limits.connections is not None:
            self.most_connections = limits.connections
        self.most_per_address = min(max(self.most_connections // 4, LEAST_PER_ADDRESS), self.most_connections)
        if limits.connections_per_address is not None:
            self.most_per_address = limits.connections_per_address
        self._every_address = limits.connections_per_address is not None
        self._of_address: dict[Address, int] = {}
        self._refused = 0  # connections that are listened to only to be refused
        self._unfinished: set[Guest] = set()
        self._watched: list[tuple[float, int, Guest]] = []  # a heap: each guest once, by when it is to be looked at
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._outlived: dict[Address, list[Runs]] = {}
        self.connections = 0
        self.unfinished = 0
        self.on_room: Callable[[], object] | None = None
        self._refusals = _refusals(self)
        self.calls = Running(limits.calls)
        self.calls.on_refused = self._refusals["calls"].add

    def close(self) -> None:
        """Forgets what is watched; nobody is a guest any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for refusals in self._refusals.values():
            refusals.close()

    def refuse(self, bound: str) -> None:
        """Counts something that was refused, by the name of the bound."""
        self._refusals[bound].add()

    def stats(self, sessions: int) -> ServerStats:
        """How near each bound is.

        Parameters:
            sessions: how many there are.
        """
        now = {
            "connections": (self.connections, self.most_connections),
            "connections_per_address": (max(self._of_address.values(), default=0), self.most_per_address),
            "sessions": (sessions, self.limits.sessions),
            "calls": (self.calls.count, self.calls.most),
            "unfinished_bytes": (self.unfinished, self.limits.unfinished_bytes),
            "unfinished_seconds": (len(self._unfinished), self.most_connections),
            "reserved_files": (files_in_use(), self._most_files),
        }
        return ServerStats(**{name: self._refusals[name].usage(*usage) for name, usage in now.items()})

    def files_are_short(self, number: int) -> bool:
        """Whether a new file is among the last that may be open, so that not even refusals can go on.

        Parameters:
            number: of the file.
        """
        return number >= self._last_files

    # ---- calls that outlive their sessions

    def address_of(self, peername: object) -> Address | None:
        """What connections are counted by; None if those of this peer are not."""
        return address_of(peername, every=self._every_address)

    def outlived(self, address: Address | None, host: Runs) -> None:
        """A session has ended; what it has left running counts for its address."""
        if address is not None and host.running:
            self._outlived.setdefault(address, []).append(host)

    def left_running(self, address: Address | None) -> int:
        """Calls that sessions of an address have left running."""
        if address is None or address not in self._outlived:
            return 0
        hosts = [host for host in self._outlived[address] if host.running]
        if hosts:
            self._outlived[address] = hosts
        else:
            del self._outlived[address]
        return sum(host.running for host in hosts)

    # ---- told by guests

    def _came(self, guest: Guest, transport: asyncio.BaseTransport) -> None:
        socket = transport.get_extra_info("socket")
        guest.address = self.address_of(transport.get_extra_info("peername"))
        beside = 0 if guest.address is None else self._of_address.get(guest.address, 0)
        number = -1 if socket is None else socket.fileno()
        if number >= self._most_files:
            bound = "reserved_files"
        elif self.connections >= self.most_connections:
            bound = "connections"
        elif beside >= self.most_per_address:
            bound = "connections_per_address"
        else:
            self.connections += 1
            if guest.address is not None:
                self._of_address[guest.address] = beside + 1
            return
        guest.refused = True
        guest.at_once = self._refused >= REFUSED_AT_A_TIME or self.files_are_short(number)
        self._refused += 1
        self._refusals[bound].add()

    def _left(self, guest: Guest) -> None:
        if guest.refused:
            self._refused -= 1
        else:
            self.connections -= 1
            if guest.address is not None:
                self._of_address[guest.address] -= 1
                if not self._of_address[guest.address]:
                    del self._of_address[guest.address]
        if self.on_room is not None:
            self.on_room()

    def _held(self, guest: Guest, more: int) -> None:
        self.unfinished += more
        if not guest.unfinished:
            self._unfinished.discard(guest)
            return
        self._unfinished.add(guest)
        if not guest._watched:
            guest._watched = True
            self._watch(guest, guest._mark + self.limits.unfinished_seconds)
        if more > 0 and self.unfinished > self.limits.unfinished_bytes:
            self._shed()

    def _shed(self) -> None:
        """Ends the connections that hold the most, until there is some room."""
        enough = self.limits.unfinished_bytes * (ROOM - 1) // ROOM
        for guest in sorted(self._unfinished, key=lambda guest: guest.unfinished, reverse=True):
            if self.unfinished <= enough:
                break
            self._refusals["unfinished_bytes"].add()
            guest.end(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)

    # ---- one timer for all that is unfinished

    def _watch(self, guest: Guest, when: float) -> None:
        self._number += 1
        heappush(self._watched, (when, self._number, guest))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(when, self._look)

    def _look(self) -> None:
        """Looks at the progress of those whose time has come."""
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        seconds, rate = self.limits.unfinished_seconds, self.limits.unfinished_rate
        later: list[tuple[Guest, float]] = []
        while self._watched and self._watched[0][0] <= now:
            guest = heappop(self._watched)[2]
            due = guest._due(now, seconds, seconds * rate) if guest.unfinished else None
            if due is not None:
                later.append((guest, due))
                continue
            guest._watched = False
            if guest.unfinished:
                self._refusals["unfinished_seconds"].add()
                guest.end(HTTPStatus.REQUEST_TIMEOUT, f"What was begun did not go on: {seconds} s without progress.")
        if self._watched:
            self._timer = loop.call_at(self._watched[0][0], self._look)
        for guest, due in later:
            self._watch(guest, due)


def _refusals(bounds: Bounds) -> dict[str, Refusals]:
    limits = bounds.limits
    refused = "new connections are answered 503"
    return {
        "connections": Refusals("connections", bounds.most_connections, refused),
        "connections_per_address": Refusals("connections_per_address", bounds.most_per_address, refused),
        "sessions": Refusals("sessions", limits.sessions, "new ones are refused with 503"),
        "calls": Refusals("calls", limits.calls, "new ones are rejected"),
        "unfinished_bytes": Refusals(
            "unfinished_bytes", limits.unfinished_bytes, "the connections that have sent the most are ended"
        ),
        "unfinished_seconds": Refusals(
            "unfinished_seconds", limits.unfinished_seconds, "connections that make no progress are ended", " s"
        ),
        "reserved_files": Refusals(
            "reserved_files", limits.reserved_files, "new connections are answered 503, or have to wait"
        ),
    }
