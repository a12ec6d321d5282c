"""What passes in a session, for a test to look at. Rule: what is recorded is what was called and what was written;
nothing of it is changed.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.core.text import dumps_with
from capnweb_runtime.driving.interceptors import CallInfo
from capnweb_runtime.testing.answers import shown

End = Literal["client", "server"]


@dataclass(slots=True, eq=False)
class RecordedCall:
    """One call that a `Record` has seen.

    Attributes:
        interface: name of the interface that declares the method; "" for a function.
        method: name of the method or property in Python.
        kind: "call"; "get" for a property; "map" for a whole `map()`.
        served: True if the side that records ran the call; False if it made the call.
        arguments: the positional arguments. Stubs among them are disposed when the call ends, unless the target keeps
            them.
        keywords: the arguments by name.
        metadata: texts by name that came beside the call.
        done: whether the call has ended.
        result: the result; None before the call has ended, or if it failed.
        error: the exception with which the call failed; None if it has not.
    """

    interface: str
    method: str
    kind: Literal["call", "get", "map"]
    served: bool
    arguments: Sequence[Any]
    keywords: Mapping[str, Any]
    metadata: Mapping[str, str]
    done: bool = False
    result: Any = None
    error: BaseException | None = None

    @property
    def name(self) -> str:
        """Interface and method, as in "Library.search"; the method alone where there is no interface."""
        return f"{self.interface}.{self.method}" if self.interface else self.method

    def __repr__(self) -> str:
        given = [*map(shown, self.arguments), *(f"{name}={shown(value)}" for name, value in self.keywords.items())]
        asked = self.name if self.kind == "get" else f"{self.name}({', '.join(given)})"
        if not self.done:
            return f"{asked} in progress"
        return f"{asked} -> {shown(self.result)}" if self.error is None else f"{asked} raised {shown(self.error)}"


@dataclass(frozen=True, slots=True)
class WireMessage:
    """One message, as it was on the wire; printed, `->` stands for the client and `<-` for the server.

    Attributes:
        sender: who sent it: "client" or "server".
        text: its JSON text.
    """

    sender: End
    text: str

    @property
    def value(self) -> Any:
        """The message, parsed: a list that begins with its kind, such as "push"."""
        return json.loads(self.text)

    def __str__(self) -> str:
        return f"{'->' if self.sender == 'client' else '<-'} {self.text}"


@dataclass(eq=False)
class Record:
    """The calls and messages of the sessions that it was given to; `record` makes one. It is an interceptor, too: with
    `connect(interceptors=[calls])` or `serve(interceptors=[calls])` it has the calls, and no messages.

    Attributes:
        calls: the calls, in the order in which they began.
        wire: the messages of both ends, in the order in which the side that records wrote and received them.
    """

    calls: list[RecordedCall] = field(default_factory=list)
    wire: list[WireMessage] = field(default_factory=list)
    _stats: list[Callable[[], SessionStats]] = field(default_factory=list)

    def of(self, method: str | Callable[..., Any] | property) -> list[RecordedCall]:
        """Gives the calls of one method, in the order in which they began.

        Parameters:
            method: name of the method, as "search" or "Library.search"; or the method itself, as
                `LibraryTarget.search`, which editors complete.
        """
        name = method if isinstance(method, str) else _name_of(method)
        return [call for call in self.calls if name in (call.method, call.name)]

    @property
    def round_trips(self) -> int:
        """How often the client has had to wait for the server; answers to calls that were sent together count once."""
        return sum(stats().round_trips for stats in self._stats)

    async def __call__(self, call: CallInfo, proceed: Callable[[CallInfo], Awaitable[Any]], /) -> Any:
        """See `Interceptor`."""
        made = RecordedCall(
            call.interface, call.method, call.kind, call.served, call.arguments, call.keywords, dict(call.metadata)
        )
        self.calls.append(made)
        try:
            made.result = await proceed(call)
        except BaseException as error:
            made.error = error
            raise
        finally:
            made.done = True
        return made.result

    def __repr__(self) -> str:
        lines = "".join(f"\n  {call!r}" for call in self.calls)
        return f"<{len(self.calls)} calls, {self.round_trips} round trips>{lines}"

    def _watch(self, stats: Callable[[], SessionStats]) -> None:
        """Counts the round trips of a client."""
        self._stats.append(stats)

    def _of_wire(self, sender: End) -> _WireRecord:
        """What keeps the messages of a session, for the side that is called so."""
        return _WireRecord(self.wire, sender)


def record() -> Record:
    """Makes an empty record of calls and messages, to be filled by the sessions of a test: `pair(target, XStub,
    record=calls)`.
    """
    return Record()


class _WireRecord:
    """Keeps the messages of one side; a `Tap`.

    Parameters:
        wire: where to put them.
        own: what the side is called.
    """

    def __init__(self, wire: list[WireMessage], own: End) -> None:
        self._wire = wire
        self._own: End = own
        self._peer: End = "server" if own == "client" else "client"

    def received(self, messages: list[Any]) -> None:
        """Keeps what has arrived."""
        self._wire.extend(WireMessage(self._peer, _text(message)) for message in messages)

    def sent(self, messages: list[Any]) -> None:
        """Keeps what is written."""
        self._wire.extend(WireMessage(self._own, _text(message)) for message in messages)


def _text(message: Any) -> str:
    if isinstance(message, tuple):  # text, and what is attached to it
        message = message[0]
    if isinstance(message, (bytes, bytearray)):
        return bytes(message).decode("utf-8", "replace")
    return message if isinstance(message, str) else dumps_with(message, repr).decode("utf-8", "replace")


def _name_of(method: Callable[..., Any] | property) -> str:
    function: Any = method.fget if isinstance(method, property) else method
    owner, _, name = function.__qualname__.rpartition(".")
    for part in ("Target", "Stub", "Promise", "Calls"):
        owner = owner.removesuffix(part)
    return f"{owner}.{name}" if owner else name
