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
    """Gives a method or property another name on the wire, and an exception another type name.

    It decorates the method; the function below `@property`; or the class of the exception. In an `InterfaceModel` it
    stands beside the type: `add: Annotated[Method[Add, int], wire_name("addUp")]`.

    Parameters:
        name: the name that peers use.

    Returns:
        A decorator, which changes nothing else.
    """

    def mark(member: F) -> F:
        member.__capnweb_wire_name__ = name  # type: ignore[attr-defined]  # read by the compiler
        return member

    mark.__capnweb_wire_name__ = name  # type: ignore[attr-defined]  # where it stands in Annotated
    return mark


def raises(*errors: type[BaseException]) -> Callable[[F], F]:
    """Declares which exceptions a method or property may raise, so that callers catch the class itself: `except
    NotFound` works on the calling side, and the exception has its message and its annotated attributes.

    It decorates the method, or the function below `@property`. In an `InterfaceModel` it stands beside the type:
    `Annotated[Method[Get, User], raises(NotFound)]`. Of other exceptions `serve(errors=...)` decides what callers get.

    Parameters:
        errors: subclasses of Exception, your own or built-in ones. An instance of a subclass of one arrives as the
            nearest that is declared. `wire_name` above a class gives it another type name on the wire.

    Returns:
        A decorator, which changes nothing else.
    """

    def mark(member: F) -> F:
        above = getattr(member, "__capnweb_raises__", ())
        member.__capnweb_raises__ = (*errors, *above)  # type: ignore[attr-defined]  # read by the compiler
        return member

    mark.__capnweb_raises__ = errors  # type: ignore[attr-defined]  # where it stands in Annotated
    return mark


def idempotent(method: F) -> F:
    """Declares that calling a method twice does the same as calling it once, since it only reads, or sets what it is
    given.

    A client with `connect(reconnect=...)` then repeats a call whose connection was lost before the answer came; and
    where the call has returned an object, it calls again on the next session, so that the stub stays usable. See
    `docs/reconnect.md`. In an `InterfaceModel` it stands beside the type: `get: Annotated[Method[Get, User],
    idempotent]`.

    Parameters:
        method: the method. A property needs no such mark: it may always be read again.

    Returns:
        The method, unchanged.
    """
    method.__capnweb_idempotent__ = True  # type: ignore[attr-defined]  # read by the compiler
    return method


idempotent.__capnweb_idempotent__ = True  # type: ignore[attr-defined]  # where it stands in Annotated


def cancellable(member: F) -> F:
    """Declares that a call of a method is cancelled when its caller has asked for the result and gives it up before it
    has come, or when the session is lost. A method without this mark runs to its end.

    A call goes on as long as another call uses its result, as an argument or to call it. In an `InterfaceModel` it
    stands beside the type: `Annotated[Method[Search, list[int]], cancellable]`.

    Parameters:
        member: the method. Wherever its implementation awaits something, a CancelledError may be raised.

    Returns:
        The method, unchanged.
    """
    member.__capnweb_cancellable__ = True  # type: ignore[attr-defined]  # read by the compiler
    return member


def cost(n: int = 1, /, *, items: int | None = None) -> Callable[[F], F]:
    """Declares what a call of a method, or reading a property, costs of the budget that a server gives each session
    with `Limits.cost`. Without this mark it costs 1.

    It decorates the method, or the function below `@property`. In an `InterfaceModel` it stands beside the type:
    `Annotated[Method[Search, list[Hit]], cost(5, items=20)]`.

    Parameters:
        n: units, 1 to 1,000,000, written as a literal. What a unit is, is for the server to decide.
        items: how many items the list that the method returns is taken to have, written as a literal, where a server
            weighs a plan before it runs: `map()` and `keep()` over the list count for so many. None assumes nothing.

    Returns:
        A decorator, which changes nothing else.
    """

    def mark(member: F) -> F:
        member.__capnweb_cost__ = n, items  # type: ignore[attr-defined]  # read by the compiler
        return member

    mark.__capnweb_cost__ = n, items  # type: ignore[attr-defined]  # where it stands in Annotated
    return mark


def interface(*, case: Literal["camel", "as-written"]) -> Callable[[type[T]], type[T]]:
    """Declares how the names of an interface's members are written on the wire.

    Parameters:
        case: "camel" turns get_profile into getProfile; "as-written" leaves names as they are, even if the module has
            `WIRE_CASE = "camel"`.

    Returns:
        A decorator of the interface's class, which changes nothing else.
    """

    def mark(cls: type[T]) -> type[T]:
        cls.__capnweb_wire_case__ = case  # type: ignore[attr-defined]  # read by the compiler
        return cls

    return mark


def _not_validated(cls: type, source: object, handler: object) -> dict[str, str]:
    """Lets a model that lists parameters name capabilities. Nothing is ever validated with such a model."""
    return {"type": "any"}


class InterfaceModel:
    """Base class of interfaces that are declared as a pydantic schema is: each member is an annotation, a `Method` or a
    `Property`. Such a class only describes the interface; it is not instantiated.
    """

    if not TYPE_CHECKING:
        __get_pydantic_core_schema__ = classmethod(_not_validated)


class Method(Generic[ParametersT, T]):
    """Declares a method in an `InterfaceModel`, as `Method[Add, int]`: first a pydantic model whose fields are the
    parameters, in order, or None for a method without parameters; then the type of the result.
    """


class Property(Generic[T]):
    """Declares a property in an `InterfaceModel`, as `Property[float]`: a value that can be read."""


class Stub(Protocol):
    """In a schema, the type of any object, whatever its interface. It arrives as an `AnyStub`."""

    if not TYPE_CHECKING:
        __get_pydantic_core_schema__ = classmethod(_not_validated)


class ByReference:
    """Type of `BY_REFERENCE`, the mark in `Annotated` that `Capability[...]` stands for: the field holds an object, a
    function or a stream, and pydantic takes any value there.
    """

    if not TYPE_CHECKING:
        __get_pydantic_core_schema__ = _not_validated


BY_REFERENCE: Final = ByReference()

Capability = Annotated[T, BY_REFERENCE]
"""Type of a field of a pydantic model that holds an object, a function or a stream: `owner: Capability[UserApi]`.

For type checkers it is the type in brackets. Pydantic could not check a Protocol, and takes any value; what can be held
is checked when a model is sent and when it arrives.
"""


class SecretMark:
    """Type of `SECRET`, the mark in `Annotated` that `Secret[...]` stands for."""


SECRET: Final = SecretMark()

Secret = Annotated[T, SECRET]
"""Type of a parameter, result, property or field that the log of debug mode and the inspector do not show, with all
that is in it: `token: Secret[str]`. For type checkers, and on the wire, it is the type in brackets.
"""


class OpenMark:
    """Type of `OPEN`, the mark in `Annotated` that `Open[...]` stands for."""


OPEN: Final = OpenMark()

Open = Annotated[T | Unknown, OPEN]
"""Type of an enum, a `Literal` or a union to which later versions of the schema may add values: `status: Open[Status]`.

A value that this version does not know arrives as an `Unknown`, which type checkers make one look for, and can be sent
on as it came. Without `Open`, such a value is refused as of the wrong type; see `docs/evolution.md`.
"""


@dataclass(frozen=True)
class Microseconds:
    """Says what becomes of the microseconds of a datetime that is sent: `Annotated[datetime, Microseconds("refuse")]`.
    A datetime travels as JavaScript's Date, which has whole milliseconds; without this mark the rest is cut off.

    Parameters:
        handling: "round" rounds to the nearest millisecond; "refuse" raises a TypeError if the milliseconds are not
            whole; "keep" sends a string in place of a Date, such as "2024-01-31T12:30:00.000001Z".
    """

    handling: Literal["round", "refuse", "keep"]


class Writable(Protocol[T_contra]):
    """In a schema, the type of a stream to write to, with the type of its chunks: `Writable[bytes]`. Whoever passes or
    returns one gives a `WritableTarget`, and whoever receives it gets a `WritableStream`.
    """

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
