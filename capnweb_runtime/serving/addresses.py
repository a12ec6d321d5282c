"""Whose connections are counted together. Rule: what one customer of a provider is given is one address: of IPv6, a
network of 64 bits.
"""

from __future__ import annotations

import socket
from typing import TypeAlias

Address: TypeAlias = bytes
"""What connections are counted by."""


def address_of(peername: object, *, every: bool) -> Address | None:
    """The address behind a connection.

    Parameters:
        peername: what the socket says.
        every: whether those of private networks and of this machine count, too. There, all clients of a proxy have
            one.

    Returns:
        None if it is not to be counted, or there is none, as for a socket of this machine alone.
    """
    if not isinstance(peername, tuple) or not peername:
        return None
    host = str(peername[0]).partition("%")[0]
    mapped = host.removeprefix("::ffff:")
    try:
        if "." in mapped and ":" not in mapped:
            address = socket.inet_pton(socket.AF_INET, mapped)
            return address if every or not _is_private(address) else None
        address = socket.inet_pton(socket.AF_INET6, host)
    except OSError:  # no address of the internet's
        return None
    return address[:8] if every or not _is_private_6(address) else None


def _is_private(address: bytes) -> bool:
    # https://www.iana.org/assignments/iana-ipv4-special-registry: this machine, private, shared, link-local.
    first, second = address[0], address[1]
    return (
        first in (10, 127)
        or (first == 172 and 16 <= second < 32)
        or (first == 192 and second == 168)
        or (first == 169 and second == 254)
        or (first == 100 and 64 <= second < 128)
    )


def _is_private_6(address: bytes) -> bool:
    # https://www.iana.org/assignments/iana-ipv6-special-registry: this machine, unique local, link-local.
    return address == bytes(15) + b"\x01" or address[0] & 0xFE == 0xFC or (address[0] == 0xFE and address[1] >> 6 == 2)
