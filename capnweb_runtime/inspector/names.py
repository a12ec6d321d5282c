"""What is known of the objects and calls of a session, by their ids. Rule: the tables of the schema say it, where there
are any; nothing is asked of an application's object.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import InterfaceCodec, OptionalCodec
from capnweb_runtime.core.interface import Arguments, Method, Property
from capnweb_runtime.core.session import Session
from capnweb_runtime.core.target_hooks import FunctionHook, TargetHook
from capnweb_runtime.objects.callbacks import CallbackCodec
from capnweb_runtime.observe import printable

Members = Mapping[str, tuple[str, Method | Property]]

LONGEST: Final = 100
"""Characters of a name that are shown."""
_MOST: Final = 2_000
"""Objects of a session of which it is remembered what they are."""


class Thing(NamedTuple):
    """What an object is.

    Attributes:
        name: its interface, or what it was passed as; "" if that is not known.
        members: the table by which it is called; None if that is not known.
        method: how it is called itself, if it is a function.
    """

    name: str = ""
    members: Members | None = None
    method: Method | None = None


UNKNOWN: Final = Thing()


class Names:
    """What is known of the objects of one session.

    Parameters:
        session: the session.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ours: OrderedDict[int, Thing] = OrderedDict()
        self._theirs: OrderedDict[int, Thing] = OrderedDict()

    def thing(self, ours: bool, number: int) -> Thing:
        """An object that stands on a table.

        Parameters:
            ours: whether it is of this side.
            number: its id, which is none of a call.
        """
        known = self._ours if ours else self._theirs
        found = known.get(number)
        if found is None and ours:
            entry = self._session._exports.get(number)
            found = None if entry is None else _of_hook(entry.hook)
        elif found is None:
            found = _introduced(self._session, number)
        if found is None:
            return UNKNOWN
        _remember(known, number, found)
        return found

    def learn(self, ours: bool, wire: Any, codec: TypeCodec | None, name: str = "") -> None:
        """Takes note of what an object is that a message introduces by itself.

        Parameters:
            ours: whether the message is of this side.
            wire: the expression, of which others than those of objects are left alone.
            codec: of what it is.
            name: what it is passed as.
        """
        if type(wire) is list and len(wire) > 1 and wire[0] == "export" and type(wire[1]) is int and wire[1] < 0:
            thing = of_codec(codec)
            if thing is UNKNOWN or not thing.name:
                thing = thing._replace(name=name)
            if thing.name:
                _remember(self._ours if ours else self._theirs, wire[1], thing)


def of_codec(codec: TypeCodec | None) -> Thing:
    """What a value of a type is, if it is an object."""
    while isinstance(codec, OptionalCodec):
        codec = codec.item
    if isinstance(codec, InterfaceCodec):
        target: Any = codec._target()
        return Thing(str(getattr(target, "_rpc_interface", target.__name__)), target._rpc_members)
    return Thing("", None, codec.method) if isinstance(codec, CallbackCodec) else UNKNOWN


def result_of(member: Method | Property | None) -> TypeCodec | None:
    """Codec of what a call of a member gives."""
    return None if member is None else member.result if isinstance(member, Method) else member.codec


def parameters_of(member: Method | Property | None) -> tuple[list[str], list[TypeCodec]] | None:
    """Names and codecs of what a method takes by position; None where that is not known. What its keyword-only
    parameters are called stands in the message.
    """
    params = member.params if isinstance(member, Method) else None
    if not isinstance(params, Arguments):
        return None
    return [param.name for param in params.positional], [param.codec for param in params.positional]


def _of_hook(hook: Any) -> Thing | None:
    if isinstance(hook, TargetHook):
        interface = getattr(hook.target, "_rpc_interface", type(hook.target).__name__)
        return Thing(printable(str(interface), LONGEST), hook._members)
    if isinstance(hook, FunctionHook):
        return Thing(printable(hook._where, LONGEST), None, hook._method)
    return None


def _introduced(session: Session, number: int) -> Thing | None:
    entry = session._imports.get(number)
    interface = getattr(entry, "interface", None)
    if entry is None or (interface is None and entry.expect is None):
        return None
    return Thing(printable(interface.name, LONGEST)) if interface is not None else of_codec(entry.expect)  # type: ignore[arg-type]  # a codec of the schema's


def _remember(known: OrderedDict[int, Thing], number: int, thing: Thing) -> None:
    known[number] = thing
    if len(known) > _MOST:
        known.popitem(last=False)
