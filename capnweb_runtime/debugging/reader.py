"""What turns the messages of a session into records: the ids in them resolved to names, secrets left out. Rule: a
message is read in the order in which it is sent or arrives, and none can fail anything.

    reader = MessageReader(connection.session)
    record = reader.received(message)
    print(line(record))
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Literal, NamedTuple

from capnweb_runtime.core.hook import Path, Wire
from capnweb_runtime.core.interface import Method, Property
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.text import estimated_size, loads
from capnweb_runtime.debugging.maps import Mapper
from capnweb_runtime.debugging.places import Place
from capnweb_runtime.debugging.preview import HIDDEN, Preview, error_text
from capnweb_runtime.debugging.records import LONGEST, Record
from capnweb_runtime.debugging.tables import STREAM, Known, Table, exports_of, imports_of, result_of
from capnweb_runtime.debugging.typed import SECRET, Typed
from capnweb_runtime.observe import printable

LARGEST: Final = 256 * 1024
"""Bytes of a message that is read; of a larger one only the size is told."""
MOST_ASKED: Final = 10_000
"""Calls that wait to be shown; more of them belong to nobody any more."""
COUNTED: Final = ("push", "stream", "pipe")
_HEAD: Final = 60
"""Bytes that kind and id of a message take at most."""
_ID: Final = re.compile(rb'\s*\[\s*"\w{1,20}"\s*,\s*(-?\d{1,20})\s*[,\]]')

Direction = Literal["sent", "received"]


class Asked(NamedTuple):
    """A call that is made on this side.

    Attributes:
        member: what is called or read; None if that is not known.
        name: what it is called.
        place: who has asked for it.
        since: when, by the clock of the host.
    """

    member: Method | Property | None
    name: str
    place: Place | None
    since: float


asking: Final[ContextVar[Asked | None]] = ContextVar("capnweb_asking", default=None)
"""The call that is being made, or whose message is being put together."""


class _Way:
    """One direction of a session.

    Attributes:
        ours: what the sender of these messages exports, and what the peer calls of it.
        theirs: the same of the receiver.
        next: the id of the next call.
    """

    def __init__(self, direction: Direction, ours: Table, theirs: Table, next_id: int) -> None:
        self.direction: Direction = direction
        self.ours = ours
        self.theirs = theirs
        self.next = next_id


class MessageReader:
    """Reads the messages of one session, from now on.

    Parameters:
        session: the session.
        main: what is known of the peer's main object.

    Attributes:
        asked: calls that have been made and not been shown, by their ids.
    """

    def __init__(self, session: Session, main: Callable[[], Known] = Known) -> None:
        self.exports, self.imports = exports_of(session), imports_of(session, main)
        waiting = sum(map(_is_counted, session._outbox))
        self._sent = _Way("sent", self.exports, self.imports, session._next_push - waiting)
        self._received = _Way("received", self.imports, self.exports, session._next_call)
        if session.calls_made or session.calls_received:
            self.exports.missed = self.imports.missed = True
        self.asked: dict[int, Asked] = {}

    def sent(self, message: Any) -> Record:
        """Reads a message that this side sends."""
        return self._read(self._sent, message)

    def received(self, message: Any) -> Record:
        """Reads a message that has arrived, before the session takes it."""
        return self._read(self._received, message)

    def note(self, call_id: int, asked: Asked) -> None:
        """Takes note of a call that is made on this side, unless it has been shown already."""
        if call_id < self._sent.next:
            return
        if len(self.asked) >= MOST_ASKED:
            self.asked.clear()
        self.asked[call_id] = asked

    def _read(self, way: _Way, message: Any) -> Record:
        size = 0
        try:
            text, size = _text_and_size(message)
            if size > LARGEST:
                return self._unread(way, text, size)
            return self._record(way, loads(text) if isinstance(text, (bytes, str)) else text, size)
        except Exception as error:  # of what a peer sends, or of what an application has put into the tables
            return Record(way.direction, "", error=printable(type(error).__name__), size=size)

    def _unread(self, way: _Way, text: Any, size: int) -> Record:
        """What is told of a message that is too large to be read."""
        kind = _kind(text)
        found = _ID.match(text[:_HEAD]) if isinstance(text, (bytes, bytearray)) else None
        about = None if found is None else int(found[1])
        name = "" if about is None else way.ours.get(about).name
        if kind in COUNTED:
            about, name, way.next = way.next, "", way.next + 1
            way.theirs.add(about, Known(type=SECRET))
            self.asked.pop(about, None)
        way.ours.missed = True
        return Record(way.direction, kind, about, name, preview="…", size=size)

    def _record(self, way: _Way, wire: Wire, size: int) -> Record:
        kind = wire[0] if type(wire) is list and wire and type(wire[0]) is str else ""
        read = _READERS.get(kind)
        if read is None:
            return Record(way.direction, "", size=size)
        return read(self, way, wire, size)

    # ---- one for each kind

    def _push(self, way: _Way, wire: list[Wire], size: int) -> Record:
        call_id, way.next = way.next, way.next + 1
        asked = self.asked.pop(call_id, None) or asking.get() if way is self._sent else None
        place = None if asked is None else asked.place
        call = wire[1] if len(wire) > 1 else None
        preview = Preview(way.ours, way.theirs, LONGEST)
        if type(call) is list and len(call) > 1 and call[0] in ("pipeline", "remap"):
            known, on = way.theirs.get(call[1]), call[1] if call[1] != 0 else None
            path: Path = tuple(call[2]) if len(call) > 2 and type(call[2]) is list else ()
            if call[0] == "remap":
                made = Mapper(preview, way.theirs, way.ours).show(call, known, path)
                what: Literal["call", "get", "map"] = "map"
                name = known.called(path) or "a value"
            else:
                made, what = self._called(preview, known, path, call, asked)
                name = made.name
            way.theirs.add(call_id, made)
            return Record(way.direction, wire[0], call_id, name, what, on, _text(preview), size=size, place=place)
        preview.value(call)
        way.theirs.add(call_id, Known())
        return Record(way.direction, wire[0], call_id, preview=_text(preview), size=size, place=place)

    def _called(
        self, preview: Preview, known: Known, path: Path, call: list[Wire], asked: Asked | None
    ) -> tuple[Known, Literal["call", "get"]]:
        """What a call or a read stands for; its arguments are shown."""
        member, behind, place = known.member(path)
        name = known.called(path)
        if member is None and asked is not None and asked.member is not None:
            member, behind, name = asked.member, (), asked.name
        made = result_of(name, member, behind, place)
        if len(call) < 4 or type(call[3]) is not list:
            if member is None or (isinstance(member, Method) and not path):  # of a value, or of the result itself
                made = Known(name, known.type.at(path), place=place)
            return made, "get"
        method = member if isinstance(member, Method) and not behind else None
        each = known.type if known.is_stream else Typed(secret=known.type.secret)
        preview.arguments(call[3], method, each)
        if known.type.secret:
            made = Known(name, made.type.with_secrets_of(SECRET), place=place)
        return made, "call"

    def _pipe(self, way: _Way, wire: list[Wire], size: int) -> Record:
        call_id, way.next = way.next, way.next + 1
        way.theirs.add(call_id, Known(STREAM, SECRET, is_stream=True))  # until it is said of what
        return Record(way.direction, "pipe", call_id, STREAM, size=size)

    def _pull(self, way: _Way, wire: list[Wire], size: int) -> Record:
        return Record(way.direction, "pull", wire[1], way.theirs.get(wire[1]).name, size=size)

    def _resolve(self, way: _Way, wire: list[Wire], size: int) -> Record:
        known = way.ours.get(wire[1])
        preview = Preview(way.ours, way.theirs, LONGEST)
        preview.value(wire[2], known.type)
        return Record(way.direction, "resolve", wire[1], known.name, preview=_text(preview), size=size)

    def _reject(self, way: _Way, wire: list[Wire], size: int) -> Record:
        known = way.ours.get(wire[1])
        error = printable(error_text(wire[2]), LONGEST)
        return Record(way.direction, "reject", wire[1], known.name, error=error, size=size)

    def _release(self, way: _Way, wire: list[Wire], size: int) -> Record:
        known = way.theirs.forget(wire[1])
        return Record(way.direction, "release", wire[1], known.name, count=int(wire[2]), size=size)

    def _abort(self, way: _Way, wire: list[Wire], size: int) -> Record:
        error = printable(error_text(wire[1]), LONGEST) if len(wire) > 1 else ""
        return Record(way.direction, "abort", error=error, size=size)


_READERS: Final[dict[str, Callable[[MessageReader, _Way, list[Wire], int], Record]]] = {
    "push": MessageReader._push,
    "stream": MessageReader._push,
    "pipe": MessageReader._pipe,
    "pull": MessageReader._pull,
    "resolve": MessageReader._resolve,
    "reject": MessageReader._reject,
    "release": MessageReader._release,
    "abort": MessageReader._abort,
}


def _text(preview: Preview) -> str:
    return printable(preview.text(), LONGEST + len(HIDDEN))


def _text_and_size(message: Any) -> tuple[Any, int]:
    """The text of a message, or its tree, and its bytes with those that are attached."""
    if isinstance(message, tuple):
        return message[0], sum(map(len, message))
    if isinstance(message, (bytes, bytearray, str)):
        return message, len(message)
    return message, estimated_size(message)


def _kind(text: Any) -> str:
    """The kind of a message that is not read as a whole."""
    if not isinstance(text, (bytes, bytearray, str)):
        return str(text[0]) if isinstance(text, list) and text and text[0] in _READERS else ""
    start = bytes(text[:_HEAD]).decode("utf-8", "replace") if not isinstance(text, str) else text[:_HEAD]
    kind = start.partition('"')[2].partition('"')[0]
    return kind if kind in _READERS else ""


def _is_counted(message: Any) -> bool:
    return _kind(message[0] if isinstance(message, tuple) else message) in COUNTED
