"""Who holds a name, as its lease says it, and where workers listen. Rule: what comes out of the backplane is read with
care: whoever can reach the engine can write there.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

from capnweb_runtime.serving.hosts import is_loopback

ID: Final = re.compile(r"[0-9a-f]{32}")
PATH: Final = "/cluster"
_SCHEMES: Final = frozenset(("ws", "wss", "ws+unix", "wss+unix"))
_LONGEST_URL: Final = 500


class Key(NamedTuple):
    """What an object is called in all of the cluster.

    Attributes:
        kind: its interface.
        name: its name among those.
    """

    kind: str
    name: str

    @property
    def lease(self) -> str:
        """The name of its lease."""
        return f"own/{self.kind}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Owner:
    """A worker.

    Attributes:
        worker: its id, which no other worker has, nor the same program once it was started again.
        url: where it is reached; empty if it listens nowhere.
    """

    worker: str
    url: str

    def encode(self) -> bytes:
        """What its leases say."""
        return json.dumps({"worker": self.worker, "url": self.url}).encode()

    @classmethod
    def parse(cls, value: bytes) -> Self | None:
        """Reads what `encode` has made; None if it is something else."""
        try:
            said = json.loads(value)
            worker, url = said["worker"], said["url"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not (isinstance(worker, str) and isinstance(url, str) and ID.fullmatch(worker)):
            return None
        if url and (len(url) > _LONGEST_URL or urlsplit(url).scheme not in _SCHEMES):
            return None
        return cls(worker, url)


def new_worker_id() -> str:
    """An id that no other worker has."""
    return secrets.token_hex(16)


class Listen(NamedTuple):
    """Where a worker listens to the others.

    Attributes:
        host: the address; None with `unix`.
        port: 0 means any.
        unix: file of a socket; None with an address.
    """

    host: str | None
    port: int
    unix: str | None

    @property
    def is_local(self) -> bool:
        """Whether nobody on another machine can get there."""
        return self.host is None or self.host == "localhost" or is_loopback(self.host)


def listen_of(text: str) -> Listen:
    """Reads "127.0.0.1:0", "[::1]:4000" or "unix:/run/app/worker-1.sock".

    Raises:
        ValueError: it is none of these.
    """
    kind, colon, file = text.partition(":")
    if kind == "unix" and file:
        return Listen(None, 0, file)
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ValueError(f'listen={text!r} is no address: expected "127.0.0.1:0", "[::1]:4000" or "unix:/run/app.sock"')
    return Listen(host.strip("[]"), int(port), None)


def advertised(text: str | None, listen: Listen) -> Listen | None:
    """What others are told of where to find who listens at an address; None means that address.

    Raises:
        ValueError: it is no such address; or there is none, and they would not find it.
    """
    if text is not None:
        told = listen_of(text)
        if told.host is None or listen.host is None:
            raise ValueError("advertise= is for addresses: a file is advertised by itself")
        return told
    if listen.host in {"0.0.0.0", "::"}:
        raise ValueError(
            f"listen={listen.host}:{listen.port} is every address of this machine, and none that other workers could "
            'connect to: say which with advertise="10.0.0.1:4000"'
        )
    return None


def url_of(told: Listen, port: int, *, secure: bool) -> str:
    """The URL of a worker.

    Parameters:
        told: what others are told; port 0 means the one that it has got.
        port: the one that it has got.
        secure: whether it speaks TLS.
    """
    host = f"[{told.host}]" if ":" in str(told.host) else told.host
    return f"{'wss' if secure else 'ws'}://{host}:{told.port or port}{PATH}"
