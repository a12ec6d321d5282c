"""The bounds of a server as a whole. Rule: what is beyond one is refused, and what is being served goes on.

Each accepted connection is a `Guest` from its first moment to its loss, whatever protocol has it meanwhile. Sessions
are counted in `admission`, calls in `core.budget`, and what is unfinished in `unfinished`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from capnweb_runtime.core.budget import Running
from capnweb_runtime.core.held import HeldTotal
from capnweb_runtime.limits import DEFAULT_LIMITS, DEFAULT_SERVER_LIMITS, ServerLimits
from capnweb_runtime.serving.addresses import Address, address_of
from capnweb_runtime.serving.files import files_in_use, most_files
from capnweb_runtime.serving.refusals import Refusals, Usage
from capnweb_runtime.serving.unfinished import Sender, Unfinished

MOST_CONNECTIONS: Final = 20_000
"""How many connections there may be however many files may be open, unless a server is told otherwise."""
LEAST_PER_ADDRESS: Final = 100
"""How many connections of one address there may be however few there may be in all."""
REFUSED_AT_A_TIME: Final = 16
"""Connections beyond a bound that are listened to until they can be answered; more get their answer at once."""
REFUSED_SECONDS: Final = 5.0
"""How long such a connection is listened to."""


@dataclass(frozen=True, slots=True)
class ServerStats:
    """How near a server is to each bound of its `ServerLimits`: what there is now, what there may be, and how often
    something was refused.

    Attributes:
        connections: open connections.
        connections_per_address: open connections of the address that has the most.
        sessions: sessions that are open or being opened.
        calls: calls that run.
        held_bytes: bytes held for all sessions together; `refused` counts sessions that were ended or refused for it.
        unfinished_bytes: bytes of messages and requests that have come in in part; `refused` counts connections that
            were ended for it.
        unfinished_seconds: connections on which something is unfinished; `refused` counts those that were ended for it.
        reserved_files: files that are open in this process, and how many may be before new connections are refused.
    """

    connections: Usage
    connections_per_address: Usage
    sessions: Usage
    calls: Usage
    held_bytes: Usage
    unfinished_bytes: Usage
    unfinished_seconds: Usage
    reserved_files: Usage


class Runs(Protocol):
    """What runs the calls of a session."""

    running: int


class Guest(Sender):
    """One accepted connection.

    Parameters:
        bounds: of the server that has accepted it.

    Attributes:
        refused: whether all it gets is the answer that the server is busy.
        at_once: whether it gets that without having asked.
        address: what it is counted by; None if by nothing.
    """

    __slots__ = ("_bounds", "_here", "address", "at_once", "refused")

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds.unfinished)
        self._bounds = bounds
        self._here = False
        self.address: Address | None = None
        self.refused = False
        self.at_once = False

    def came(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection, on a socket of its own. Does nothing if that is known."""
        if not self._here:
            socket = transport.get_extra_info("socket")
            self.came_from(transport.get_extra_info("peername"), -1 if socket is None else socket.fileno())

    def came_from(self, peername: object, number: int = -1) -> None:
        """There is a connection. Does nothing if that is known.

        Parameters:
            peername: of the peer, as sockets say it.
            number: of the file that the connection takes; -1 if it takes none.
        """
        if not self._here:
            self._here = True
            self._bounds._came(self, peername, number)

    def left(self) -> None:
        """The connection is lost. Does nothing if that is known."""
        self.forget()
        if self._here:
            self._here = False
            self._bounds._left(self)

    def patience(self, seconds: float) -> float:
        """How long to wait for it, of these many seconds."""
        return min(seconds, REFUSED_SECONDS) if self.refused else seconds


class Bounds:
    """What a server has, and may have.

    Parameters:
        limits: the bounds.
        message_size: of one session, see `Limits`.

    Attributes:
        limits: the same.
        calls: those in progress, for the hosts of all sessions.
        held: what all sessions make this side hold.
        connections: how many are open.
        unfinished: what they have begun.
        on_room: told when a connection is lost.
        is_proxy: says of a peer whether it is one, whose connections are many clients'; None if nobody is.
    """

    def __init__(
        self, limits: ServerLimits = DEFAULT_SERVER_LIMITS, message_size: int = DEFAULT_LIMITS.message_size
    ) -> None:
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
        self._outlived: dict[Address, list[Runs]] = {}
        self.connections = 0
        most = 8 * message_size if limits.unfinished_bytes is None else limits.unfinished_bytes
        self.unfinished = Unfinished(limits, most, self.refuse)
        self.on_room: Callable[[], object] | None = None
        self.is_proxy: Callable[[object], bool] | None = None
        self._refusals = _refusals(self)
        # What all sessions share is made here, and given to each by `Admission.admit`.
        self.held = HeldTotal(limits.held_bytes)
        self.held.on_ended = self._refusals["held_bytes"].add
        self.calls = Running(limits.calls)
        self.calls.on_refused = self._refusals["calls"].add

    def close(self) -> None:
        """Forgets what is watched; nobody is a guest any more."""
        self.unfinished.close()
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
            "held_bytes": (self.held.bytes, self.held.most),
            "unfinished_bytes": (self.unfinished.bytes, self.unfinished.most),
            "unfinished_seconds": (len(self.unfinished), self.most_connections),
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

    def _came(self, guest: Guest, peername: object, number: int) -> None:
        is_proxy = self.is_proxy is not None and self.is_proxy(peername)
        guest.address = None if is_proxy else self.address_of(peername)
        beside = 0 if guest.address is None else self._of_address.get(guest.address, 0)
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


def _refusals(bounds: Bounds) -> dict[str, Refusals]:
    limits = bounds.limits
    refused = "new connections are answered 503"
    return {
        "connections": Refusals("connections", bounds.most_connections, refused),
        "connections_per_address": Refusals("connections_per_address", bounds.most_per_address, refused),
        "sessions": Refusals("sessions", limits.sessions, "new ones are refused with 503"),
        "calls": Refusals("calls", limits.calls, "new ones are rejected"),
        "held_bytes": Refusals("held_bytes", limits.held_bytes, "the sessions that hold most are ended"),
        "unfinished_bytes": Refusals(
            "unfinished_bytes", bounds.unfinished.most, "the connections that have sent the most are ended"
        ),
        "unfinished_seconds": Refusals(
            "unfinished_seconds", limits.unfinished_seconds, "connections that make no progress are ended", " s"
        ),
        "reserved_files": Refusals(
            "reserved_files", limits.reserved_files, "new connections are answered 503, or have to wait"
        ),
    }
