"""Interceptors: what an application puts around the calls of a connection or a server, one around the other. Rule: an
interceptor sees a call once, on the side that makes it or on the side that serves it, and says how it goes on.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from capnweb_runtime.core.carrying import DEADLINE, LONGEST_NAME, LONGEST_VALUE, MOST_ITEMS

if TYPE_CHECKING:
    from capnweb_runtime.core.raises import Raises


@dataclass(slots=True)
class CallInfo:
    """A call, as interceptors see it. What they change of `arguments`, `keywords` and `metadata` before they proceed
    is what goes on.

    Attributes:
        interface: the interface in whose table the method stands; "" for a function, and where no schema says.
        method: the method or property: its name in Python where a table has it, and otherwise on the wire; what is
            read of a value stands behind it, as in "profile.name".
        kind: "call"; "get" for a property; "map" for a mapper function or a plan as a whole, on the side that makes it.
        served: whether this side runs it; otherwise it has made it.
        arguments: positional arguments.
        keywords: arguments by name.
        metadata: texts that travel beside the call, where both ends have agreed on that: those that came with it, or
            are to go with it.
        peer: who is at the other end; None where that is not known.
        deadline: seconds that were left when it began; None if it has no deadline.
        pipelined: whether it is made of a result that was not known when it was.
        mapped: whether a mapper function or a plan makes it, on the side that serves it.
        idempotent: whether it may be repeated though the peer may have run it.
        asked: whether anybody has asked for the result; a call that is made and never asked for is cancelled in the
            end, which says nothing about it.
        session: what the session is called, the same for all of its calls; of no meaning to the other end.
        declared: whether a schema declares the method, or the function; a name that none declares may be anybody's, and
            any number of them may come.
        raises: what the method declares that it may raise; see `expects`.
    """

    interface: str
    method: str
    kind: Literal["call", "get", "map"] = "call"
    served: bool = False
    arguments: Sequence[Any] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    peer: object = None
    deadline: float | None = None
    pipelined: bool = False
    mapped: bool = False
    idempotent: bool = False
    asked: bool = False
    session: str = ""
    declared: bool = False
    raises: Raises | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Interface and method, as messages write them."""
        return f"{self.interface}.{self.method}" if self.interface else self.method

    def expects(self, error: BaseException) -> bool:
        """Whether the schema declares that the method may raise this, so that it is an answer and no failure."""
        return self.raises is not None and self.raises.of(error) is not None

    def carry(self, name: str, value: str) -> bool:
        """Puts a text into `metadata`, in place of the one of that name, if there is room for it.

        Returns:
            Whether there was; a call with more than fits would fail.
        """
        room = name in self.metadata or len(self.metadata) < MOST_ITEMS - 1  # one is the deadline's
        if not room or name == DEADLINE or len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
            return False
        self.metadata[name] = value
        return True


Proceed: TypeAlias = Callable[[CallInfo], Awaitable[Any]]
"""What an interceptor goes on with: passes the call to the next one, or to who makes or runs it; gives its result."""


class Interceptor(Protocol):
    """Is called with every call::

        async def timing(call: CallInfo, proceed: Proceed) -> Any:
            begun = time.perf_counter()
            try:
                return await proceed(call)
            finally:
                print(call.name, time.perf_counter() - begun)

    What it gives or raises is what the caller gets.
    """

    async def __call__(self, call: CallInfo, proceed: Proceed, /) -> Any:
        """Answers a call, with what `await proceed(call)` gives or with something else, or refuses it by raising.

        Parameters:
            call: the call.
            proceed: goes on with it: to the next interceptor, and in the end to the peer or to the method.
        """
        ...


@runtime_checkable
class SeesRefused(Protocol):
    """An interceptor that is also told of what it cannot intercept: calls that fail before anything of them runs."""

    def refused(self, call: CallInfo, error: BaseException, /) -> None:
        """A peer has called what is not there, with arguments that do not fit, or too much at a time. The call fails,
        whatever this does.

        Parameters:
            call: the call, without arguments. Where it is of what no schema declares, it has no interface, and its
                `method` is the peer's text.
            error: what the peer is told.
        """
        ...


def session_name() -> str:
    """What to call a new session: a text that no other session has, of this process or another."""
    return os.urandom(5).hex()


def through(interceptors: Sequence[Interceptor], end: Proceed) -> Proceed:
    """What leads through all of them, the first one outermost, to the end."""
    for interceptor in reversed(interceptors):
        end = _around(interceptor, end)
    return end


def _around(interceptor: Interceptor, proceed: Proceed) -> Proceed:
    return lambda call: interceptor(call, proceed)


def named(label: str, otherwise: str) -> tuple[str, str]:
    """Interface and method of a table's entry.

    Parameters:
        label: what messages call the entry.
        otherwise: the method's name if the label has none, as that of a function.
    """
    interface, dot, method = label.partition(".")
    return (interface, method) if dot else ("", otherwise)
