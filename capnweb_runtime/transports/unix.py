"""URLs of sockets that are files of this machine. Rule: the file stands where others have host and port, and behind a
colon what is asked for: ws+unix:///run/app.sock:/rpc.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import quote, unquote

_SCHEMES: Final = frozenset(("ws", "wss", "http", "https"))


class UnixUrl(NamedTuple):
    """What such a URL says.

    Attributes:
        url: what is asked for, as of a server on this machine; its scheme is without the "+unix".
        file: the socket's.
    """

    url: str
    file: str


def unix_url_of(url: str) -> UnixUrl | None:
    """Reads a URL; None if it is another kind.

    Raises:
        ValueError: it names no file, asks for no path, or is that of a batch over TLS, which aiohttp cannot send to a
            file.
    """
    scheme, found, rest = url.partition("+unix://")
    if not found or scheme not in _SCHEMES:
        return None
    if scheme == "https":
        raise ValueError(f"a batch at a file of this machine travels without TLS: use http+unix://{rest}")
    file, _, target = rest.partition(":")
    if not file or (target and not target.startswith("/")):
        raise ValueError(
            f"{url!r} has to name a file, and may name a path behind it, as in {scheme}+unix:///run/app.sock:/rpc"
        )
    return UnixUrl(f"{scheme}://localhost{target or '/'}", unquote(file))


def unix_url(scheme: str, file: str, path: str) -> str:
    """The URL of a server.

    Parameters:
        scheme: "ws", "wss", "http" or "https".
        file: the socket's; a colon in it is escaped.
        path: what is asked for.
    """
    return f"{scheme}+unix://{quote(file)}:{path}"
