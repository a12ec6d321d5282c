"""What a session holds, entry by entry. Rule: plain data, made when it is asked for; nothing in it keeps anything.

Everything but when and where each came about is known of every session. That is known in debug mode, and of some with
`Sampling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.tables import ExportEntry, ImportEntry, Made
from capnweb_runtime.debugging.names import (
    LONGEST_NAME,
    described,
    interface_of,
    origin_of,
    type_of,
)
from capnweb_runtime.observe import printable

THIS_SIDE: Final = "this side"
"""Who holds what was imported."""


@dataclass(frozen=True, slots=True)
class Capability:
    """One object, function, stream or call of one side that the other side of a session holds: an entry on the
    session's import or export table.

    Attributes:
        direction: "import" where this side holds something of the peer, "export" where the peer holds something of this
            side.
        id: number of the entry, as messages have it: 0 for the main object, negative for other objects and functions,
            positive for calls and streams.
        kind: "main", "object", "function", "stream", or "promise" for a call whose result is awaited or kept.
        name: name of the object's interface, or of the function, or of the type that the call is declared to return; ""
            where that is not known.
        member: interface and method, as in "Library.search": that is called, or in whose arguments or result the object
            travelled; "" where that is not known.
        holder: who holds it: "this side", or the peer as the log names it.
        references: how many references the holder has. An export is counted once for each time that it was sent, until
            the peer releases it.
        since: when the entry was made, in seconds on the clock of `loop.time()`; None where that is not known.
        place: file and line of the program that made it, as in "app.py:12"; None where that is not known. Like `since`,
            it is known in debug mode, and of some entries with `Sampling`.
    """

    direction: Literal["import", "export"]
    id: int
    kind: Literal["main", "object", "function", "stream", "promise"]
    name: str
    member: str
    holder: str
    references: int
    since: float | None
    place: str | None

    def __str__(self) -> str:
        what = f"{self.direction} {self.id}: {self.kind}"
        name = f" {self.name}" if self.name else ""
        member = f" of {self.member}" if self.member else ""
        place = f", made at {self.place}" if self.place else ""
        return f"{what}{name}{member}, {self.references} held by {self.holder}{place}"


def capabilities_of(session: Session, peer: str, main: str = "", most: int | None = None) -> tuple[Capability, ...]:
    """What both sides hold of each other, imports first, the oldest of each first.

    Parameters:
        session: the session; once it has ended, nothing is held.
        peer: who is at the other end.
        main: interface of the peer's main object, if that is known.
        most: how many of each to look at; None means all, which `Limits.imports` and `Limits.exports` bound.
    """
    return (*_imports(session, main, most), *_exports(session, peer, most))


def _imports(session: Session, main: str, most: int | None) -> Iterator[Capability]:
    for import_id, entry in islice(session._imports.items(), most):
        made: Made | None = getattr(entry, "made", None)
        kind, name = _imported(entry, made, main)
        member = "" if made is None else made.member
        since, place = _when_and_where(made)
        yield Capability("import", import_id, kind, name, member, THIS_SIDE, entry.local_refs, since, place)


def _imported(entry: ImportEntry, made: Made | None, main: str) -> tuple[Any, str]:
    if entry.import_id == 0:
        return "main", main
    if entry.import_id > 0 or entry.waiting is not None:
        return "promise", "" if entry.expect is None else type_of(entry.expect)
    interface = getattr(entry, "interface", None)
    told = "" if interface is None else printable(interface.name, LONGEST_NAME)
    return "object", told or ("" if made is None else made.what) or interface_of(entry.expect)


def _exports(session: Session, peer: str, most: int | None) -> Iterator[Capability]:
    for export_id, entry in islice(session._exports.items(), most):
        if export_id == 0 and isinstance(entry.hook, ErrorHook):  # there is no main object
            continue
        made: Made | None = getattr(entry, "made", None)
        kind, name, member = _exported(export_id, entry, made)
        since, place = _when_and_where(made)
        yield Capability("export", export_id, kind, name, member, peer, entry.refcount, since, place)


def _exported(export_id: int, entry: ExportEntry, made: Made | None) -> tuple[Any, str, str]:
    member = "" if made is None else made.member
    kind, name = described(entry.hook)
    if export_id > 0 and kind != "stream":  # a call, whatever it has come to
        return "promise", name or ("" if made is None else made.what), member or origin_of(entry.hook)
    return "main" if export_id == 0 else kind, name or ("" if made is None else made.what), member


def _when_and_where(made: Made | None) -> tuple[float | None, str | None]:
    if made is None:
        return None, None
    return made.since, None if made.place is None else "{}:{}".format(*made.place)
