"""Interceptors: what an application puts around the calls of a connection or a server, one around the other. Rule: an
interceptor sees a call once, on the side that makes it or on the side that serves it, and says how it goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias


@dataclass(slots=True)
class CallInfo:
    """A call, as interceptors see it. What they change of `arguments`, `keywords` and `metadata` before they proceed
    is what goes on.

    Attributes:
        interface: the interface in whose table the method stands; "" for a function, and where no schema says.
        method: the method or property: its name in Python where a table has it, and otherwise on the wire; what is
            read of a value stands behind it, as in "profile.name".
        kind: "call"; "get" for a property; "map" for a mapper function as a whole, on the side that makes it.
        served: whether this side runs it; otherwise it has made it.
        arguments: positional arguments.
        keywords: arguments by name.
        metadata: texts that travel beside the call, where both ends have agreed on that: those that came with it, or
            are to go with it.
        peer: who is at the other end; None where that is not known.
        deadline: seconds that were left when it began; None if it has no deadline.
        pipelined: whether it is made of a result that was not known when it was.
        mapped: whether a mapper function makes it, on the side that serves it.
        idempotent: whether it may be repeated though the peer may have run it.
        asked: whether anybody has asked for the result; a call that is made and never asked for is cancelled in the
            end, which says nothing about it.
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

    @property
    def name(self) -> str:
        """Interface and method, as messages write them."""
        return f"{self.interface}.{self.method}" if self.interface else self.method


Proceed: TypeAlias = Callable[[CallInfo], Awaitable[Any]]


class Interceptor(Protocol):
    """Is called with every call::

    async def timing(call: CallInfo, proceed: Proceed) -> Any:
        begun = time.perf_counter()
        try:
            return await proceed(call)
        finally:
            print(call.name, time.perf_counter() - begun)
    """

    async def __call__(self, call: CallInfo, proceed: Proceed, /) -> Any:
        """Answers a call, with what `await proceed(call)` gives or with something else, or refuses it by raising.

        Parameters:
            call: the call.
            proceed: goes on with it: to the next interceptor, and in the end to the peer or to the method.
        """
        ...


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
