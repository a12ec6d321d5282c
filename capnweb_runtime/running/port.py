"""A port that processes share. Rule: each has a listening socket of its own there, which outlives it where another
process takes its place, so that nobody who waits in the kernel is lost; the system gives the port to nobody else.

Connections are shared out among the sockets by the system (SO_REUSEPORT): one belongs to one worker for as long as it
lasts.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

ATTEMPTS: Final = 16
"""How often a port is chosen: somebody else may have it at another address."""

Address = tuple[int, int, int, tuple[object, ...]]
"""Family, kind, protocol and address of a socket."""


class SharedPort:
    """A port, kept at some addresses; nobody is accepted here.

    Parameters:
        hosts: the addresses; none if there is no port.
        port: the port; 0 means any.
        held: keeps it.

    Attributes:
        number: the port.

    Raises:
        OSError: somebody else has it, or this machine does not have an address.
    """

    def __init__(self, hosts: Sequence[str], port: int, held: ExitStack) -> None:
        self.number = port
        self._addresses: list[Address] = []
        for left in reversed(range(1 if port else ATTEMPTS)):
            with ExitStack() as kept:
                try:
                    self.number, self._addresses = _keep(hosts, port, kept)
                except OSError as error:
                    if error.errno != errno.EADDRINUSE or not left:
                        raise
                else:
                    held.enter_context(kept.pop_all())
                    return

    def sockets(self) -> list[socket.socket]:
        """New sockets, one at each address. They get connections once somebody listens on them."""
        made: list[socket.socket] = []
        try:
            made.extend(_bound(*address, shared=True) for address in self._addresses)
        except BaseException:
            for one in made:
                one.close()
            raise
        return made


def _keep(hosts: Sequence[str], port: int, held: ExitStack) -> tuple[int, list[Address]]:
    """Takes a port at some addresses. Returns its number, and the addresses with that number."""
    addresses: list[Address] = []
    for host in hosts:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            # One that does not share finds out whether anybody is there, also of those that would share with us.
            with _bound(family, kind, protocol, (address[0], port, *address[2:]), shared=False) as alone:
                port = alone.getsockname()[1]
            at = address[0], port, *address[2:]
            held.enter_context(_bound(family, kind, protocol, at, shared=True))
            addresses.append((family, kind, protocol, at))
    return port, addresses


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...], *, shared: bool) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # as the loop's servers do
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made
