"""What schema files import. Rule: nothing here runs at call time, so that a schema needs neither compiler nor event
loop.

A schema is a module with interfaces: `typing.Protocol` classes, or `InterfaceModel` classes, whose methods take
pydantic models. Both mean the same to the compiler. Wire names are the Python names, unless the module sets `WIRE_CASE
= "camel"`, an interface is decorated with `interface(case=...)`, or one member with `wire_name(...)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, Protocol, TypeVar

from capnweb_runtime.errors import ERROR_TYPES as ERROR_TYPES  # for the compiler: what exceptions arrive as
from capnweb_runtime.values import FORBIDDEN_KEYS as FORBIDDEN_KEYS  # as above: what no field can be called on the wire
from capnweb_runtime.values import Blob, Headers, Request, Response, SturdyRef, Unknown, Url

if TYPE_CHECKING:  # a schema that declares models imports pydantic itself; this module never does
    from pydantic import BaseModel

T = TypeVar("T")
ParametersT = TypeVar("ParametersT", bound="BaseModel | None")
T_contra = TypeVar("T_contra", contravariant=True)
F = TypeVar("F", bound=Callable[..., Any])


def wire_name(name: str) -> Callable[[F], F]:
    """Gives a method or property another name on the wire; below `@property` for a property. Above an exception, the
    type name under which peers see it.

    In an `InterfaceModel` it stands beside the type: `add: Annotated[Method[Add, int], wire_name("addUp")]`.

    Parameters:
        name: the name that peers use.
    """

    def mark(member: F) -> F:
        member.__capnweb_wire_name__ = name  # type: ignore[attr-defined]  # read by the compiler
        return member

    mark.__capnweb_wire_name__ = name  # type: ignore[attr-defined]  # where it stands in Annotated
    return mark


def raises(*errors: type[BaseException]) -> Callable[[F], F]:
    """Declares the exceptions of a method or property; below `@property` for a property.

    Peers get them as what they are: `except NotFound` works on the calling side. Each is a subclass of Exception of
    one's own, or a built-in one. Its annotated attributes travel with it, and so does its message. What else is raised
    arrives as an RpcError. In an `InterfaceModel` it stands beside the type: `Annotated[Method[Get, User],
    raises(NotFound)]`.

    Parameters:
        errors: the classes; an instance of a subclass arrives as the nearest of them. `wire_name` above a class gives
            it another type name on the wire.
    """

    def mark(member: F) -> F:
        above = getattr(member, "__capnweb_raises__", ())
        member.__capnweb_raises__ = (*errors, *above)  # type: ignore[attr-defined]  # read by the compiler
        return member

    mark.__capnweb_raises__ = errors  # type: ignore[attr-defined]  # where it stands in Annotated
    return mark


def idempotent(method: F) -> F:
    """Declares that calling a method twice does what calling it once does: reading, or setting what is given.

    A client that reconnects repeats such a call where the connection was lost before its answer came, and gets what the
    call gave again on the next session; see `docs/reconnect.md`. In an `InterfaceModel` it stands beside the type:
    `get: Annotated[Method[Get, User], idempotent]`.

    Parameters:
        method: the method; for a property it says nothing, since that may be read again anyway.
    """
    method.__capnweb_idempotent__ = True  # type: ignore[attr-defined]  # read by the compiler
    return method


idempotent.__capnweb_idempotent__ = True  # type: ignore[attr-defined]  # where it stands in Annotated


def cancellable(member: F) -> F:
    """Declares that calls of a method may be cancelled: when the result of one was asked for and is given up before it
    is known, or its session is lost, the task of its target is cancelled.

    A result that something else needs, because it is named in another call, or called itself, is not given up. What is
    not declared so runs to its end. In an `InterfaceModel` it stands beside the type:
    `Annotated[Method[Search, list[int]], cancellable]`.

    Parameters:
        member: the method; it must bear being interrupted wherever it awaits something.
    """
    member.__capnweb_cancellable__ = True  # type: ignore[attr-defined]  # read by the compiler
    return member


def cost(n: int = 1, /, *, items: int | None = None) -> Callable[[F], F]:
    """Declares what a call costs, where a server bounds that with `Limits.cost`; below `@property` for a property,
    which costs it when it is read. What does not say so costs 1. In an `InterfaceModel` it stands beside the type:
    `Annotated[Method[Search, list[Hit]], cost(5, items=20)]`.

    Parameters:
        n: units, 1 to 1,000,000, as a literal; what they stand for is the server's to decide.
        items: how many items its list is taken to have where a plan is weighed before it runs: `map()` and `keep()`
            over it then count for so many; as a literal, like `n`. None means that nothing is assumed.
    """

    def mark(member: F) -> F:
        member.__capnweb_cost__ = n, items  # type: ignore[attr-defined]  # read by the compiler
        return member

    mark.__capnweb_cost__ = n, items  # type: ignore[attr-defined]  # where it stands in Annotated
    return mark


def interface(*, case: Literal["camel", "as-written"]) -> Callable[[type[T]], type[T]]:
    """Says how the names of an interface's members are written on the wire.

    Parameters:
        case: "camel" turns get_profile into getProfile; "as-written" leaves names as they are, also where the module
            says otherwise.
    """

    def mark(cls: type[T]) -> type[T]:
        cls.__capnweb_wire_case__ = case  # type: ignore[attr-defined]  # read by the compiler
        return cls

    return mark


def _not_validated(cls: type, source: object, handler: object) -> dict[str, str]:
    """Lets a model that lists parameters name capabilities. Nothing is ever validated with such a model."""
    return {"type": "any"}


class InterfaceModel:
    """Base of interfaces whose members are annotations: each a `Method` or a `Property`.

    A class that fulfils such an interface is generated; this one only describes it and has no instances.
    """

    if not TYPE_CHECKING:
        __get_pydantic_core_schema__ = classmethod(_not_validated)


class Method(Generic[ParametersT, T]):
    """In an `InterfaceModel`: a method, as `Method[Add, int]`.

    The first argument is a pydantic model whose fields are the parameters in order, or None; the second is the result.
    """


class Property(Generic[T]):
    """In an `InterfaceModel`: what can be read, as `Property[float]`."""


class Stub(Protocol):
    """In a schema: any capability, of which nothing more is said."""

    if not TYPE_CHECKING:
        __get_pydantic_core_schema__ = classmethod(_not_validated)


class ByReference:
    """Beside a type in `Annotated`: what is held there is a capability, which pydantic takes as it comes."""

    if not TYPE_CHECKING:
        __get_pydantic_core_schema__ = _not_validated


BY_REFERENCE: Final = ByReference()

Capability = Annotated[T, BY_REFERENCE]
"""In a pydantic model: a field that holds a capability, a function or a stream, as `owner: Capability[UserApi]`.

For type checkers it is the type itself. Pydantic has no way to check a Protocol, so that it is told not to: what can be
held is checked where a model is sent and where it arrives.
"""


class SecretMark:
    """Beside a type in `Annotated`: what is held there is shown by no log of debug mode."""


SECRET: Final = SecretMark()

Secret = Annotated[T, SECRET]
"""A parameter, result, property or field that no log of debug mode shows, as `token: Secret[str]`.

For type checkers, and on the wire, it is the type itself. Whatever is in it is as secret as it is.
"""


class OpenMark:
    """Beside a type in `Annotated`: it may have grown where the peer is."""


OPEN: Final = OpenMark()

Open = Annotated[T | Unknown, OPEN]
"""An enum, a `Literal` or a union to which later versions of the schema may add, as `status: Open[Status]`.

What this version does not know arrives as an `Unknown`, which type checkers ask one to look for, and is sent again as
it came. Without it such a value is refused, as is every other that is not of its type; see `docs/evolution.md`.
"""


@dataclass(frozen=True)
class Microseconds:
    """Beside datetime in `Annotated`: what becomes of microseconds where it is sent, as `Annotated[datetime,
    Microseconds("refuse")]`. Without it they are cut off, as JavaScript does it: what travels is its Date, which has
    whole milliseconds.

    Parameters:
        handling: "round" goes to the nearest millisecond; "refuse" raises a TypeError unless the milliseconds are
            whole; "keep" sends a string in place of a Date, such as "2024-01-31T12:30:00.000001Z".
    """

    handling: Literal["round", "refuse", "keep"]


class Writable(Protocol[T_contra]):
    """In a schema: a stream to write to, whose chunks are of the type given."""

    def write(self, chunk: T_contra) -> None:
        """Takes a chunk."""

    if not TYPE_CHECKING:
        __get_pydantic_core_schema__ = classmethod(_not_validated)


__all__ = [
    "BY_REFERENCE",
    "OPEN",
    "SECRET",
    "Blob",
    "ByReference",
    "Capability",
    "Headers",
    "InterfaceModel",
    "Method",
    "Microseconds",
    "Open",
    "OpenMark",
    "Property",
    "Request",
    "Response",
    "Secret",
    "SecretMark",
    "Stub",
    "SturdyRef",
    "Unknown",
    "Url",
    "Writable",
    "cancellable",
    "cost",
    "idempotent",
    "interface",
    "raises",
    "wire_name",
]
