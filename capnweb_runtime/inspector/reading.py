"""Messages in words, and the calls that they are about. Rule: what is shown of a message is what can be understood of
it; nothing that cannot be is shown, since it could be anything.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from capnweb_runtime.core.session import Session
from capnweb_runtime.core.text import fast_loads, loads
from capnweb_runtime.inspector.calls import CallsOfSession, History
from capnweb_runtime.inspector.names import Names
from capnweb_runtime.inspector.schema.inspection import Frame
from capnweb_runtime.inspector.taps import Burst, Cut
from capnweb_runtime.inspector.words import Words

_KIND: Final = re.compile(rb'\s*\[\s*"(\w{1,20})"')
_CALL: Final = re.compile(rb'\["(push|stream)",\["(pipeline|remap)",(-?\d{1,15}),(\[[^\[\]]{0,150}\])')
_ANSWER: Final = re.compile(rb'\["(resolve|reject)",(-?\d{1,15}),')
_COUNTED: Final = frozenset(("push", "stream", "pipe"))


class Frames:
    """The messages that are remembered, of all sessions.

    Parameters:
        most: how many.

    Attributes:
        count: how many there were.
    """

    def __init__(self, most: int) -> None:
        self._frames: deque[Frame] = deque(maxlen=most)
        self.count = 0

    def add(self, frame: Frame) -> None:
        """Remembers one."""
        self.count += 1
        frame.number = self.count
        self._frames.append(frame)

    def since(self, after: int, session: int | None, most: int) -> list[Frame]:
        """Those behind a number, the newest at most; the oldest first."""
        found: list[Frame] = []
        for frame in reversed(self._frames):
            if frame.number <= after or len(found) == most:
                break
            if session is None or frame.session == session:
                found.append(frame)
        return found[::-1]


class Reading:
    """Reads the messages of one session.

    Parameters:
        number: of the session.
        session: the session.
        history: remembers its calls.
        frames: remembers its messages.
        moment: the time of day for a time of the loop's clock, in milliseconds.
    """

    def __init__(
        self, number: int, session: Session, history: History, frames: Frames, moment: Callable[[float], float]
    ) -> None:
        self.number = number
        self._session = session
        self._frames = frames
        self._moment = moment
        self._names = Names(session)
        self._names.thing(True, 0)  # while it is there: a batch may be over before it is read
        self._served = CallsOfSession(number, True, self._names, history)
        self._made = CallsOfSession(number, False, self._names, history)
        self._counted: dict[bool, int | None] = {True: None, False: None}  # by whether the peer counts

    def read(self, burst: Burst) -> None:
        """Reads messages that went together."""
        received = burst.received
        if burst.counted is not None:
            self._counted[received] = burst.counted
        for message in burst.messages:
            self._read(message, received, burst.at)

    def missed(self) -> None:
        """Messages were skipped: what was counted along is good no longer."""
        self._counted = {True: None, False: None}

    def look(self) -> None:
        """Takes note of calls that have ended unseen."""
        if self._session.closed:
            self._served.over()
            self._made.over()
        else:
            self._served.look(self._session._exports)
            self._made.look(self._session._imports)

    def _read(self, message: Any, received: bool, at: float) -> None:
        size, wire = _tree(message)
        kind = wire[0] if type(wire) is list and wire and type(wire[0]) is str else "?"
        number: int | None = None
        if kind in _COUNTED:
            before = self._counted[received]
            if before is not None:
                number = self._counted[received] = before + 1
        elif len(wire) > 1 and type(wire[1]) is int:
            number = wire[1]
        text = "" if wire is _NOTHING else self._about(kind, wire, number, received, at)
        self._frames.add(Frame(0, self.number, self._moment(at), received, kind[:20], number, text, size))

    def _about(self, kind: str, wire: list[Any], number: int | None, received: bool, at: float) -> str:
        """What a message says, in words; what becomes of the call that it is about is noted."""
        words = Words(lambda what, about: self._name(what, about, received))
        calls = self._served if received else self._made
        answered = self._made if received else self._served
        if kind in _COUNTED:
            if number is None:
                return ""
            call = calls.begin(number, kind, wire[1] if len(wire) > 1 else None, at, self._moment(at), words)
            return call.name + (f"({call.arguments})" if call.kind in ("call", "write") else "")
        if kind in ("resolve", "reject") and number is not None and len(wire) > 2:
            return answered.end(number, kind == "reject", wire[2], at, words)
        if kind == "pull" and number is not None:
            calls.asked(number)
            return calls.describe(number)
        if kind == "release" and number is not None:
            name = self._name("import", number, received)
            if number > 0:
                calls.released(number, at)
            return name
        return words.value(wire[1]) if kind == "abort" and len(wire) > 1 else ""

    def _name(self, what: str, number: int, received: bool) -> str:
        """What an expression of a message is about."""
        ours = (what in ("import", "pipeline")) == received
        if number > 0:
            return (self._served if ours else self._made).describe(number)
        return self._names.thing(ours, number).name


def newest(bursts: list[Burst], most: int) -> tuple[list[Burst], int]:
    """The last messages.

    Parameters:
        bursts: the messages, the oldest first.
        most: how many.

    Returns:
        Those messages, and how many there were before.
    """
    kept: list[Burst] = []
    room = most
    for burst in reversed(bursts):
        if room <= 0:
            break
        cut = max(0, len(burst.messages) - room)
        if cut:
            known = None if burst.counted is None else burst.counted + sum(map(_is_counted, burst.messages[:cut]))
            burst = burst._replace(counted=known, messages=burst.messages[cut:])
        kept.append(burst)
        room -= len(burst.messages)
    everything = sum(len(burst.messages) for burst in bursts)
    return kept[::-1], everything - (most - room)


def _is_counted(message: Any) -> bool:
    """Whether both ends count an id for a message."""
    if type(message) is Cut:
        message = message.beginning
    if type(message) is list:
        return bool(message) and message[0] in _COUNTED
    found = _KIND.match(message.encode() if isinstance(message, str) else message)
    return found is not None and found[1].decode() in _COUNTED


_NOTHING: Final[list[Any]] = ["?"]
_LARGE: Final = ["large", 0]
"""Stands for what is too large to be shown."""


def _tree(message: Any) -> tuple[int, list[Any]]:
    """Size and tree of a message; of one that was cut, what its beginning tells."""
    if type(message) is Cut:
        return message.size, _beginning(message.beginning)
    if type(message) is list:
        return 0, message
    try:
        wire = fast_loads(message)
    except ValueError:
        try:
            wire = loads(message)
        except Exception:  # which the session has seen as well
            wire = None
    return len(message), wire if type(wire) is list and wire else _NOTHING


def _beginning(text: bytes) -> list[Any]:
    """What can be told of a message by its beginning: what is called, or answered."""
    if (call := _CALL.match(text)) is not None:
        kind, how, target, path = call.groups()
        try:
            return [kind.decode(), [how.decode(), int(target), fast_loads(path), _LARGE]]
        except ValueError:
            pass
    if (answer := _ANSWER.match(text)) is not None:
        return [answer[1].decode(), int(answer[2]), _LARGE]
    found = _KIND.match(text)
    return ["?" if found is None else found[1].decode()]
