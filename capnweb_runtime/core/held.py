"""What a session makes this side hold, in bytes of memory, and what the sessions of a server do together. Rule: counted
as it begins to be held, given back when it no longer is, and never looked up in between.

What the values of a message take follows from what its text is made of, within a factor of two of the truth; the
smallest leaves and the shortest byte strings count for a little more. What an application's result takes is known once
it has been sent, or is weighed a moment later, so that one that is released by then need not be.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Protocol

from capnweb_runtime.core.weight import outside_strings
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.observe import logger

EXPORT: Final = 400
"""Bytes that a call or a capability takes on the export table, with a small result."""
WAITER: Final = 120
"""Bytes that something takes which waits for a promise, beside its entry on the table."""
CALL: Final = 4096
"""Bytes that a call takes which is running: its task, and what that has in its frames."""
IMPORT: Final = 400
"""Bytes that a capability of the peer's takes."""
PROMISE: Final = 500
"""Bytes that a promise in a value takes, until it is asked for."""
SMALL: Final = 256
"""Bytes up to which a value is not counted by itself: its entry on the table counts for it."""
SESSION: Final = 16 * 1024
"""Bytes that a session takes, with nothing on its tables."""
STEP: Final = 64 * 1024
"""Bytes that a session may hold more before it tells the server's total."""
NOTHING: Final = ()
"""In `Payload.counted`: what is held is known, and hardly anything."""
SENT: Final = ("sent",)
"""In `Payload.counted`: it has been sent, and will be released soon, or be weighed."""
SENT_SHORT: Final = ("sent", "short")
"""In `Payload.counted`: the same, and it took few bytes."""
UNWEIGHED: Final = 64
"""Results that may wait to be asked for, which peers do a moment after they call; later they are weighed."""
LINGERING: Final = 256
"""Short results that have been sent and may wait to be released: most are within a few messages, and need not be
weighed.
"""
SHORT: Final = 1024
"""Bytes of text from which on a result is none of these."""
_LIST: Final = 20
_OBJECT: Final = 100
_TWO_QUOTES: Final = 25
_TWO_COMMAS: Final = 29
_ERROR: Final = 350
"""What brackets, braces, quotes, commas and errors in a text stand for, in bytes beyond those of the text. An array is
two brackets, and its list at least 56 bytes; an object 64, and from 184 on with fields; a short string 50, a number
from 8 to 40.
"""
_SUSPICIOUS: Final = 1024 * 1024  # bytes from which what looks like structure may be text
_FOUR_BYTES: Final = bytes(range(0xF0, 0xF8))
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_NARROW: Final = bytes(range(0xC4, 0xF8))
_WEIGHED: Final = 20_000  # nodes that are looked at; more count for as much each
_NODES_PER_UNIT: Final = 4
_DEFAULT_SIZE: Final = 64


class _Result(Protocol):
    """The hook of a result."""

    @property
    def counted(self) -> object:
        """What is known of the bytes that it takes: None if nothing, `SENT` or `SENT_SHORT` if it has been sent."""
        ...

    def weigh(self) -> int:
        """Counts what it takes, if that is not counted yet. Returns units of work."""
        ...


class HeldBytes:
    """Counts the bytes that a session makes this side hold.

    Parameters:
        most: bytes that may be held.
        total: what the sessions of a server hold together, if anybody counts that.

    Attributes:
        bytes: that are held.
        most: the same.
        outbox: bytes of them that wait to be sent.
        unfinished: bytes of them that are parts of messages which have not come whole.
        look_at: bytes from which on there is somebody to be asked.
        told: bytes that the total knows of.
        message: what is being received; bytes that its values take, once somebody has asked for them.
        attached: bytes that came beside it.
        unweighed: results of the application's of which nobody knows what they take, and that nobody has asked for.
        leaving: those that had been sent when they were last looked at, and so should be released soon.
        lingering: those of these that are short, of which some more may wait.
        due: whether there is something to be weighed.
        remind: has `overdue` called in a moment; without it, results that nobody has asked for wait for no time.
        reminded: whether it is about to.
        end: ends the session; the session's.
        ended: whether it has ended.
    """

    __slots__ = (
        *("_total", "attached", "bytes", "end", "ended", "look_at", "message", "most", "outbox", "told"),
        *("due", "leaving", "lingering", "remind", "reminded", "unfinished", "unweighed"),
    )

    def __init__(self, most: int, total: HeldTotal | None = None) -> None:
        self.bytes = self.outbox = self.unfinished = self.told = self.attached = 0
        self.most = most
        self.message: Any = None
        self.unweighed: list[_Result] = []
        self.leaving: list[_Result] = []
        self.lingering: list[_Result] = []
        self.due = self.reminded = self.ended = False
        self.remind: Callable[[HeldBytes], object] | None = None
        self.end: Callable[[LimitExceeded], object] | None = None
        self._total = total
        self.look_at = most
        if total is not None:
            total.join(self)
            self.look_at = min(most, STEP)

    def add(self, size: int) -> None:
        """Counts what is about to be held.

        Parameters:
            size: bytes.

        Raises:
            LimitExceeded: there is no room for it; it is not counted.
        """
        self.bytes += size
        if self.bytes > self.look_at:
            self.look(size)

    def give_back(self, size: int) -> None:
        """Counts bytes as no longer held."""
        self.bytes -= size

    def look(self, size: int) -> None:
        """Asks whether what has been counted may be held: for where calling one function less counts.

        Parameters:
            size: bytes that have been counted last.

        Raises:
            LimitExceeded: they may not; they are not counted any more.
        """
        if self.bytes > self.most:
            self.bytes -= size
            raise self.error()
        if self._total is not None:
            try:
                self._total.tell(self)
            except LimitExceeded:
                self.bytes -= size
                raise
            self.look_at = min(self.most, self.told + STEP)

    def error(self) -> LimitExceeded:
        """What to tell a peer that makes us hold too much."""
        return LimitExceeded(
            f"more than {self.most} bytes are held for the peer, the most that Limits.held_bytes allows: "
            "release calls, and read streams, before sending more"
        )

    def count(self, size: int) -> Counted | None:
        """Counts a value for as long as what is returned lives; None for a small one, which does not count by itself.

        Raises:
            LimitExceeded: there is no room for it.
        """
        return Counted(self, size) if size > SMALL else None

    def of_message(self) -> int:
        """Bytes that the values of the message at hand take; none if there is no message at hand."""
        message = self.message
        if type(message) is not int:
            if message is None:
                return 0
            self.message = message = values_bytes(message) + self.attached
        return message

    def set_outbox(self, size: int) -> None:
        """Counts what waits to be sent. That has a bound of its own, so it is not refused here."""
        self.bytes += size - self.outbox
        self.outbox = size
        if self._total is not None and self.bytes > self.look_at:
            try:
                self._total.tell(self)
            except LimitExceeded as error:
                self._end(error)
            self.look_at = min(self.most, self.told + STEP)

    def set_unfinished(self, size: int) -> None:
        """Counts parts of messages that have not come whole.

        Parameters:
            size: bytes of all of them.

        Raises:
            LimitExceeded: there is no room for them.
        """
        more, self.unfinished = size - self.unfinished, size
        self.bytes += more
        if more > 0 and self.bytes > self.look_at:
            self.look(0)

    def _end(self, error: LimitExceeded) -> None:
        if self.end is not None:
            self.end(error)

    def later(self, result: _Result) -> None:
        """Weighs a result of the application's if it is neither sent and released, nor given up, in a moment."""
        unweighed = self.unweighed
        unweighed.append(result)
        self.due = True
        if len(unweighed) > UNWEIGHED:
            self.weigh(UNWEIGHED // 2)

    def taken(self) -> int:
        """No message is at hand any more: weighs what has come to be held. Returns units of work that it took."""
        self.message = None
        return self.weigh() if self.due else 0

    def overdue(self) -> None:
        """The moment is over: weighs what nobody has asked for in it."""
        self.reminded = False
        self.weigh(0)

    def weigh(self, waiting: int = UNWEIGHED) -> int:
        """Weighs what has come to be held, and is not about to be released. Ends the session if that is too much.

        Parameters:
            waiting: how many results, the newest, may go on waiting to be asked for.

        Returns:
            Units of work that it took.
        """
        unweighed, self.unweighed = self.unweighed, []
        due, self.leaving = self.leaving, []
        self.due = False
        first = len(unweighed) - (waiting if self.remind is not None else 0)
        try:
            for index, result in enumerate(unweighed):
                counted = result.counted
                if counted is SENT_SHORT:
                    self.lingering.append(result)
                elif counted is SENT:
                    self.leaving.append(result)
                elif counted is None:
                    (due if index < first else self.unweighed).append(result)
            if len(self.lingering) > LINGERING:
                due += self.lingering[: LINGERING // 2]
                del self.lingering[: LINGERING // 2]
            work = sum([result.weigh() for result in due])
        except LimitExceeded as error:
            self._end(error)
            return 0
        if self.unweighed or self.leaving:
            self.due = True
            if self.unweighed and not self.reminded and self.remind is not None:
                self.reminded = True
                self.remind(self)
        return work

    def end_out_of_memory(self, when: str) -> None:
        """A MemoryError was raised for the session: it is ended, once.

        Parameters:
            when: what was being done, such as "an answer was made".
        """
        if self.end is not None:
            self.end(out_of_memory(when))

    def leave(self) -> None:
        """The session has ended: what it still holds is on its way out."""
        self.end = self.remind = None
        self.ended = True
        self.unweighed.clear()
        self.leaving.clear()
        self.lingering.clear()
        if self._total is not None:
            self._total.leave(self)
            self._total = None
        self.look_at = self.most


class Counted:
    """Bytes that count as held for as long as this lives: whatever the value is part of has a reference to it.

    Raises:
        LimitExceeded: there is no room for them.
    """

    __slots__ = ("_held", "_size")

    def __init__(self, held: HeldBytes, size: int) -> None:
        self._size = 0
        self._held = held
        held.add(size)
        self._size = size

    def __del__(self) -> None:
        self._held.bytes -= self._size


class HeldTotal:
    """What the sessions of one server hold together. New work is refused where there is no room for it, and the session
    that holds most goes first.

    Parameters:
        most: bytes that may be held.

    Attributes:
        most: the same.
        bytes: that are held, up to some per session.
        on_ended: told whenever a session is ended for it.
    """

    __slots__ = ("_sessions", "bytes", "most", "on_ended")

    def __init__(self, most: int) -> None:
        self.most = most
        self.bytes = 0
        self.on_ended: Callable[[], object] | None = None
        self._sessions: dict[HeldBytes, None] = {}

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    def heaviest(self) -> HeldBytes | None:
        """The account of the session that holds most; None if there is no session."""
        return max(self._sessions, key=lambda held: held.bytes, default=None)

    def join(self, held: HeldBytes) -> None:
        """A session begins."""
        self._sessions[held] = None
        self.bytes += SESSION

    def leave(self, held: HeldBytes) -> None:
        """A session has ended."""
        if held in self._sessions:
            del self._sessions[held]
            self.bytes -= SESSION + held.told

    def tell(self, held: HeldBytes) -> None:
        """Takes note of what a session holds. Where all of them hold too much, the one that holds most is ended.

        Raises:
            LimitExceeded: that is this one.
        """
        self._note(held)
        self._relieve(held)

    def add(self, size: int) -> None:
        """Counts what is held for no session, such as a body that is still coming in; where there is no room for it,
        the session that holds most is ended.

        Parameters:
            size: bytes.

        Raises:
            LimitExceeded: there is no room for it, though every session has been ended; it is not counted.
        """
        self.bytes += size
        self._relieve(None)
        if self.bytes > self.most:
            self.bytes -= size
            raise self.error()

    def give_back(self, size: int) -> None:
        """Counts bytes as no longer held."""
        self.bytes -= size

    def _note(self, held: HeldBytes) -> None:
        self.bytes += held.bytes - held.told
        held.told = held.bytes

    def _relieve(self, asking: HeldBytes | None) -> None:
        if self.bytes <= self.most:
            return
        for held in self._sessions:
            self._note(held)
        while self.bytes > self.most and (heaviest := self.heaviest()) is not None:
            if self.on_ended is not None:
                self.on_ended()
            if heaviest is asking:
                raise self.error()
            end = heaviest.end
            heaviest.leave()
            if end is not None:
                end(self.error())

    def error(self) -> LimitExceeded:
        """What to tell the peer that makes a server hold most."""
        return LimitExceeded(
            f"the sessions of this server hold more than the {self.most} bytes that it allows, and this one holds most"
        )


def out_of_memory(when: str) -> LimitExceeded:
    """What a session ends with for which there was no memory; the log gets a line, and no traceback, which would take
    more.

    Parameters:
        when: what was being done.
    """
    logger.error("out of memory when %s: the session that asked for it has ended", when)
    return LimitExceeded("this side is out of memory: ask for less at a time")


def values_bytes(message: object) -> int:
    """Bytes that the values of a message take, about.

    Parameters:
        message: JSON text, or a tree where the transport carries trees.
    """
    if type(message) is not bytes:
        if not isinstance(message, str):
            return weight(message)[0]
        message = message.encode("utf-8", "surrogatepass")
    strings = message.count(b'"') // 2 * _TWO_QUOTES
    size = _structure_bytes(message)
    if size > _SUSPICIOUS and size > len(message):
        size = sum(_structure_bytes(outside) for outside, _ in outside_strings(message))
    if b'["error"' in message:
        size += message.count(b'["error"') * _ERROR
    is_plain = b"\\" not in message and message.isascii()
    return size + strings + (len(message) if is_plain else _characters_bytes(message))


def _structure_bytes(text: bytes) -> int:
    objects = text.count(b"{") * _OBJECT if b"{" in text else 0
    return objects + text.count(b"[") * _LIST + text.count(b",") * _TWO_COMMAS // 2


def _characters_bytes(text: bytes) -> int:
    """Bytes that a text takes in memory: each of its characters takes as many as the widest of them."""
    width = 1
    if b"\\u" in text:
        surrogates = any(escape in text for escape in (b"\\ud8", b"\\uD8", b"\\ud9", b"\\uD9", b"\\uda", b"\\udb"))
        width = 4 if surrogates or any(escape in text for escape in (b"\\uDA", b"\\uDB", b"\\udA", b"\\udB")) else 2
    if text.isascii():
        return len(text) * width
    without = text.translate(None, _CONTINUATION)
    if width < 4 and len(without.translate(None, _FOUR_BYTES)) < len(without):
        width = 4
    elif width < 2 and len(without.translate(None, _NARROW)) < len(without):
        width = 2
    return len(without) * width


def weight(value: Any) -> tuple[int, int]:
    """Bytes that a value takes, with all that is in it, and how many nodes were looked at. Of very large ones a part is
    looked at.
    """
    size = nodes = 0
    seen: set[int] = set()
    pending = [value]
    while pending and nodes < _WEIGHED:
        node = pending.pop()
        nodes += 1
        if type(node) in _SINGLE:
            size += sys.getsizeof(node)
        elif id(node) not in seen:
            seen.add(id(node))
            size += sys.getsizeof(node, _DEFAULT_SIZE)
            pending += _parts(node)
    return size + len(pending) * (size // nodes), nodes


_SINGLE: Final = frozenset((str, int, float, bool, bytes, bytearray, type(None)))


def _parts(node: Any) -> Any:
    """What is in a value."""
    if isinstance(node, dict):
        return (*node, *node.values())
    if isinstance(node, (list, tuple, set, frozenset)):
        return node
    return [getattr(node, name, None) for name in _attributes(type(node))]  # type: ignore[arg-type]  # a class is hashable


@lru_cache(maxsize=512)  # asked for thousands of values of the same few classes
def _attributes(cls: type) -> tuple[str, ...]:
    """Attributes by which instances of a class have what is in them."""
    slots = vars(cls).get("__slots__", ())
    names = ["__dict__"] if cls.__dictoffset__ else []
    if issubclass(cls, BaseException):
        names.append("args")
    return (*names, *(name for name in ((slots,) if isinstance(slots, str) else slots) if not name.startswith("_")))


def weighed_work(nodes: int) -> int:
    """Units of work that weighing takes."""
    return nodes // _NODES_PER_UNIT
