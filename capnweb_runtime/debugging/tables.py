"""What the ids of a session stand for, followed message by message. Rule: what is on neither table is forgotten.

A reader of messages sees a release after the session has taken the entry off its table, and a call before it has put it
there: hence tables of its own. What objects are exported is looked up in the session's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from capnweb_runtime.core.hook import Path
from capnweb_runtime.core.interface import Method, Property
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.target_hooks import FunctionHook, TargetHook
from capnweb_runtime.debugging.names import LONGEST_NAME, interface_of_target
from capnweb_runtime.debugging.places import Place, place_of
from capnweb_runtime.debugging.typed import SECRET, UNKNOWN, Typed, typed
from capnweb_runtime.observe import printable

MOST_REMEMBERED: Final = 100_000
"""Ids of one table beyond which no more are remembered: more than the session has on its own, unless something is
wrong.
"""


STREAM: Final = "stream"


@dataclass(frozen=True, slots=True)
class Known:
    """What an id stands for.

    Attributes:
        name: interface and member of a call, interface of an object; "" if that is not known.
        type: of the object, or of the call's result.
        members: of the object, by their names on the wire.
        function: how it is called, if it is a function.
        target: the object itself, where it is on this side.
        place: where the method is defined that this side runs.
        is_stream: whether it is one, whose chunks are of the type.
    """

    name: str = ""
    type: Typed = UNKNOWN
    members: Mapping[str, tuple[str, Method | Property]] | None = None
    function: Method | None = None
    target: object = None
    place: Place | None = None
    is_stream: bool = False

    def member(self, path: Path) -> tuple[Method | Property | None, Path, Place | None]:
        """The member that a path leads to, what is behind that, and where it is defined if this side has it."""
        if not path:
            return self.function or self.type.function, (), self.place if self.function else None
        entry = (self.members or self.type.members).get(str(path[0]))
        if entry is None:
            return None, path, None
        place = None if self.target is None else place_of(getattr(type(self.target), entry[0], None))
        return entry[1], path[1:], place

    def called(self, path: Path) -> str:
        """What a path from it is called, by the names that the schema declares."""
        member, rest, _ = self.member(path)
        if member is None:
            parts = (self.type.interface or self.name, *map(str, path))
        elif not path:
            parts = (self.name or member.label,)
        else:
            parts = (member.label, *map(str, rest))
        return printable(".".join(filter(None, parts)), LONGEST_NAME)


class Table:
    """What the ids of one table of a session stand for.

    Parameters:
        live: what the session itself knows of an id, if anything.

    Attributes:
        missed: whether something has been put on it that nobody has looked at: what is not known may be secret then.
    """

    def __init__(self, live: Callable[[int], Known | None]) -> None:
        self._known: dict[int, Known] = {}
        self._live = live
        self.missed = False

    def add(self, wire_id: object, known: Known) -> None:
        """Remembers what an id stands for, unless that is known already."""
        if type(wire_id) is not int or wire_id in self._known:
            return
        if len(self._known) < MOST_REMEMBERED:
            self._known[wire_id] = known
        else:
            self.missed = True

    def is_stream(self, wire_id: object, chunks: Typed) -> None:
        """Remembers of which type the chunks of a stream are."""
        if type(wire_id) is int and wire_id in self._known:
            self._known[wire_id] = Known(STREAM, chunks, is_stream=True)

    def get(self, wire_id: object) -> Known:
        """What an id stands for."""
        if type(wire_id) is not int:
            return Known()
        known = self._known.get(wire_id)
        live = self._live(wire_id) if wire_id <= 0 or known is None else None
        if live is None:
            return known or (Known(type=SECRET) if self.missed else Known())
        return live if known is None else replace(live, type=known.type)

    def forget(self, wire_id: int) -> Known:
        """What an id stood for that is off the table now."""
        known = self.get(wire_id)
        self._known.pop(wire_id, None)
        return known


def exports_of(session: Session) -> Table:
    """The export table: what a session's peer may use."""

    def live(export_id: int) -> Known | None:
        entry = session._exports.get(export_id)
        hook: Any = None if entry is None else entry.hook
        if isinstance(hook, TargetHook):
            return Known(interface_of_target(hook.target), members=hook._members, target=hook.target)
        if isinstance(hook, FunctionHook):
            place = place_of(hook.target)
            return Known(printable(hook._where, LONGEST_NAME), function=hook._method, target=hook.target, place=place)
        return None

    return Table(live)


def imports_of(session: Session, main: Callable[[], Known]) -> Table:
    """The import table: what a session may use of its peer.

    Parameters:
        session: the session.
        main: what is known of the peer's main object.
    """

    def live(import_id: int) -> Known | None:
        if import_id == 0:
            return main()
        entry = session._imports.get(import_id)
        interface = getattr(entry, "interface", None)
        expected = UNKNOWN if entry is None or import_id > 0 else typed(entry.expect)
        name = expected.interface or ("" if interface is None else printable(interface.name, LONGEST_NAME))
        return Known(name, expected) if name else None

    return Table(live)


def result_of(name: str, member: Method | Property | None, behind: Path, place: Place | None = None) -> Known:
    """What a call stands for, by the member that is called or read.

    Parameters:
        name: of the call.
        member: what is called; None if that is not known.
        behind: from its value to the part that is meant.
        place: where it is defined.
    """
    if member is None:
        return Known(name, place=place)
    codec = member.result if isinstance(member, Method) else member.codec
    return Known(name, typed(codec, member.secret).at(behind), place=place)
