"""Which names a server answers to. Rule: the name that a request asks for is one that the server was told of, or that
nobody else can give it.

A page of any site can have its own name lead to another address once it is loaded, to 127.0.0.1 for one (DNS
rebinding). Its browser then takes the server there for the page's own, and so would a comparison of the Origin and Host
headers. What gives it away is the name. See https://datatracker.ietf.org/doc/html/rfc9110#section-7.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, NamedTuple

from capnweb_runtime.observe import printable
from capnweb_runtime.serving.peer import Peer, Refuse, told_by

_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{1,255})(?::([0-9]{1,5}))?", re.ASCII)


class Authority(NamedTuple):
    """Where a request was sent: a name in lower case, an IPv6 address in brackets, and the port if there is one."""

    name: str
    port: int | None


def authority_of(text: str) -> Authority | None:
    """What a Host header says, or what an origin has behind its scheme; None if it is malformed. A dot at the end of a
    name says nothing.
    """
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None
    name = found[1].lower()
    return Authority(name.removesuffix("."), None if found[2] is None else int(found[2]))


class Hosts:
    """The names that a server answers to.

    Parameters:
        named: such as "example.org", on any port, or "example.org:8080"; "*" is every name, and so is None.
        loopback: whether the names and addresses that are this machine's on every machine are among them.

    Raises:
        ValueError: one is no such name.
    """

    def __init__(self, named: Iterable[str] | None, *, loopback: bool = False) -> None:
        names = None if named is None else list(named)
        self._every = names is None or "*" in names
        self._loopback = loopback
        self._allowed = {_parsed(name) for name in names or () if name != "*"}

    def check(self, peer: Peer) -> None:
        """Refuses a request for another name.

        Raises:
            Refuse: with status 421, Misdirected Request.
        """
        if self._every:
            return
        host = peer.host
        asked = authority_of(host)
        if asked is None or not self._has(asked):
            raise Refuse(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"Host {printable(host, 255) or '(none)'} is none that this server answers to; its {told_by(peer)} can "
                "allow it with hosts=[...].",
            )

    def _has(self, asked: Authority) -> bool:
        if asked in self._allowed or asked._replace(port=None) in self._allowed:
            return True
        return self._loopback and (asked.name == "localhost" or is_loopback(asked.name))


def _parsed(name: str) -> Authority:
    ascii_name = name if name.isascii() else name.encode("idna").decode()
    authority = authority_of(ascii_name)
    if authority is None:
        raise ValueError(f'hosts takes names as in URLs, such as "example.org" or "example.org:8080", not {name!r}')
    return authority


def is_loopback(address: str) -> bool:
    """Whether an address, one of IPv6 in brackets or not, is this machine's on every machine."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
