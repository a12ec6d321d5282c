"""The inspector of one server: its page, and the sessions of those who look at it. Rule: these are none of the sessions
that the server counts, bounds and shows; whoever asks is on this machine or knows a name that was allowed, and comes
from no other page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.inspector.page import page
from capnweb_runtime.inspector.settings import Inspector, token_of
from capnweb_runtime.inspector.target import Door, Inspection, Server
from capnweb_runtime.inspector.watch import Watch
from capnweb_runtime.limits import Limits, ServerLimits
from capnweb_runtime.observe import Observer, printable
from capnweb_runtime.serving.admission import Admission, Rules
from capnweb_runtime.serving.bounds import Bounds, ServerStats
from capnweb_runtime.serving.ending import Ending
from capnweb_runtime.serving.factory import declared_main
from capnweb_runtime.serving.hosts import Hosts, authority_of
from capnweb_runtime.serving.origin import check_origin
from capnweb_runtime.serving.peer import Peer, Refuse, logger
from capnweb_runtime.serving.replies import Reply

_LIMITS: Final = Limits(
    message_size=64 * 1024, exports=1_000, imports=1_000, calls=100, held_bytes=16 * 1024 * 1024, stream_bytes=64 * 1024
)
"""Of a session of the page, which asks short questions."""
_ROOM: Final = ServerLimits(sessions=20, calls=200, held_bytes=64 * 1024 * 1024)
"""Of all who look at once."""
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Inspecting:
    """The inspector of one server.

    Parameters:
        settings: how it is inspected.
        rules: of the server.
        stats: gives how near its bounds are.
        others: opens its sessions.

    Attributes:
        path: where the sessions of the page are.
        token: what the page has to show.
        watch: what is known of the sessions of the server.
    """

    def __init__(
        self,
        settings: Inspector,
        rules: Rules,
        stats: Callable[[], ServerStats],
        others: Callable[[Peer], Connection | asyncio.Task[Connection]],
    ) -> None:
        self.path = settings.socket_path
        self.token = token_of(settings)
        self.watch = Watch(settings)
        self._others = others
        self._settings = settings
        self._hosts = Hosts(settings.hosts, loopback=True)
        self._server = Server("", rules.path, stats, declared_main(rules.main_factory))
        self._bounds = Bounds(_ROOM, _LIMITS.message_size)
        self._admission = Admission(self._rules(rules), self._bounds)
        self._ending = Ending(self._admission, rules.silence.close_timeout)

    def at(self, server: str, url: str) -> str:
        """The server listens.

        Parameters:
            server: its URL, without a path.
            url: of what it serves.

        Returns:
            URL of the page, with the token, which no server and no log of one sees there.
        """
        self._server = replace(self._server, url=url)
        page = f"{server}{self._settings.path}"
        if self._settings.token is None:  # else whoever needs it has it
            logger.info("inspector at %s#%s", page, self.token)
        else:
            logger.info("inspector at %s", page)
        return f"{page}#{self.token}"

    async def page(self, peer: Peer) -> Reply:
        """The page, for whoever may ask. There is nothing in it that a token would be needed for.

        Raises:
            Refuse: with 403, for another Host or Origin.
        """
        self._check(peer)
        found = page()
        return Reply(HTTPStatus.OK, {**_HEADERS, "Content-Security-Policy": found.policy}, found.body)

    def admit(self, peer: Peer) -> Connection | asyncio.Task[Connection]:
        """Opens a session: one of the page here, and another as the server does; see `Admission.admit`."""
        if peer.path != self.path:
            return self._others(peer)
        self._check(peer)
        return self._admission.admit(peer)

    async def close(self) -> None:
        """The server is closed: nobody looks any more."""
        self._admission.refusing = True
        self.watch.close()
        await self._admission.end_openings()
        self._ending.end_sessions()
        await self._ending.cancel_calls()
        self._bounds.close()

    def _check(self, peer: Peer) -> None:
        try:
            self._hosts.check(peer)
        except Refuse:
            # A page of somebody else's that has its name lead here is known by that name; an address is nobody's.
            if not _is_address(peer.host):
                raise Refuse(
                    HTTPStatus.FORBIDDEN,
                    f"The inspector does not answer to the name {printable(peer.host, 255) or '(none)'}; the serve() "
                    "call can allow it with inspector=Inspector(hosts=[...]).",
                ) from None
        check_origin(peer, None)

    def _rules(self, rules: Rules) -> Rules:
        """Those of the sessions of the page."""
        return Rules(
            main_factory=lambda _: Door(
                self.token, self._settings, lambda: Inspection(self._settings, self.watch, self._server)
            ),
            path=self.path,
            origins=None,
            hosts=Hosts(None),
            limits=_LIMITS,
            observer=_Quiet(),
            request_timeout=rules.request_timeout,
            errors="plain",
            threads=None,
            transports=frozenset(("websocket",)),
            silence=rules.silence,
        )


class _Quiet(Observer):
    """Says nothing of errors that whoever looks is told; what is worth a line of the log, the target says."""

    def target_failed(self, where: str, error: BaseException) -> None:
        logger.debug("%s of the inspector failed: %s", where, printable(str(error)))


def _is_address(host: str) -> bool:
    asked = authority_of(host)
    try:
        return asked is not None and bool(ip_address(asked.name.strip("[]")))
    except ValueError:
        return False
