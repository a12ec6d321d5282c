"""Two sessions joined within one process, for tests. Rule: what one side writes arrives at the other in a later turn of
the loop, in order.

Nothing is shared but bytes, so what works here works over a socket. Each write is delivered as one batch, as from one
read of a socket; the end of a side arrives after everything it wrote.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import wire_message
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.transports.ends import closed_with, code_for

if TYPE_CHECKING:
    from capnweb_runtime.debugging.settings import Debug

HIGH_WATER: Final = 64 * 1024
"""Bytes on their way beyond which the sender holds back, as with a socket."""


class MemoryWire:
    """One direction: the Wire of `own`, which delivers to `peer`.

    Parameters:
        loop: the event loop of both.
        own: who writes.
        peer: who receives.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, own: Connection, peer: Connection) -> None:
        self._loop = loop
        self._own = own
        self._peer = peer
        self._buffered = 0
        self._full = False

    def write(self, messages: list[Any]) -> None:
        size = sum(len(message) for message in messages if isinstance(message, bytes))
        self._buffered += size
        self.send(messages, size)
        if self._buffered > HIGH_WATER and not self._full:
            self._full = True
            self._own.pause_writing()

    def close(self, reason: BaseException) -> None:
        self.send_end(reason)

    def buffered(self) -> int:
        return self._buffered

    def send(self, messages: list[Any], size: int) -> None:
        """Has messages arrive in the loop's next turn.

        Parameters:
            messages: what has been written at a time.
            size: bytes of them.
        """
        self._loop.call_soon(self.deliver, messages, size)

    def send_end(self, reason: BaseException) -> None:
        """Has the end arrive behind all that was sent."""
        self._loop.call_soon(self.end, reason)

    def deliver(self, messages: list[Any], size: int) -> None:
        """Messages arrive."""
        self._buffered -= size
        self._peer.received(messages)
        if self._full and self._buffered == 0:
            self._full = False
            self._own.resume_writing()

    def end(self, reason: BaseException) -> None:
        """The end arrives."""
        self._own.lost(reason)
        told = wire_message(self._own.session.told)
        self._peer.lost(closed_with(code_for(reason))(f"Peer closed the session: {told}"))


def pair(
    main_a: RpcTarget | None = None,
    main_b: RpcTarget | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    encoding: Encoding = "string",
    errors: Disclosure = "plain",
    calls: bool = False,
    debug: Debug = None,
) -> tuple[Connection, Connection]:
    """Joins two sessions on the running loop.

    Parameters:
        main_a: main object of the first, which the second one sees.
        main_b: main object of the second, which the first one sees.
        limits: bounds of both.
        observer: is told of the failures of both.
        encoding: what passes between them; see `Connection`.
        errors: which errors each side sends as they are; see `serve`.
        calls: whether both agree on what calls carry, such as deadlines.
        debug: what is watched of both; see `connect`.

    Returns:
        The two connections; `a.main(XStub)` is the stub of `main_b`.
    """
    a = Connection(main_a, limits=limits, observer=observer, encoding=encoding, errors=errors, debug=debug)
    b = Connection(main_b, limits=limits, observer=observer, encoding=encoding, errors=errors, debug=debug)
    if calls:
        a.session.carry_calls()
        b.session.carry_calls()
    join(a, b)
    return a, b


def join(a: Connection, b: Connection) -> None:
    """Joins two connections that are attached to nothing yet, on the running loop."""
    loop = asyncio.get_running_loop()
    a.attach(MemoryWire(loop, a, b))
    b.attach(MemoryWire(loop, b, a))
