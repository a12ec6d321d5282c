"""One message of a session, as data and as a line. Rule: plain data, in which no secret that the schema knows of is
left, and no text that could forge a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from capnweb_runtime.debugging.places import shown
from capnweb_runtime.observe import printable

LONGEST: Final = 500
"""Characters of arguments, results and errors that are shown."""
_ARROWS: Final = {"sent": "->", "received": "<-"}


@dataclass(frozen=True, slots=True)
class Record:
    """A message.

    Attributes:
        direction: which way it went.
        kind: "push", "pull", "resolve", "reject", "release", "stream", "pipe" or "abort"; "" for what is no message.
        id: what it is about, as this side counts: the call that a push makes, or what is pulled, resolved, released.
        name: what the id stands for: interface and member of a call, interface of an object; "" if that is not known.
        what: of a push or stream, whether it is a "call", a "get" or a "map"; "" for a bare value, and other kinds.
        on: id of what is called, read or mapped over, where it is not the main object; else None.
        preview: arguments, or the result, in part; "***" stands for what is secret.
        error: what a reject or an abort says; else "".
        count: how many references a release gives back; else 0.
        size: bytes of the message, attachments included.
        place: file and line of the application that made the call; None if that is not known, or the peer did.
    """

    direction: Literal["sent", "received"]
    kind: str
    id: int | None = None
    name: str = ""
    what: Literal["call", "get", "map", ""] = ""
    on: int | None = None
    preview: str = ""
    error: str = ""
    count: int = 0
    size: int = 0
    place: tuple[str, int] | None = None


def line(record: Record) -> str:
    """A message for a log, in one line.

    Parameters:
        record: the message.
    """
    arrow = _ARROWS[record.direction]
    if not record.kind:
        return f"{arrow} {record.size} bytes that are no message{': ' if record.error else ''}{record.error}"
    subject = record.kind if record.id is None else f"{record.kind} #{record.id}"
    named = f"{subject} {record.name}".rstrip()
    if record.what == "call":
        text = f"{named}({record.preview})"
    elif record.what == "map":
        text = f"{named}.map({record.preview})"
    elif record.kind in ("push", "stream", "resolve"):
        text = f"{named} = {record.preview}" if record.preview else named
    else:
        text = f"{named}: {record.error}" if record.error else named
    on = "" if record.on is None else f" on #{record.on}"
    count = f" {record.count} times" if record.count > 1 else ""
    place = "" if record.place is None else f" at {printable(shown(record.place))}"
    return f"{arrow} {text}{on}{count}{place}"
