"""Where a server listens. Rule: addresses, sockets that are ready, and a file may stand beside each other."""

from __future__ import annotations

import os
import socket
import ssl as ssl_module
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capnweb_runtime.transports.unix import unix_url

if TYPE_CHECKING:
    from capnweb_runtime.serving.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, as the parameters of `serve` say.

    Attributes:
        hosts: names and addresses; None among them is every address.
        opened: sockets of these that are open already; none if they are to be opened.
    """

    hosts: tuple[str | None, ...]
    port: int
    ssl: ssl_module.SSLContext | None
    certificate: Certificate | None
    shared: bool = False
    sockets: tuple[socket.socket, ...] = ()
    unix: str | None = None
    opened: tuple[socket.socket, ...] = ()


def hosts_of(host: str | Iterable[str] | None) -> tuple[str | None, ...]:
    """The names and addresses that `serve` was given."""
    return (host,) if host is None or isinstance(host, str) else tuple(host)


def sockets_of(sock: socket.socket | Iterable[socket.socket] | None) -> tuple[socket.socket, ...]:
    """The sockets that `serve` was given.

    Raises:
        ValueError: one is not of the kind that listens.
    """
    sockets = () if sock is None else (sock,) if isinstance(sock, socket.socket) else tuple(sock)
    for one in sockets:
        if one.type != socket.SOCK_STREAM:
            raise ValueError(f"sock has to listen for streams (SOCK_STREAM), as for TCP, which {one} cannot")
    return sockets


def check_place(place: Place, port: int | None, *, streams: bool) -> None:
    """Refuses places where nothing would be served, and those that are left open.

    Parameters:
        place: the place.
        port: as `serve` was given it.
        streams: whether anything is served that sockets and files are for.

    Raises:
        TypeError: neither a port, nor a socket, nor a file was given.
        ValueError: there is no address, or what was given is for transports that are not served.
    """
    others = bool(place.sockets) or place.unix is not None
    if port is None and not others:
        raise TypeError('serve() needs a host and a port, as in serve(main, "127.0.0.1", 8080), or sock=, or unix=')
    if port is not None and not place.hosts:
        raise ValueError("host has no address: None listens on every one")
    if others and not streams:
        raise ValueError("sock and unix are for WebSocket and HTTP batches, which transports leaves out")
    if port is None and place.certificate is not None:
        raise ValueError("WebTransport needs a host and a port: it takes UDP, for which sock and unix are not")


def url_of(scheme: str, place: Place, port: int, listening: Iterable[socket.socket], path: str) -> str:
    """A URL of a server.

    Parameters:
        scheme: "ws", "wss", "http" or "https".
        place: where it listens.
        port: the port that it has got.
        listening: its sockets.
        path: what is to be asked for.
    """
    if place.hosts:
        return f"{scheme}://{_authority(place.hosts[0], port)}{path}"
    for one in listening:
        name = one.getsockname()
        if isinstance(name, tuple):
            return f"{scheme}://{_authority(name[0], name[1])}{path}"
        return unix_url(scheme, os.fsdecode(name), path)
    raise AssertionError("a server listens somewhere")


def _authority(host: str | None, port: int) -> str:
    named = {None: "localhost", "": "localhost", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{named}]:{port}" if ":" in str(named) else f"{named}:{port}"
