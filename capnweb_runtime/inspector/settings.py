"""How a server is to be inspected. Rule: whoever has not been given the token sees nothing, and what could be reached
from elsewhere without a token of one's own does not start.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from capnweb_runtime.serving.hosts import Hosts, is_loopback

Mode: TypeAlias = Literal["watch", "calls"]

SHORTEST_TOKEN: Final = 16
"""Characters of a token of one's own."""
_TOKEN_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Inspector:
    """Settings of the page that shows what goes on in a server: `serve(..., inspector=Inspector(mode="calls"))`.

    Parameters:
        path: path of the page.
        mode: "watch" only shows; "calls" adds a form by which the server can be called, in a session of its own, as by
            any client.
        token: secret that opens the page, of 16 characters or more. None makes one for each process, as
            `Server.inspector_url` shows; a server that others than this machine can reach needs a token of its own.
        hosts: names under which the page may be asked for, beside localhost and IP addresses, to which nobody else's
            name can be made to lead.
        calls: how many calls are remembered; 1 or more.
        frames: how many messages are remembered; 1 or more.
        wrong_token_delay: seconds after which a wrong token is answered; each session waits for its own answer.
        interval: seconds after which the page looks again; more than 0.

    Raises:
        TypeError: `hosts` is a string where several are expected.
        ValueError: `path` does not begin with a slash, or is "/"; `mode` is unknown; the token is too short; `hosts`
            has something that is no name; or a number is out of range.
    """

    path: str = "/inspector"
    mode: Mode = "watch"
    token: str | None = field(default=None, repr=False)
    hosts: Iterable[str] = ()
    calls: int = 1_000
    frames: int = 2_000
    wrong_token_delay: float = 1.0
    interval: float = 0.5

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or self.path == "/":
            raise ValueError(f'the path of the inspector has to be like "/inspector", not {self.path!r}')
        if self.mode not in ("watch", "calls"):
            raise ValueError(f'the mode of the inspector has to be "watch" or "calls", not {self.mode!r}')
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise ValueError(
                f"the token of the inspector has to have {SHORTEST_TOKEN} characters or more, as "
                "secrets.token_urlsafe(24) makes them"
            )
        if isinstance(self.hosts, str):
            raise TypeError(f'hosts takes several, as in hosts=["{self.hosts}"]')
        Hosts(self.hosts)
        for name in ("calls", "frames", "interval"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} of the inspector has to be more than 0")
        if self.wrong_token_delay < 0:
            raise ValueError("wrong_token_delay of the inspector cannot be negative")

    @property
    def socket_path(self) -> str:
        """Where the page's session is."""
        return f"{self.path.rstrip('/')}/session"

    def check_reach(self, addresses: Iterable[str | None]) -> None:
        """Refuses to show a server elsewhere than on this machine with a token that its maker may not know.

        Parameters:
            addresses: where it listens; None is every address, and "" a file.

        Raises:
            ValueError: it listens beyond this machine, and no token was given.
        """
        reachable = [address for address in addresses if address is None or not _is_own(address)]
        if reachable and self.token is None:
            where = reachable[0] or ("every address" if reachable[0] is None else "a socket that is a file")
            raise ValueError(
                f"the inspector of a server that listens on {where} needs a token of its own, since others than this "
                'machine may reach it: Inspector(token=os.environ["INSPECTOR_TOKEN"]); or listen on 127.0.0.1'
            )


def inspector_of(given: object) -> Inspector | None:
    """What the parameter `inspector` of `serve` says.

    Parameters:
        given: False or None, True, "calls", or the settings.

    Raises:
        TypeError: it is anything else.
    """
    if given is None or given is False:
        return None
    if isinstance(given, Inspector):
        return given
    if given is True:
        return Inspector()
    if given == "calls":
        return Inspector(mode="calls")
    raise TypeError(f'inspector has to be True, "calls" or an Inspector(...), not {given!r}')


def token_of(settings: Inspector) -> str:
    """The token that opens the page of a server; one of this process where none was given."""
    return settings.token or secrets.token_urlsafe(_TOKEN_BYTES)


def _is_own(address: str) -> bool:
    return address == "localhost" or is_loopback(address)
