"""What the inspector answers. Rule: it reads, and never writes; nothing of a peer's comes out but what is cut and
escaped.
"""

from __future__ import annotations

import hmac
import importlib.metadata
import os
import platform
from asyncio import Lock, sleep
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

from capnweb_runtime.core.target_hooks import TargetHook
from capnweb_runtime.inspector.described import described
from capnweb_runtime.inspector.generated.inspection import DoorTarget, InspectionTarget
from capnweb_runtime.inspector.schema.inspection import (
    About,
    Bound,
    Calls,
    Capability,
    Frames,
    Overview,
    SchemaText,
    SessionRow,
    Sessions,
    Tables,
)
from capnweb_runtime.inspector.settings import Inspector
from capnweb_runtime.inspector.watch import READ_AT_A_TIME, Watch, Watched
from capnweb_runtime.observe import printable
from capnweb_runtime.serving.bounds import ServerStats
from capnweb_runtime.serving.peer import logger

_MOST_ROWS: Final = 200
_MOST_ENTRIES: Final = 500
_MOST_CHANGES: Final = READ_AT_A_TIME
"""Calls or messages in one answer."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server that is inspected.

    Attributes:
        url: its URL.
        path: what it serves; None for every path.
        stats: gives how near its bounds are.
        made: class of main objects, where the factory says it.
    """

    url: str
    path: str | None
    stats: Callable[[], ServerStats]
    made: type | None = None


class Door(DoorTarget):
    """What whoever can connect gets: all that can be done here is to show a token.

    Parameters:
        token: the token.
        settings: how the server is inspected.
        inspection: makes what is behind the door.
    """

    def __init__(self, token: str, settings: Inspector, inspection: Callable[[], InspectionTarget]) -> None:
        self._token = token.encode()
        self._settings = settings
        self._inspection = inspection
        self._turn = Lock()

    async def authenticate(self, token: str) -> InspectionTarget:
        async with self._turn:  # one guess at a time
            if hmac.compare_digest(token.encode("utf-8", "replace"), self._token):
                return self._inspection()
            logger.warning("the inspector was shown a wrong token")
            await sleep(self._settings.wrong_token_delay)
            raise PermissionError(
                "That is not the token of this server; its log has the URL of this page, with the token."
            )


class Inspection(InspectionTarget):
    """What the page sees.

    Parameters:
        settings: how the server is inspected.
        watch: what is known of it.
        server: the server.
    """

    def __init__(self, settings: Inspector, watch: Watch, server: Server) -> None:
        self._settings = settings
        self._watch = watch
        self._server = server

    def about(self) -> About:
        return About(
            url=self._server.url,
            path=self._server.path,
            calls=self._settings.mode == "calls",
            pid=os.getpid(),
            python=platform.python_version(),
            version=_version(),
            started=self._watch.started * 1000,
            now=self._watch.moment(self._watch.now),
            interval=self._settings.interval * 1000,
        )

    def overview(self) -> Overview:
        self._watch.measure()
        stats = self._server.stats()
        bounds = [(one.name, getattr(stats, one.name)) for one in fields(stats)]
        return Overview(
            rates=[*self._watch.rates],
            bounds=[Bound(name, usage.now, usage.most, usage.refused) for name, usage in bounds],
        )

    def sessions(self, text: str, order: str, offset: int, most: int) -> Sessions:
        self._watch.measure()
        wanted = text.casefold()
        found = [
            one for one in self._watch if not wanted or wanted in f"#{one.number} {one.peer} {_main(one)}".casefold()
        ]
        if order == "busiest":
            found.sort(key=lambda one: one.connection.session.calls_received, reverse=True)
        elif order == "largest":
            found.sort(key=lambda one: one.connection.session.held.bytes, reverse=True)
        else:
            found.reverse()
        shown = found[max(0, offset) : max(0, offset) + min(max(0, most), _MOST_ROWS)]
        return Sessions(len(self._watch), len(found), [self._row(one) for one in shown])

    def tables(self, session: int) -> Tables:
        watched = self._watch.find(session)
        if watched is None:
            return Tables(None, [], 0)
        found = watched.connection.capabilities(_MOST_ENTRIES)
        stats = watched.connection.stats()
        rows = [
            Capability(
                direction=one.direction,
                id=one.id,
                kind=one.kind,
                name=printable(one.name),
                member=printable(one.member),
                references=one.references,
                age=None if one.since is None else (self._watch.now - one.since) * 1000,
                place=one.place or "",
            )
            for one in found
        ]
        return Tables(self._row(watched), rows, max(0, stats.imports + stats.exports - len(rows)))

    def calls(self, after: int, session: int | None) -> Calls:
        skipped = self._watch.look(session)
        history = self._watch.history
        return Calls(history.changes, history.since(after, session, _MOST_CHANGES), skipped)

    def frames(self, after: int, session: int | None) -> Frames:
        skipped = self._watch.look(session)
        frames = self._watch.frames
        return Frames(frames.count, frames.since(after, session, _MOST_CHANGES), skipped)

    def schema(self) -> SchemaText:
        mains = [type(target) for one in self._watch if (target := _target(one)) is not None]
        return described([*([] if self._server.made is None else [self._server.made]), *dict.fromkeys(mains)])

    def _row(self, watched: Watched) -> SessionRow:
        session = watched.connection.session
        stats = watched.connection.stats()
        host, port = watched.peer.address or ("", None)
        return SessionRow(
            id=watched.number,
            peer=printable(f"{f'[{host}]' if ':' in host else host}:{port}" if port else host or "unknown"),
            transport=watched.peer.transport,
            main=_main(watched),
            since=self._watch.moment(watched.since),
            received=session.calls_received,
            made=session.calls_made,
            running=stats.calls,
            imports=stats.imports,
            exports=stats.exports,
            queued=watched.connection.queued_bytes,
            round_trip=None if stats.round_trip_time is None else stats.round_trip_time * 1000,
        )


def _target(watched: Watched) -> object | None:
    entry = watched.connection.session._exports.get(0)
    hook = None if entry is None else entry.hook
    return hook.target if isinstance(hook, TargetHook) else None


def _main(watched: Watched) -> str:
    target = _target(watched)
    return "" if target is None else printable(str(getattr(target, "_rpc_interface", type(target).__name__)))


def _version() -> str:
    try:
        return importlib.metadata.version("capnweb-gen")
    except importlib.metadata.PackageNotFoundError:  # it runs from a folder
        return ""
