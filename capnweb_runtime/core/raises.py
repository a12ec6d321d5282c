"""Exceptions that an interface declares: how they travel, and how the very class comes out at the other end.

Rule: a peer can make this side construct declared classes only, and without any code of theirs being run. An instance
that arrives is made without calling `__init__`: its `args` are the message, and each declared attribute is set to what
its codec has accepted. What does not fit arrives as the RpcError that it would have been, with a note that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING
from types import SimpleNamespace
from typing import Any, Final

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.devaluate import DECLARATION
from capnweb_runtime.core.hook import Exporter, Payload, PromiseRef, Wire
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import decode_payload
from capnweb_runtime.errors import ERROR_TYPES, NOT_OURS, RpcError, as_answer, wire_message
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.values import UNDEFINED

MESSAGE: Final = "message"
ERROR_NAME: Final = "errorName"
"""Property that says the type name once more: npm peers keep, as of 0.12, only names that JavaScript has."""
_NOWHERE: Final[Any] = SimpleNamespace(limits=DEFAULT_LIMITS, account=Account(DEFAULT_LIMITS))
"""Host of what is decoded here: fields of errors are data, for which nothing has to run."""


class ErrorField:
    """An attribute of an exception that travels.

    Attributes:
        name: as Python calls it.
        wire: on the wire; "message" is the text of the error.
        codec: how it travels.
        required: whether the class has no default for it.
    """

    __slots__ = ("codec", "name", "required", "wire")

    def __init__(self, name: str, codec: TypeCodec, wire: str | None = None, required: bool = True) -> None:
        self.name = name
        self.wire = name if wire is None else wire
        self.codec = codec
        self.required = required


class DeclaredError:
    """An exception class that a method may raise.

    Attributes:
        cls: the class.
        wire: its type name on the wire.
        fields: what travels of it beside the message.
    """

    __slots__ = ("_base", "_text", "cls", "fields", "wire")

    def __init__(self, cls: type[Exception], wire: str, fields: Sequence[ErrorField] = ()) -> None:
        self.cls = cls
        self.wire = wire
        self.fields = tuple(field for field in fields if field.wire != MESSAGE)
        self._text = next((field.name for field in fields if field.wire == MESSAGE), None)
        self._base: Any = next(base for base in cls.__mro__ if base.__module__ == "builtins")

    def encode(self, error: BaseException, to: Exporter) -> tuple[str, str, dict[str, Wire]]:
        """Type name, message and properties of an exception that travels as this, its type name among them. A property
        that cannot travel is left out, and reported.
        """
        text = wire_message(error) if self._text is None else _read(error, self._text)
        props: dict[str, Wire] = {}
        for field in self.fields:
            try:
                props[field.wire] = field.codec.encode(getattr(error, field.name), to)
            except Mismatch as mismatch:
                to.host.report(f"{self.cls.__name__}.{field.name}", mismatch.error("value"))
            except NOT_OURS:
                raise
            except BaseException as failure:  # it was never set, or has no wire form
                if field.required or not isinstance(failure, AttributeError):
                    to.host.report(f"{self.cls.__name__}.{field.name}", as_answer(failure))
        props.setdefault(ERROR_NAME, self.wire)
        return self.wire, text if isinstance(text, str) else wire_message(error), props

    def made_from(self, error: RpcError) -> Exception:
        """An instance of the class. Raises Mismatch where a property is missing, or is not of its type."""
        rest = dict(error.props)
        values: dict[str, Any] = {} if self._text is None else {self._text: error.message}
        for field in self.fields:
            value = rest.pop(field.wire, UNDEFINED)
            if value is not UNDEFINED:
                try:
                    values[field.name] = _typed(value, field.codec)
                except Mismatch as mismatch:
                    raise mismatch.inside(field.wire) from None
            elif field.required:
                raise Mismatch(field.codec.label, "nothing").inside(field.wire)
            else:
                values.update(_default(self.cls, field.name))
        values["args"] = (error.message,)
        rest.pop(ERROR_NAME, None)  # this is an instance of the class that it names
        if rest:
            values["props"] = rest
        if error.__cause__ is not None:
            values["__cause__"] = error.__cause__
        made = self._base.__new__(self.cls, error.message)
        for name, value in values.items():
            object.__setattr__(made, name, value)  # also of a frozen dataclass
        return made  # type: ignore[no-any-return]  # an instance of cls, made by the __new__ of a built-in base


class Raises:
    """The exceptions that a method, or what leads to it, may raise.

    Parameters:
        declared: them, the first of one wire name counts.
    """

    __slots__ = ("_by_class", "_by_wire", "_joined")

    def __init__(self, declared: Sequence[DeclaredError]) -> None:
        self._by_class = {one.cls: one for one in reversed(declared)}
        self._by_wire = {one.wire: one for one in reversed(declared)}
        self._joined: dict[Raises, Raises] = {}

    def received(self, error: BaseException) -> BaseException:
        """What an error that came in is for whoever waits: an instance of the declared class, if there is one."""
        declared = self._by_wire.get(error.name) if type(error) is RpcError else None
        if declared is None or declared.wire in ERROR_TYPES or not isinstance(error, RpcError):
            return error
        try:
            return declared.made_from(error)
        except Mismatch as mismatch:
            reason = str(mismatch.error(declared.wire))
        except NOT_OURS:
            raise
        except BaseException as failure:  # of a default that the application makes, say
            reason = f"{type(failure).__name__}: {wire_message(failure)}"
        note = f"This is no {declared.cls.__qualname__}, though it has its name: {reason}"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        return error

    def of(self, error: BaseException) -> DeclaredError | None:
        """As what an exception travels that a target has raised: as the nearest of its classes."""
        return next((self._by_class[cls] for cls in type(error).__mro__ if cls in self._by_class), None)

    def joined(self, other: Raises | None) -> Raises:
        """These and others. The same two give the same object again, so that a call makes none."""
        if other is None or other is self:
            return self
        found = self._joined.get(other)
        if found is None:
            both = {**other._by_wire, **self._by_wire}
            found = self if both == self._by_wire else other if both == other._by_wire else Raises([*both.values()])
            self._joined[other] = found
        return found


def join(one: Raises | None, other: Raises | None) -> Raises | None:
    """What two may raise together."""
    return other if one is None else one.joined(other)


def join_returned(result: Any, raises: Raises | None) -> Raises | None:
    """What a mapper function may raise that has returned this and whose calls may raise that: a property that it has
    read is no call, and is known by its promise alone.
    """
    if isinstance(result, (tuple, list, dict)):
        for item in result.values() if isinstance(result, dict) else result:
            raises = join_returned(item, raises)
        return raises
    return join(getattr(result, "_raises", None), raises) if isinstance(result, PromiseRef) else raises


def is_declared(error: BaseException, raises: Raises | None) -> bool:
    """Whether a target may raise this. The exception then says itself how it travels, and else no longer does."""
    declared = None if raises is None else raises.of(error)
    if declared is None:
        vars(error).pop(DECLARATION, None)
        return False
    vars(error)[DECLARATION] = declared
    return True


def _read(error: BaseException, name: str) -> Any:
    """An attribute of an application's exception; None where there is none, or it fails."""
    try:
        return getattr(error, name)
    except NOT_OURS:
        raise
    except BaseException:
        return None


def _typed(value: Any, codec: TypeCodec) -> Any:
    return decode_payload(Payload(value), codec, _NOWHERE)


def _default(cls: type[Exception], name: str) -> dict[str, Any]:
    """The default of an attribute that did not come, where the class does not have it as an attribute of its own."""
    field = getattr(cls, "__dataclass_fields__", {}).get(name)
    if field is None or (field.default is MISSING and field.default_factory is MISSING):
        return {}
    return {name: field.default if field.default_factory is MISSING else field.default_factory()}
