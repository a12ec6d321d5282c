"""Who asks through a proxy. Rule: what a proxy says of its client is believed of those that the server was told to
trust, from the nearest on, up to the first that it was not; what is behind that, anybody can have written.

https://datatracker.ietf.org/doc/html/rfc7239 has the header Forwarded; X-Forwarded-For, -Proto and -Host are older, and
what most proxies send.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple, TypeAlias

from capnweb_runtime.serving.hosts import authority_of
from capnweb_runtime.serving.peer import Peer, PeerHeaders

UNIX: Final = "unix"
"""Among trusted addresses: whoever connects to a socket that is a file."""
_SCHEMES: Final = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_OLDER: Final = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")

Address: TypeAlias = tuple[str, int]


class _Said(NamedTuple):
    """What the headers say, each from the nearest proxy on."""

    addresses: list[str]
    schemes: list[str]
    hosts: list[str]


class Forwarded:
    """The proxies that are believed.

    Parameters:
        trusted: their addresses and networks, and "unix" for those that connect to a file; or how many proxies there
            are, whatever their addresses, if nobody can connect but through them.

    Raises:
        TypeError: it is one string.
        ValueError: one is no address, or there are none.
    """

    def __init__(self, trusted: Iterable[str] | int) -> None:
        if isinstance(trusted, str):
            raise TypeError(f'forwarded takes several, as in forwarded=["{trusted}"]')
        self._hops = trusted if isinstance(trusted, int) else 0
        names = [] if isinstance(trusted, int) else list(trusted)
        if self._hops < 1 and not names:
            raise ValueError('forwarded takes addresses of proxies, as in ["127.0.0.1", "10.0.0.0/8"], or their number')
        self._unix = bool(self._hops) or UNIX in names
        self._networks = [_network(name) for name in names if name != UNIX]

    def trusts(self, peername: object) -> bool:
        """Whether whoever connects from there is believed.

        Parameters:
            peername: what the socket says.
        """
        if not isinstance(peername, tuple) or not peername:
            return self._unix
        return bool(self._hops) or self._is_trusted(str(peername[0]))

    def seen(self, peer: Peer) -> Peer:
        """The client behind whoever has connected.

        Parameters:
            peer: who has; it is returned itself if it is no proxy that is trusted, or says nothing.
        """
        if not self.trusts(peer.address):
            return peer
        said = _said(peer.headers)
        address, distance = self._client(peer.address, said.addresses)
        scheme = _SCHEMES.get(_at(said.schemes, distance).lower(), peer.scheme)
        host = _at(said.hosts, distance)
        return replace(
            peer,
            address=address,
            scheme=scheme,
            host=peer.host if authority_of(host) is None else host,
            certificate=None,
            process=None,
        )

    def _client(self, nearest: Address | None, addresses: list[str]) -> tuple[Address | None, int]:
        """The client's address, None if a proxy does not know it, and how many proxies are before it."""
        if not addresses:
            return nearest, 1
        if self._hops:
            distance = min(self._hops, len(addresses))
            return _address(addresses[distance - 1]), distance
        client = nearest
        for distance, text in enumerate(addresses, 1):
            client = _address(text)
            if client is None or not self._is_trusted(client[0]):
                return client, distance
        return client, len(addresses)

    def _is_trusted(self, host: str) -> bool:
        address = _ip(host)
        return address is not None and any(address in network for network in self._networks)


def _said(headers: PeerHeaders) -> _Said:
    if any(name in headers for name in _OLDER):
        return _Said(*(_items(headers.get(name, "")) for name in _OLDER))
    # A proxy writes no comma and no semicolon in quotes, and what a client may have begun does not get at what follows.
    elements = [_pairs(element) for element in _items(headers.get("Forwarded", ""))]
    return _Said(*([pairs.get(name, "") for pairs in elements] for name in ("for", "proto", "host")))


def _items(text: str) -> list[str]:
    """Items of a header, the last one first."""
    return [item.strip() for item in reversed(text.split(","))] if text else []


def _pairs(element: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in element.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _at(values: list[str], distance: int) -> str:
    """What a proxy at a distance says; where it has replaced what others said, there is less."""
    return values[min(distance, len(values)) - 1] if values else ""


def _address(text: str) -> Address | None:
    """An address with its port, which is 0 if it is not told; None if it is none."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    ip = _ip(host)
    number = int(port) if len(port) <= 5 and port.isascii() and port.isdigit() else 0
    return None if ip is None else (str(ip), number)


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _network(name: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(name, strict=False)
    except ValueError:
        raise ValueError(
            f'forwarded takes addresses and networks, such as "127.0.0.1" or "10.0.0.0/8", and "{UNIX}", not {name!r}'
        ) from None
